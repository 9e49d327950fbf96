# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a body faces, and turns about the vertical; numpy arrays and torch tensors alike.

Y is up. Yaw is the angle [rad] about Y by the right hand: 0 faces +Z, a quarter turn faces +X.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES

if TYPE_CHECKING:
    from torch import Tensor

Array = TypeVar('Array', np.ndarray, 'Tensor')

_LEFT_HIP, _RIGHT_HIP, _LEFT_SHOULDER, _RIGHT_SHOULDER = (
    JOINT_NAMES.index(name)
    for name in ('left_hip', 'right_hip', 'left_shoulder', 'right_shoulder')
)


def heading(joints: Array) -> Array:
    """Yaw (...) [rad] that poses (..., 22, 3) face, as HumanML3D: by hips and shoulders.

    yaw = atan2(-across_z, across_x), across being :func:`across_body`.
    """
    return heading_across(across_body(joints))


def across_body(joints: Array) -> Array:
    """Left hip - right hip + left shoulder - right shoulder, (..., 3) [m] of (..., 22, 3)."""
    hips = joints[..., _LEFT_HIP, :] - joints[..., _RIGHT_HIP, :]
    return hips + joints[..., _LEFT_SHOULDER, :] - joints[..., _RIGHT_SHOULDER, :]


def heading_across(across: Array) -> Array:
    """Yaw (...) [rad] of a body whose left is where ``across`` (..., 3) points.

    Who faces +Z has +X at the left; turned by yaw it is (cos yaw, 0, -sin yaw).
    """
    return _library(across).arctan2(-across[..., 2], across[..., 0])


def turn(x: Array, z: Array, yaw: Array | float) -> tuple[Array, Array]:
    """Turn (x, z) about Y by ``yaw`` [rad], +Z towards +X; all are broadcast.

    x' = x cos yaw + z sin yaw, z' = z cos yaw - x sin yaw.
    """
    cos, sin = _library(yaw).cos(yaw), _library(yaw).sin(yaw)
    return x * cos + z * sin, z * cos - x * sin


def rotate_about_y(points: Array, yaw: Array | float) -> Array:
    """Turn points (..., 3) about Y by ``yaw`` (...) [rad], see :func:`turn`."""
    x, z = turn(points[..., 0], points[..., 2], yaw)
    return _points(x, points[..., 1], z)


def _points(x: Array, y: Array, z: Array) -> Array:
    """Points (..., 3) of their coordinates (...)."""
    if isinstance(x, np.ndarray):  # np.stack takes as long as a turn
        points = np.empty((*x.shape, 3), x.dtype)
        points[..., 0], points[..., 1], points[..., 2] = x, y, z
        return points
    return _library(x).stack([x, y, z], -1)


def wrap(angle: np.ndarray | float) -> np.ndarray:
    """Angles [rad] moved by whole turns into [-pi, pi)."""
    return (np.asarray(angle) + np.pi) % (2 * np.pi) - np.pi


def _library(array: Array | float) -> Any:
    """The module whose functions take this array."""
    if isinstance(array, np.ndarray | np.generic | float | int):
        return np
    import torch  # takes seconds; nodes that only play motions do without it

    return torch
