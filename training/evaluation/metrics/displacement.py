# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ADE and FDE: how far predicted or filled-in frames are from what really happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.training.evaluation.metrics.checks import Array, MetricError
from mgpt3_ros.training.evaluation.metrics.joints import Joints, motion_pairs

Task = Literal['prediction', 'inbetween']
SEEN_SHARE = 0.2  # of a motion is given before the prediction begins
END_SHARE = 0.25  # of a motion is given at each end of an in-between


@dataclass(frozen=True)
class Displacement:
    """Means over motions.

    ade_m: mean over the frames to be made of the pose's distance, the norm of all its joints'
        errors together (sqrt(J) times an error that all joints share) [m].
    fde_m: that distance in the last of them [m].
    joint_mm: mean distance of a single joint over the same frames [mm].
    """

    ade_m: float
    fde_m: float
    joint_mm: float


def displacement(
    made: Joints,
    real: Joints,
    lengths: Sequence[int] | None = None,
    task: Task = 'prediction',
    reference: bool = False,
) -> Displacement:
    """Compare the frames that were to be made, in the world.

    Args:
        made: (B, T, J, 3) [m], or B arrays (T_b, J, 3): whole motions, the given frames too.
        real: the same shapes.
        lengths: frames of each motion that count; None: all.
        task: ``'prediction'``, from int(0.2 length) to the end; ``'inbetween'``, what lies
            int(0.25 length) frames from both ends.
        reference: as the authors' code does it: a prediction ends with the batch, not with the
            motion, so that padding is counted in.

    Raises:
        MetricError: shapes that do not fit, NaN, an unknown task, or nothing to compare.
    """
    if task not in ('prediction', 'inbetween'):
        raise MetricError(f"task must be 'prediction' or 'inbetween', got {task!r}")
    pairs, counted = motion_pairs(made, real, lengths, reference=reference)
    rows = []
    for (a, b), length in zip(pairs, counted, strict=True):
        part = made_frames(length, len(a), task)
        pose = pose_distance(a[part], b[part])
        if not len(pose):
            raise MetricError(f'a motion of {length} frames has none to compare for {task}')
        joint = np.linalg.norm(a[part] - b[part], axis=-1)
        rows.append((pose.mean(), pose[-1], 1000 * joint.mean()))
    ade, fde, single = np.mean(rows, axis=0)
    return Displacement(float(ade), float(fde), float(single))


def pose_distance(made: NDArray, real: NDArray) -> Array:
    """Return (T,) [m]: the norm of all joints' errors together, of (T, J, 3) [m]."""
    error = np.asarray(made, np.float64) - np.asarray(real, np.float64)
    return np.sqrt((error**2).sum(axis=(1, 2)))


def made_frames(length: int, stop: int, task: Task) -> slice:
    """Return which frames of a motion were to be made; ``stop`` ends a prediction."""
    if task == 'prediction':
        return slice(int(SEEN_SHARE * length), stop)
    given = int(END_SHARE * length)
    return slice(given, length - given)
