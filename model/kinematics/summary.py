# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A clip of any length as a few hundred numbers, for recognisers of actions."""

from __future__ import annotations

import numpy as np

from mgpt3_ros.model.kinematics.heading import heading, rotate_about_y
from mgpt3_ros.model.kinematics.skeleton import FPS, JOINT_NAMES

_WATCHED = [
    JOINT_NAMES.index(name)
    for name in (
        'left_wrist', 'right_wrist', 'left_elbow', 'right_elbow',
        'left_ankle', 'right_ankle', 'left_knee', 'right_knee', 'head',
    )
]  # fmt: skip
_THIRDS = 3


def summary(joints: np.ndarray) -> np.ndarray:
    """Statistics of a clip (T, 22, 3): where hands, feet and head are, how fast, how it turns."""
    joints = np.asarray(joints, dtype=np.float64)
    yaw = np.unwrap(heading(joints))
    local = rotate_about_y(joints - joints[:, :1] * (1, 0, 1), -yaw[:, None])
    watched = local[:, _WATCHED].reshape(len(local), -1)
    speed = np.linalg.norm(np.diff(local[:, _WATCHED], axis=0), axis=-1) * FPS
    root = rotate_about_y(np.diff(joints[:, 0], axis=0), -yaw[:-1]) * FPS
    path = rotate_about_y(joints[-1, 0] - joints[0, 0], -yaw[0])
    parts = [watched.mean(0), watched.std(0), watched.min(0), watched.max(0)]
    parts += [part.mean(0) for part in np.array_split(watched, _THIRDS)]
    parts += [speed.mean(0), speed.max(0), root.mean(0), root.std(0)]
    parts += [part.mean(0) for part in np.array_split(root, _THIRDS)]
    turned = np.array([yaw[-1] - yaw[0], np.abs(np.diff(yaw)).sum(), yaw.max(), yaw.min()])
    height = joints[:, 0, 1]
    parts += [turned - [0, 0, yaw[0], yaw[0]], path, [height.mean(), height.min(), height.std()]]
    return np.concatenate([np.ravel(part) for part in parts])
