# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cubic splines as a joint trajectory controller draws them: positions and velocities at knots.

Between two points that carry positions and velocities a controller (and ``playback_node``) moves
along the cubic that has both. The velocities here are those of the twice differentiable spline
through all points, so that accelerations do not jump at them either.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_banded

from mgpt3_ros.body.quaternions import Array


def start_slope(times: Array, values: Array) -> Array:
    """Estimate the velocity (D,) at the first of ``values`` (T, D), known at ``times`` (T,).

    The slope at the first point of the parabola through three points,
    ``s_1 + (s_1 - s_2) h_1 / (h_1 + h_2)`` with ``s_i = (x_i+1 - x_i) / h_i``, but none that is
    steeper than ``s_1``: noise would be carried on to speeds that nothing has.
    """
    h1 = times[1] - times[0]
    slope1 = (values[1] - values[0]) / h1
    if len(times) < 3:
        return slope1
    h2 = times[2] - times[1]
    slope2 = (values[2] - values[1]) / h2
    parabola = slope1 + (slope1 - slope2) * h1 / (h1 + h2)
    return np.clip(parabola, -np.abs(slope1), np.abs(slope1))


def spline_velocities(times: Array, values: Array, start: Array, end: Array) -> Array:
    """Return the velocities (T, D) at the knots of the clamped cubic spline through ``values``.

    Equal second derivatives on both sides of each inner knot, with ``h_i = t_i+1 - t_i``::

        h_i v_i-1 + 2 (h_i-1 + h_i) v_i + h_i-1 v_i+1
            = 3 (h_i (x_i - x_i-1) / h_i-1 + h_i-1 (x_i+1 - x_i) / h_i)

    Args:
        times: (T,) [s], strictly increasing, T >= 2.
        values: (T, D) positions at ``times``.
        start: (D,) velocity at the first time.
        end: (D,) velocity at the last time.
    """
    velocities = np.empty(values.shape)
    velocities[0], velocities[-1] = start, end
    if len(times) == 2:
        return velocities
    # SciPy's CubicSpline solves the same, and takes three times as long around it.
    step = np.diff(times)
    before, after = step[:-1], step[1:]
    slopes = np.diff(values, axis=0) / step[:, None]
    known = 3 * (after[:, None] * slopes[:-1] + before[:, None] * slopes[1:])
    known[0] -= after[0] * velocities[0]
    known[-1] -= before[-1] * velocities[-1]
    bands = np.zeros((3, len(before)))
    bands[0, 1:], bands[1], bands[2, :-1] = before[:-1], 2 * (before + after), after[1:]
    velocities[1:-1] = solve_banded((1, 1), bands, known)
    return velocities


def hermite(
    x0: Array, v0: Array, x1: Array, v1: Array, step: Array | float, share: Array | float
) -> tuple[Array, Array]:
    """Return position and velocity (..., D) on the cubic from (x0, v0) to (x1, v1).

    ``step`` ``h`` is the time between both ends [s], ``share`` ``s`` how far between them, 0 to 1;
    both are broadcast against (..., D)::

        x(s) = (1 + 2 s) (1 - s)^2 x0 + s (1 - s)^2 h v0 + s^2 (3 - 2 s) x1 + s^2 (s - 1) h v1
    """
    s = share
    position = (
        (1 + 2 * s) * (1 - s) ** 2 * x0
        + s * (1 - s) ** 2 * step * v0
        + s * s * (3 - 2 * s) * x1
        + s * s * (s - 1) * step * v1
    )
    velocity = (
        6 * s * (s - 1) * (x0 - x1) / step + (1 - s) * (1 - 3 * s) * v0 + s * (3 * s - 2) * v1
    )
    return position, velocity


def locate(times: Array, at: Array) -> tuple[Array, Array, Array]:
    """Return for each of ``at`` (N,) its segment (N,), that segment's length and the share in it.

    Times outside are clamped to the first and the last of ``times`` (T,), T >= 2.
    """
    at = np.clip(at, times[0], times[-1])
    index = np.clip(np.searchsorted(times, at, side='right') - 1, 0, len(times) - 2)
    step = times[index + 1] - times[index]
    return index, step, (at - times[index]) / step


def segment_accelerations(
    times: Array, positions: Array, velocities: Array
) -> tuple[Array, Array]:
    """Return the accelerations (T - 1, D) at both ends of each segment of a spline.

    On a segment of length ``h`` and slope ``r`` the acceleration is linear, from
    ``(6 r - 4 v0 - 2 v1) / h`` to ``(-6 r + 2 v0 + 4 v1) / h``. ``positions`` and ``velocities``
    (T, D) belong to ``times`` (T,).
    """
    step = np.diff(times)[:, None]
    rise = np.diff(positions, axis=0) / step
    v0, v1 = velocities[:-1], velocities[1:]
    return (6 * rise - 4 * v0 - 2 * v1) / step, (-6 * rise + 2 * v0 + 4 * v1) / step


def extreme_rates(times: Array, positions: Array, velocities: Array) -> tuple[Array, Array]:
    """Return each column's largest speed and acceleration (D,) along the whole spline.

    The acceleration of a segment is largest at an end, and the speed at an end or where the
    acceleration is zero. ``positions`` and ``velocities`` (T, D) belong to ``times`` (T,).
    """
    step, v0 = np.diff(times)[:, None], velocities[:-1]
    acceleration0, acceleration1 = segment_accelerations(times, positions, velocities)
    change = acceleration1 - acceleration0
    with np.errstate(divide='ignore', invalid='ignore'):
        share = np.where(np.abs(change) > 1e-12, -acceleration0 / change, 0.0)
    share = np.clip(np.nan_to_num(share), 0.0, 1.0)
    inner = v0 + step * (acceleration0 * share + 0.5 * change * share**2)
    speed = np.maximum(np.abs(velocities).max(axis=0), np.abs(inner).max(axis=0))
    acceleration = np.maximum(np.abs(acceleration0), np.abs(acceleration1)).max(axis=0)
    return speed, acceleration
