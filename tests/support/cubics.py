# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What joints and base do between the points of a trajectory: what a controller's cubics add."""

from __future__ import annotations

import numpy as np

from mgpt3_ros.body.body_trajectory import BodyTrajectory, led_by
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.spline import hermite, segment_accelerations


def extreme_positions(times: Array, positions: Array, velocities: Array) -> tuple[Array, Array]:
    """Return the lowest and the highest position (T - 1, D) on each segment of a spline.

    They lie at its ends or where the velocity is zero, ``v0 + h (a0 s + (a1 - a0) s^2 / 2) = 0``.
    ``positions`` and ``velocities`` (T, D) belong to ``times`` (T,).
    """
    step, v0 = np.diff(times)[:, None], velocities[:-1]
    a0, a1 = segment_accelerations(times, positions, velocities)
    square, linear = 0.5 * step * (a1 - a0), step * a0
    root = np.sqrt(np.maximum(linear**2 - 4 * square * v0, 0.0))
    # The two roots without the cancellation of -b + sqrt(b^2 - 4 a c).
    half = -0.5 * (linear + np.where(linear < 0, -root, root))
    found = [positions[:-1], positions[1:]]
    for above, below in ((half, square), (v0, half)):
        share = np.divide(above, below, out=np.zeros_like(above), where=np.abs(below) > 1e-12)
        ends = positions[:-1], v0, positions[1:], velocities[1:]
        found.append(hermite(*ends, step, np.clip(share, 0.0, 1.0))[0])
    return np.min(found, axis=0), np.max(found, axis=0)


def base_accelerations(trajectory: BodyTrajectory) -> Array:
    """The largest accelerations (3,) [m/s^2] of the base on its whole way, from time 0 on."""
    base, start = trajectory.base, trajectory.start
    assert start is not None
    start_of_base = start.base_pos, start.base_rot, start.base_lin, start.base_ang
    whole = led_by(base, 0.0, *start_of_base)
    ends = segment_accelerations(whole.times, whole.pos, whole.lin)
    return np.abs(ends).max(axis=(0, 1))
