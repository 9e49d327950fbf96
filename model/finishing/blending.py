# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joining motions: decaying offsets at a seam, and placing a clip where a body stands.

A seam between two motions is closed by *inertialisation*: the new motion is played at once, plus
an offset that starts with the difference in position and velocity and has died out after
``blend_s``. Unlike a cross-fade it needs no frame of the old motion but its last state.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.kinematics.heading import heading, rotate_about_y


def inertialise(
    values: NDArray,
    fps: float,
    start_value: ArrayLike | None = None,
    start_velocity: ArrayLike | None = None,
    blend_s: float = 0.3,
    *,
    end_value: ArrayLike | None = None,
    end_velocity: ArrayLike | None = None,
) -> NDArray:
    """Let a series start, and if asked for end, with a given value and velocity.

    The offset is the quintic that has the wanted value and slope and no curvature at the seam, and
    is zero to the second order ``blend_s`` later, so that accelerations have no jump there. Ends
    that lie closer together than their blends do not disturb each other: the offset of one has
    value and slope zero where the other is fixed.

    Args:
        values: (T, ...), any unit u.
        fps: samples per second.
        start_value: (...) [u] of the first sample; None leaves the start as it is.
        start_velocity: (...) [u/s] at the first sample; None keeps the series' own.
        blend_s: time [s] until the offset is gone; cut to the length of the series.
        end_value: (...) [u] of the last sample; None leaves the end as it is.
        end_velocity: (...) [u/s] at the last sample; None keeps the series' own.

    Returns:
        (T, ...), same dtype; sample 0 is ``start_value``.

    Raises:
        MotionError: for a wrong shape, NaN, or a blend or rate that is not positive.
    """
    values = np.asarray(values)
    if values.ndim < 2 or len(values) == 0:
        raise MotionError(f'values must be (T, D) or more with T >= 1, not {values.shape}')
    if not (fps > 0 and blend_s > 0):
        raise MotionError(f'fps and blend_s must be positive, not {fps} and {blend_s}')
    series = values.astype(np.float64)
    duration_s = (len(series) - 1) / fps
    blend_s = min(blend_s, duration_s)
    time_s = np.arange(len(series)) / fps
    velocity = np.diff(series, axis=0) * fps if len(series) > 1 else np.zeros_like(series)
    start_offset = end_offset = np.zeros_like(series)
    if start_value is not None:
        gap = _change(start_value, series[0], 'start_value')
        slope = _change(start_velocity, velocity[0], 'start_velocity')
        start_offset = _decay(time_s, blend_s, gap, slope)
    if end_value is not None and len(series) > 1:
        gap = _change(end_value, series[-1], 'end_value')
        slope = _change(end_velocity, velocity[-1], 'end_velocity')
        # The same offset in reversed time, in which velocities change sign.
        end_offset = _decay(time_s, blend_s, gap, -slope)[::-1]
    return (series + start_offset + end_offset).astype(values.dtype, copy=False)


def place_after(motion_joints: NDArray, last_joints: NDArray) -> NDArray:
    """Move a clip rigidly so that it starts where an observed body stands, facing as it does.

    Only the yaw and the horizontal place change: heights above the floor and slopes are kept.

    Args:
        motion_joints: (T, 22, 3) [m], Y up, the clip.
        last_joints: (22, 3) [m], the last observed pose.

    Returns:
        (T, 22, 3) [m], same dtype as the clip.
    """
    pivot, place = (joints[0] * [1, 0, 1] for joints in (motion_joints[0], last_joints))
    yaw = float(heading(last_joints)) - float(heading(motion_joints[0]))
    placed = rotate_about_y(motion_joints - pivot, yaw) + place
    return placed.astype(motion_joints.dtype, copy=False)


def _decay(time_s: NDArray, blend_s: float, gap: NDArray, slope: NDArray) -> NDArray:
    """Quintic (T, ...) from value ``gap`` and slope ``slope`` at 0 to rest at ``blend_s``.

    gap (1 - 10 s^3 + 15 s^4 - 6 s^5) + slope blend_s (s - 6 s^3 + 8 s^4 - 3 s^5), s = t / blend_s.
    """
    time_s = time_s.reshape(-1, *[1] * gap.ndim)
    if blend_s <= 0:  # a single sample
        return np.where(time_s == 0, gap, 0.0)
    s = np.minimum(time_s / blend_s, 1.0)
    value_basis = 1 - s**3 * (10 - s * (15 - 6 * s))
    slope_basis = s - s**3 * (6 - s * (8 - 3 * s))
    return gap * value_basis + slope * blend_s * slope_basis


def _change(value: ArrayLike | None, own: NDArray, name: str) -> NDArray:
    """From the series' own state to the wanted one; 0 where none is wanted."""
    state = own if value is None else np.asarray(value, dtype=np.float64)
    if state.shape != own.shape:
        raise MotionError(f'{name} must have shape {own.shape}, not {state.shape}')
    if not np.isfinite(state).all():
        raise MotionError(f'{name} holds NaN or infinity: give finite numbers')
    return state - own
