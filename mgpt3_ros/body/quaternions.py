# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Unit quaternions as arrays (..., 4) in ROS's order x, y, z, w."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mgpt3_ros.model.kinematics.vectors import cross, norm

Array = npt.NDArray[Any]

IDENTITY = np.array([0.0, 0.0, 0.0, 1.0])


def multiply(a: Array, b: Array) -> Array:
    """Return the rotation that does ``b`` first and ``a`` after it: (..., 4)."""
    av, aw = np.split(np.asarray(a, dtype=np.float64), [3], axis=-1)
    bv, bw = np.split(np.asarray(b, dtype=np.float64), [3], axis=-1)
    w = aw * bw - np.sum(av * bv, axis=-1, keepdims=True)
    return np.concatenate([aw * bv + bw * av + cross(av, bv), w], axis=-1)


def inverse(q: Array) -> Array:
    """Return the opposite rotation (..., 4)."""
    return np.asarray(q) * np.array([-1.0, -1.0, -1.0, 1.0])


def rotate(q: Array, vectors: Array) -> Array:
    """Rotate ``vectors`` (..., 3) by ``q`` (..., 4)."""
    axis, w, vectors = np.asarray(q)[..., :3], np.asarray(q)[..., 3:], np.asarray(vectors)
    twice = 2.0 * cross(axis, vectors)
    return vectors + w * twice + cross(axis, twice)


def exp(rotation_vector: Array) -> Array:
    """Return the rotation (..., 4) by ``|v|`` radians about ``v`` (..., 3)."""
    half = 0.5 * np.asarray(rotation_vector, dtype=np.float64)
    angle = norm(half)
    return np.concatenate([half * np.sinc(angle / np.pi), np.cos(angle)], axis=-1)


def log(q: Array) -> Array:
    """Return the rotation vector (..., 3) [rad], of length at most pi, of ``q`` (..., 4)."""
    q = np.asarray(q, dtype=np.float64)
    q = np.where(q[..., 3:] < 0, -q, q)
    sine = norm(q[..., :3])
    angle = 2.0 * np.arctan2(sine, q[..., 3:])
    return q[..., :3] * np.where(sine > 1e-9, angle / np.maximum(sine, 1e-9), 2.0)


def yaw(q: Array) -> Array:
    """Return the heading (...,) [rad] about Z of the X axis that ``q`` (..., 4) turns."""
    x, y, z, w = np.moveaxis(np.asarray(q, dtype=np.float64), -1, 0)
    return np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))


def about_z(angle: Array | float) -> Array:
    """Return the rotation (..., 4) by ``angle`` (...,) [rad] about Z."""
    half = 0.5 * np.asarray(angle, dtype=np.float64)
    zero = np.zeros_like(half)
    return np.stack([zero, zero, np.sin(half), np.cos(half)], axis=-1)


def continuous(q: Array) -> Array:
    """Choose the signs of ``q`` (T, 4) so that neighbours lie on the same side, normalised."""
    q = np.asarray(q, dtype=np.float64)
    q = q / np.linalg.norm(q, axis=-1, keepdims=True)
    flips = np.where(np.sum(q[1:] * q[:-1], axis=-1) < 0, -1.0, 1.0)
    return q * np.concatenate([[1.0], np.cumprod(flips)])[:, None]


def angular_velocity(q: Array, rate: Array) -> Array:
    """Return the angular velocity (..., 3) [rad/s] in the outer frame.

    Args:
        q: (..., 4) orientations.
        rate: (..., 4) their derivatives by time.
    """
    return 2.0 * multiply(rate, inverse(q))[..., :3]
