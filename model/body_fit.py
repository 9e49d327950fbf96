# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion on the default body: decoded joints, whose bones stretch, become one that has bones.

Decoders give positions joint by joint, so that bones change their lengths by centimetres. Joint
angles cannot say that: turned into angles, such a motion would miss its own feet.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.foot_lock import LEGS, pose_leg
from mgpt3_ros.model.joint_angles import angles_to_joints, joints_to_angles


def fit_body(joints: NDArray) -> NDArray:
    """Put a motion onto the skeleton's bone lengths, with the feet where they were.

    Directions of bones are kept, but for the legs: they bend to bring ankle and ball of the foot
    to their observed places as far as they reach. Afterwards positions -> angles -> positions is
    exact. Lock the feet after this, not before.

    Args:
        joints: (T, 22, 3) [m], Y up.

    Returns:
        (T, 22, 3), same dtype.

    Raises:
        MotionError: for a wrong shape, NaN or infinity.
    """
    joints = np.asarray(joints)
    fitted = angles_to_joints(joints_to_angles(joints))
    for leg in LEGS:
        seen = joints[:, leg].astype(np.float64)
        fitted[:, leg[1:]] = pose_leg(fitted[:, leg], seen[:, 2], seen[:, 3])
    return fitted.astype(joints.dtype, copy=False)
