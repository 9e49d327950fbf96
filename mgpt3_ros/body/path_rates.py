# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How fast a path may be followed so that its joints keep their bounds, and rest at its end.

A path says where the joints are at each *phase*; the phase passes at a rate ``r`` of at most 1.
With ``u = r^2`` a joint on the path ``x(phase)`` has the speed ``x' r`` and the acceleration
``x' a + x'' u``, where ``a = dr/dt = du/dphase / 2``: linear in ``a`` and ``u``. From the end,
where ``u = 0``, backwards the largest ``u`` is found from which the next one can be reached; then,
forwards, the largest that follow (Pham and Pham, "A new approach to time-optimal path
parameterization based on reachability analysis", 2018).
"""

from __future__ import annotations

import numpy as np

from mgpt3_ros.body.body_trajectory import JointPath
from mgpt3_ros.body.bounds import EASE_S, Timing
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.spline import segment_accelerations
from mgpt3_ros.model.kinematics.skeleton import FPS

_RATE_CHANGE = 0.5 / EASE_S  # [1/s]: from full rate the phase stops in 2 EASE_S
_MARGIN = 0.95  # of the bounds, on the path: between its knots a cubic leaves it by a little
_BOUNDED_FPS = 40.0  # least rate of knots where accelerations are bounded, for the same reason
_PASSES = 8


def phase_grid(begin: float, end: float, timing: Timing) -> Array:
    """Phases (N,) [s] from ``begin`` to ``end``: all frames, for more points also between."""
    bounded = np.isfinite(timing.max_acceleration).any()
    fps = max(timing.fps_out, _BOUNDED_FPS) if bounded else timing.fps_out
    parts = max(1, round(fps / FPS))
    inner = np.arange(np.floor(begin * FPS * parts + 1e-6) + 1, np.ceil(end * FPS * parts - 1e-6))
    return np.concatenate([[begin], inner / (FPS * parts), [end]])


def largest_rates(
    path: JointPath, grid: Array, first: float, timing: Timing, free: bool
) -> tuple[Array, bool]:
    """Rates (N,) of the phase at ``grid`` (N,), from ``first`` to 0; whether they can begin so.

    Cubics through the knots leave the path by a little: where they pass a bound it is tightened.
    ``free``: the first rate may be lower, since the body stands still there.
    """
    positions, velocities = path.sample(grid)
    share = np.full(len(grid) - 1, _MARGIN)
    best: tuple[float, Array, bool] | None = None
    for _ in range(_PASSES):
        rates, reached = _within(grid, positions, velocities, first, timing, free, share)
        excess = _excess(grid, positions, velocities, rates, timing)
        worst = float(excess.max()) if reached else np.inf
        if best is None or worst < best[0]:
            best = worst, rates, reached
        if worst <= 1.0:
            break
        # Tighter where they are passed; half of that back where the first rate is too high then.
        share = share / np.maximum(excess, 1.0) ** 1.5 if reached else np.sqrt(share * _MARGIN)
    assert best is not None
    return best[1:]


def _excess(
    grid: Array, positions: Array, velocities: Array, rates: Array, timing: Timing
) -> Array:
    """How far (N - 1,) the cubics over time between knots pass the bounds, as a share of them."""
    times = np.concatenate([[0.0], np.cumsum(knot_steps(grid, rates))])
    speeds = velocities * rates[:, None]
    ends = segment_accelerations(times, positions, speeds)
    middle = 1.5 * np.diff(positions, axis=0) / np.diff(times)[:, None]
    middle -= 0.25 * (speeds[:-1] + speeds[1:])
    most = np.abs([speeds[:-1], middle, speeds[1:]]).max(axis=0) / timing.max_velocity
    sudden = np.abs(ends).max(axis=0) / timing.max_acceleration
    return np.maximum(np.square(most), sudden).max(axis=1)


def knot_steps(grid: Array, rates: Array) -> Array:
    """The times (N - 1,) [s] between knots at phases ``grid`` (N,) with ``rates`` (N,)."""
    return 2 * np.diff(grid) / np.maximum(rates[:-1] + rates[1:], 1e-3)


def _within(
    grid: Array,
    positions: Array,
    velocities: Array,
    first: float,
    timing: Timing,
    free: bool,
    share: Array,
) -> tuple[Array, bool]:
    """The largest rates (N,) at ``grid`` within ``share`` (N - 1,) of the bounds."""
    step = np.diff(grid)
    ends = segment_accelerations(grid, positions, velocities)
    width = velocities.shape[1]
    bound = np.broadcast_to(timing.max_acceleration, width)
    slope = (np.abs(velocities) / timing.max_velocity).max(axis=1)
    beside = np.minimum(np.append(share, share[-1]), np.append(share[0], share))
    most = np.minimum(1.0, beside / np.maximum(slope, 1e-9) ** 2)
    rows = [
        _limits(
            np.concatenate([velocities[i], velocities[i + 1] + 2 * step[i] * ends[1][i]]),
            np.concatenate([ends[0][i], ends[1][i]]),
            np.tile(share[i] * bound, 2),
        )
        for i in range(len(step))
    ]
    reach = np.zeros(len(grid))
    for i in range(len(step) - 1, -1, -1):
        upper, lower = _with_next(rows[i], step[i], reach[i + 1])
        rise = lower[1][:, None] - upper[1][None]
        room = np.maximum(upper[0][None] - lower[0][:, None], 0.0)
        with np.errstate(divide='ignore', invalid='ignore'):
            largest = np.where(rise > 1e-12, room / rise, np.inf).min()
        reach[i] = min(most[i], largest)
    squared = np.zeros(len(grid))
    squared[0] = min(first**2, reach[0]) if free else first**2
    for i in range(len(step)):
        upper, _ = _with_next(rows[i], step[i], reach[i + 1])
        change = float((upper[0] + upper[1] * squared[i]).min())
        squared[i + 1] = np.clip(squared[i] + 2 * step[i] * change, 0.0, reach[i + 1])
    return np.sqrt(squared), bool(squared[0] <= reach[0] + 1e-6)


Lines = tuple[Array, Array]  # value at u = 0 and slope, of bounds on a that are linear in u


def _limits(factor: Array, offset: Array, bound: Array) -> tuple[Lines, Lines]:
    """Upper and lower bounds on ``a`` from ``|factor a + offset u| <= bound``, and its own."""
    finite = np.isfinite(bound)
    factor, offset, bound = factor[finite], offset[finite], bound[finite]
    factor = np.where(np.abs(factor) < 1e-6, 1e-6, factor)
    wide, slope = bound / np.abs(factor), -offset / factor
    upper = np.append(wide, _RATE_CHANGE), np.append(slope, 0.0)
    return upper, (-upper[0], upper[1])


def _with_next(rows: tuple[Lines, Lines], step: float, reach: float) -> tuple[Lines, Lines]:
    """The bounds on ``a`` with ``0 <= u + 2 step a <= reach`` among them."""
    (high, rise), (low, fall) = rows
    slope = -0.5 / step
    upper = np.append(high, 0.5 * reach / step), np.append(rise, slope)
    return upper, (np.append(low, 0.0), np.append(fall, slope))
