# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""APE and AVE: errors of mean and of variance of root, path, poses and joints (TEMOS, 2022).

Both motions begin at the same place, in the same heading, and stand on the floor.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mgpt3_ros.model.kinematics.heading import heading, heading_across, rotate_about_y
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS, JOINT_NAMES
from mgpt3_ros.training.evaluation.metrics.checks import Array, MetricError
from mgpt3_ros.training.evaluation.metrics.joints import Joints, motion_pairs

PARTS = ('root', 'traj', 'mean_pose', 'mean_joints')

# What the authors' code divides joints by; they are metres before it, and not after.
REFERENCE_UNIT = 1000 * 0.75 / 480


# The authors' code takes the indices of another skeleton, KIT's 21 joints. On 22 joints they are
# a collar, an elbow, ... (the heading's are looked up after the root was cut off: one more).
_REFERENCE_LEFT, _REFERENCE_RIGHT, _REFERENCE_FEET = (12, 6), (17, 9), (14, 15, 19, 20)


def ape_ave(
    made: Joints,
    real: Joints,
    lengths: Sequence[int] | None = None,
    reference: bool = False,
) -> dict[str, float]:
    """Compare made motions with real ones.

    Args:
        made: (B, T, 22, 3) [m], or B arrays (T_b, 22, 3), Y up.
        real: the same shapes.
        lengths: frames of each motion that count; None: all.
        reference: as the authors' code does it: heading and floor from joints of another
            skeleton, a soft floor that padding has a part in, and lengths over 1.5625.

    Returns:
        ``APE_root``, ``APE_traj`` (the root on the floor plane), ``APE_mean_pose`` (joints seen
        from the root and its heading) and ``APE_mean_joints`` [m]: distances, averaged over frames
        and joints; ``AVE_...`` [m^2]: distances of the variances in time, averaged over motions.

    Raises:
        MetricError: shapes that do not fit, NaN, or motions of one frame.
    """
    # One frame has no variance.
    pairs, counted = motion_pairs(made, real, lengths, least=2, reference=reference)
    if pairs[0][0].shape[1] != len(JOINT_NAMES):
        raise MetricError(f'APE takes {len(JOINT_NAMES)} joints, got {pairs[0][0].shape[1]}')
    ape, ave = np.zeros(len(PARTS)), np.zeros(len(PARTS))
    for pair, length in zip(pairs, counted, strict=True):
        views = zip(*(_views(joints, reference) for joints in pair), strict=True)
        for k, (a, b) in enumerate(views):
            a, b = a[:length], b[:length]
            ape[k] += np.linalg.norm(a - b, axis=-1).reshape(length, -1).mean(axis=1).sum()
            spread = a.var(axis=0, ddof=1) - b.var(axis=0, ddof=1)
            ave[k] += np.linalg.norm(spread, axis=-1).mean()
    ape, ave = ape / sum(counted), ave / len(pairs)
    return {f'APE_{part}': float(value) for part, value in zip(PARTS, ape, strict=True)} | {
        f'AVE_{part}': float(value) for part, value in zip(PARTS, ave, strict=True)
    }


def _views(joints: Array, reference: bool) -> tuple[Array, Array, Array, Array]:
    """Return root (T, 3), path (T, 2), local pose (T, J - 1, 3) and joints (T, J, 3)."""
    feet = joints[:, _REFERENCE_FEET if reference else FOOT_JOINTS, 1].min(axis=1)
    heights = joints[..., 1] - (_soft_floor(feet) if reference else feet.min())
    yaw = heading(joints)
    if reference:
        left, right = joints[:, _REFERENCE_LEFT], joints[:, _REFERENCE_RIGHT]
        yaw = heading_across(left.sum(axis=1) - right.sum(axis=1))
    offsets = joints - joints[:, :1]
    pose = rotate_about_y(offsets, -yaw[:, None])
    path = rotate_about_y(joints[:, 0] - joints[0, 0], -yaw[0])
    whole = rotate_about_y(offsets, -yaw[0]) + path[:, None]
    pose[..., 1] = whole[..., 1] = heights
    unit = REFERENCE_UNIT if reference else 1.0
    return whole[:, 0] / unit, path[:, [0, 2]] / unit, pose[:, 1:] / unit, whole / unit


def _soft_floor(heights: Array) -> float:
    """Floor by the authors' soft minimum, whose softness 0.5 was meant for millimetres."""
    lowest = heights.min()
    return float(lowest - np.log(0.5 + np.exp(lowest - heights.max())))
