# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a body can not do, measured on its joints alone: slide, float, sink, shake.

Real motion has values of its own (runners float, marks of a capture shake), so each figure says
something beside that of real clips.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mgpt3_ros.model.finishing.foot_lock import foot_slide
from mgpt3_ros.model.kinematics.skeleton import FPS, checked_joints

TOLERANCE = 0.005  # [m]: of the floor's height, as in PhysDiff (Yuan et al., ICCV 2023)


def floating(joints: np.ndarray, tolerance: float = TOLERANCE) -> float:
    """Mean height [m] of the lowest joint over the floor, beyond ``tolerance``.

    Args:
        joints: (T, 22, 3) [m], Y up, floor at y = 0.
        tolerance: [m].

    Raises:
        MotionError: the shape is another one, there is no frame, or values are not finite.
    """
    return float(np.maximum(_lowest(joints) - tolerance, 0.0).mean())


def penetration(joints: np.ndarray, tolerance: float = TOLERANCE) -> float:
    """Mean depth [m] of the lowest joint under the floor, beyond ``tolerance``; else as above."""
    return float(np.maximum(-_lowest(joints) - tolerance, 0.0).mean())


def jitter(joints: np.ndarray) -> float:
    """Mean size of the joints' third difference in time [m/s^3]."""
    return float(np.linalg.norm(np.diff(joints, n=3, axis=0), axis=-1).mean() * FPS**3)


def physical(joints: np.ndarray) -> dict[str, float]:
    """Every measure of a motion (T, 22, 3) [m] by its name, which holds the unit."""
    return {
        'foot slide [m/s]': float(foot_slide(joints, FPS)),
        'floating [mm]': 1000 * floating(joints),
        'penetration [mm]': 1000 * penetration(joints),
        'jitter [m/s^3]': jitter(joints),
    }


def bodies(motions: Sequence[np.ndarray]) -> dict[str, float]:
    """The mean of each of these measures over motions."""
    found = [physical(joints) for joints in motions]
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def _lowest(joints: np.ndarray) -> np.ndarray:
    """Height (T,) of the lowest joint of each frame."""
    return checked_joints(joints)[..., 1].min(axis=1).astype(np.float64)
