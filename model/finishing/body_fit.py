# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion on the default body: decoded joints, whose bones stretch, become one that has bones.

Decoders give positions joint by joint, so that bones change their lengths by centimetres. Joint
angles cannot say that: turned into angles, such a motion would miss its own feet.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.finishing.leg_pose import LEGS, LOWERING_S, lowering, pose_leg
from mgpt3_ros.model.kinematics.joint_angles import on_default_body
from mgpt3_ros.model.kinematics.skeleton import FPS


def fit_body(joints: NDArray, fps: float = FPS, hold_first: bool = False) -> NDArray:
    """Put a motion onto the skeleton's bone lengths, with the feet where they were.

    Directions of bones are kept, but for the legs: they bend to bring ankle and ball of the foot
    to their observed places as far as they reach, and the pelvis comes down by up to 6 cm where
    feet on the floor would be out of reach. Afterwards positions -> angles -> positions is
    exact. Lock the feet after this, not before.

    Args:
        joints: (T, 22, 3) [m], Y up, floor at y = 0.
        fps: frames per second.
        hold_first: leave the first frame, which is on the body already, as it is; the pelvis comes
            down from there on.

    Returns:
        (T, 22, 3), same dtype.

    Raises:
        MotionError: for a wrong shape, NaN or infinity.
    """
    joints = np.asarray(joints)
    fitted = on_default_body(joints)
    seen = joints[:, LEGS].astype(np.float64)
    down = lowering(fitted[:, LEGS], seen[:, :, 2], fps)
    if hold_first:
        share = np.minimum(np.arange(len(joints)) / (LOWERING_S * fps), 1.0)
        down = down * share * share * (3 - 2 * share)
    fitted[..., 1] -= down[:, None]
    for side, leg in enumerate(LEGS):
        fitted[:, leg[1:]] = pose_leg(fitted[:, leg], seen[:, side, 2], seen[:, side, 3])
    if hold_first:
        fitted[0] = joints[0]
    return fitted.astype(joints.dtype, copy=False)
