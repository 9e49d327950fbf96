# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion at other moments than its frames: slower, faster, or ever more slowly to a stop.

Feet that are planted stay so, since every pose is one of the motion's own. Joints (T, 22, 3) [m].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def at_moments(joints: NDArray, moments: Array) -> NDArray:
    """The poses (N, 22, 3) at moments (N,) counted in frames, 0 to T - 1.

    By the cubic spline through the frames: straight lines between them have a corner at each, and
    shorten bones that turn.
    """
    return Moments(joints).at(moments)


class Moments:
    """The poses of a motion (T, 22, 3) at any moments, see :func:`at_moments`."""

    def __init__(self, joints: NDArray) -> None:
        self._joints = joints
        self._spline: Callable[[Array], Array] | None = None

    def at(self, moments: Array) -> NDArray:
        """The poses (N, 22, 3) at moments (N,) counted in frames, 0 to T - 1."""
        joints = self._joints
        if self._spline is None:
            from scipy.interpolate import CubicSpline

            self._spline = CubicSpline(np.arange(len(joints)), joints.astype(np.float64), axis=0)
        return np.asarray(self._spline(np.clip(moments, 0, len(joints) - 1))).astype(joints.dtype)


def changing_rate(first: float, last: float, frames: int) -> Array:
    """The moments (frames + 1,), in frames, of a motion whose rate goes evenly to another one.

    ``m(k) = first k + (last - first) k^2 / (2 frames)``: at k = 0 it goes at ``first`` of its
    speed, at k = ``frames`` at ``last`` of it.
    """
    count = np.arange(frames + 1.0)
    return first * count + 0.5 * (last - first) * count**2 / max(frames, 1)
