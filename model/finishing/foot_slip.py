# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A body goes as far as its feet carry it: slipping of the feet is taken out of the root's path.

A decoder draws the root's path and the legs each by itself, and where the two disagree both feet
glide over the floor with the body. Bending the legs alone (``foot_lock``) hides centimetres of
that; more of it is an error of the path. Here the body as a whole is held back, on the level, by
what its standing feet slip.

Of 71 walking and running motions that the shipped checkpoint drew, with the lock after it: slide
.19 -> .09 m/s (real .10), ends moved by 1.0 m; real clips' ends move by .2 m
(``python -m benchmarks.feet``).
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from mgpt3_ros.model.finishing.leg_pose import LEGS

FLOOR = 0.06  # [m]: a ball of the foot that is higher does not stand; at half of it, it does
SLIPPING = 1.0  # [m/s]: a foot that is faster swings; at half of it, it stands
SMOOTH_S = 0.125  # standard deviation of the average over time
DOUBT = 0.15  # feet: with less than this of a standing foot, the path is left as it is
REAL_SLIP = 0.02  # [m/s]: real feet roll; so much is no error
PASSES = 2  # a foot that is slower after the first counts more in the second


def steady_root(joints: NDArray, fps: float) -> NDArray:
    """Hold a motion back, on the level, by what its standing feet slip.

    Args:
        joints: (T, 22, 3) [m], Y up, floor at y = 0.
        fps: frames per second.

    Returns:
        (T, 22, 3), same dtype; the first frame is where it was, and no pose is changed.
    """
    steadied = joints.astype(np.float64)
    for _ in range(PASSES):
        if len(steadied) > 1:
            slip = _slip(steadied[:, [leg[-1] for leg in LEGS]], fps)
            steadied[1:, :, [0, 2]] -= np.cumsum(slip / fps, axis=0)[:, None]
    return steadied.astype(joints.dtype, copy=False)


def _slip(balls: NDArray, fps: float) -> NDArray:
    """Horizontal velocity (T - 1, 2) [m/s] of what stands of the balls of the feet (T, 2, 3)."""
    velocity = np.diff(balls[..., [0, 2]], axis=0) * fps
    height = np.maximum(balls[1:, :, 1], balls[:-1, :, 1])
    speed = np.linalg.norm(velocity, axis=-1)
    stands = np.clip(2 - height / (FLOOR / 2), 0, 1) * np.clip(2 - speed / (SLIPPING / 2), 0, 1)
    smooth = SMOOTH_S * fps
    moved = scipy.ndimage.gaussian_filter1d(
        (stands[..., None] * velocity).sum(axis=1), smooth, axis=0
    )
    weight = scipy.ndimage.gaussian_filter1d(stands.sum(axis=1), smooth)[:, None]
    slip = moved / (weight + DOUBT)
    size = np.linalg.norm(slip, axis=-1, keepdims=True)
    return slip * np.maximum(1 - REAL_SLIP / np.maximum(size, 1e-9), 0)
