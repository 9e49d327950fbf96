# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which axis of a motion points up: here it is Y, elsewhere often Z."""

from __future__ import annotations

import numpy as np

from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES

UP_SHARE = 0.95  # mean of the spine along an axis; 0.94 in a clip that is spent crawling
# For each axis that may point up, the turn (3, 3) that brings it to +Y.
_TO_Y = {
    'y': ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    '-y': ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    'z': ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    '-z': ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    'x': ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    '-x': ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
}
UP_AXES = tuple(_TO_Y)


def standing_axis(joints: np.ndarray) -> str:
    """Return the axis along which a body (T, 22, 3) holds its trunk, of ``UP_AXES``; '' for none.

    A body that lies along an axis all the time looks as one that stands along it.
    """
    pelvis, neck = (joints[:, JOINT_NAMES.index(name)] for name in ('pelvis', 'neck'))
    spine = neck - pelvis
    spine = spine / np.maximum(np.linalg.norm(spine, axis=-1, keepdims=True), 1e-9)
    mean = spine.mean(axis=0)
    axis = int(np.abs(mean).argmax())
    if abs(mean[axis]) <= UP_SHARE:
        return ''
    return ('-' if mean[axis] < 0 else '') + 'xyz'[axis]


def turn_up(joints: np.ndarray, up: str) -> np.ndarray:
    """Turn joints (..., 3) so that ``up``, one of ``UP_AXES``, becomes +Y."""
    return joints @ np.array(_TO_Y[up], dtype=joints.dtype).T
