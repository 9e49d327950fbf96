# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Simple ways to go on or to fill a gap, which a model has to beat."""

from __future__ import annotations

import numpy as np

VELOCITY_FRAMES = 4  # the velocity at the end is that of the last 0.2 s: less noise than one step


def stand_still(observed: np.ndarray, frames: int) -> np.ndarray:
    """Repeat the last frame of (T, J, 3) [m]; (frames, J, 3)."""
    return np.repeat(observed[-1:], frames, axis=0)


def glide(observed: np.ndarray, frames: int) -> np.ndarray:
    """Hold the last pose of (T, J, 3) [m] and move it on with the root's velocity on the floor."""
    velocity = _velocity(observed)[:1] * [1, 0, 1]
    return stand_still(observed, frames) + _steps(frames) * velocity


def extrapolate(observed: np.ndarray, frames: int) -> np.ndarray:
    """Move every joint of (T, J, 3) [m] on with its own velocity; bones change their length."""
    return stand_still(observed, frames) + _steps(frames) * _velocity(observed)


def interpolate(start: np.ndarray, end: np.ndarray, frames: int) -> np.ndarray:
    """Go in a straight line from the last frame of ``start`` to the first of ``end``."""
    share = _steps(frames) / (frames + 1)
    return (1 - share) * start[-1:] + share * end[:1]


def _steps(frames: int) -> np.ndarray:
    return np.arange(1, frames + 1)[:, None, None]


def _velocity(observed: np.ndarray) -> np.ndarray:
    """Velocities (J, 3) at the end [m per frame]."""
    span = min(VELOCITY_FRAMES, len(observed) - 1)
    return (observed[-1] - observed[-1 - span]) / span if span else np.zeros_like(observed[-1])
