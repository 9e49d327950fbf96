# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lengths, cross products and medians of short arrays, bit by bit as NumPy's own.

A motion of 6 s has 120 frames: there NumPy's general functions take several times as long for
finding out about axes and shapes as for the numbers, and finishing a motion calls them thousands
of times.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def norm(vector: NDArray) -> NDArray:
    """Lengths (..., 1) of vectors (..., 3); as ``np.linalg.norm``."""
    x, y, z = vector[..., 0], vector[..., 1], vector[..., 2]
    return np.sqrt(x * x + y * y + z * z)[..., None]


def cross(a: NDArray, b: NDArray) -> NDArray:
    """Cross products (..., 3) of vectors (..., 3), which are broadcast; as ``np.cross``."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    x = ay * bz - az * by
    product = np.empty((*np.shape(x), 3), dtype=x.dtype)
    product[..., 0] = x
    product[..., 1] = az * bx - ax * bz
    product[..., 2] = ax * by - ay * bx
    return product


def dot(a: NDArray, b: NDArray) -> NDArray:
    """Scalar products (..., 1) of vectors (..., 3), which are broadcast."""
    return (a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2])[..., None]


def median(values: NDArray) -> NDArray:
    """The median (...) over the first axis of values (N, ...) without NaN; as ``np.median``."""
    ordered = np.sort(values, axis=0)
    last = len(ordered) - 1
    return (ordered[last // 2] + ordered[(last + 1) // 2]) / 2
