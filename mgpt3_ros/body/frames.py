# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one place where the model's frame and ROS frames meet.

The model's world has Y up, and a body at rest faces +Z with its left hand towards +X. ROS
(REP-103) has Z up, X forward and Y left. Both are right-handed, so the change is one fixed
rotation that permutes the axes: x_ros = z, y_ros = x, z_ros = y.
"""

from __future__ import annotations

import numpy as np

from mgpt3_ros.body.quaternions import Array

_TO_ROS = [2, 0, 1]
_TO_MODEL = [1, 2, 0]


def vectors_to_ros(vectors: Array) -> Array:
    """Turn vectors (..., 3) of the model's world into ROS's (float64)."""
    return np.asarray(vectors, dtype=np.float64)[..., _TO_ROS]


def vectors_to_model(vectors: Array) -> Array:
    """Turn vectors (..., 3) of ROS's world into the model's (float64)."""
    return np.asarray(vectors, dtype=np.float64)[..., _TO_MODEL]


def quaternions_to_ros(quaternions: Array) -> Array:
    """Turn orientations (..., 4) xyzw from the model's frames into ROS's.

    The rotation's axis is a vector and permutes with the others; its angle stays.
    """
    return np.asarray(quaternions, dtype=np.float64)[..., [*_TO_ROS, 3]]


def quaternions_to_model(quaternions: Array) -> Array:
    """Turn orientations (..., 4) xyzw from ROS's frames into the model's."""
    return np.asarray(quaternions, dtype=np.float64)[..., [*_TO_MODEL, 3]]
