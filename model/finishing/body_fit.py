# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion on the default body: decoded joints, whose bones stretch, become one that has bones.

Decoders give positions joint by joint, so that bones change their lengths by centimetres. Joint
angles cannot say that: turned into angles, such a motion would miss its own feet.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.finishing.leg_pose import LEGS, LOWERING_S, lowering, pose_legs
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
    return fit_bodies([joints], fps, hold_first)[0]


def fit_bodies(
    motions: Sequence[NDArray], fps: float = FPS, hold_first: bool = False
) -> list[NDArray]:
    """What :func:`fit_body` gives of each motion; all their frames are computed at once."""
    motions = [np.asarray(joints) for joints in motions]
    begins = np.cumsum([len(joints) for joints in motions])[:-1]
    whole = motions[0] if len(motions) == 1 else np.concatenate(motions)
    fitted = on_default_body(whole, begins.tolist())
    seen = whole[:, LEGS].astype(np.float64)
    for own, observed in zip(np.split(fitted, begins), np.split(seen, begins), strict=True):
        down = lowering(own[:, LEGS], observed[:, :, 2], fps)
        if hold_first:
            share = np.minimum(np.arange(len(own)) / (LOWERING_S * fps), 1.0)
            down = down * share * share * (3 - 2 * share)
        own[..., 1] -= down[:, None]
    fitted = pose_legs(fitted, seen[:, :, 2:])
    if hold_first:
        firsts = [0, *begins]
        fitted[firsts] = whole[firsts]
    return [
        own.astype(joints.dtype, copy=False)
        for own, joints in zip(np.split(fitted, begins), motions, strict=True)
    ]
