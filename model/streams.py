# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measured streams at even times: what comes with any rate and jitter is sampled at a steady one.

Between two samples angles and positions go straight, orientations by the shortest turn; beyond
the first and the last sample they hold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

from mgpt3_ros.model.skeleton import FPS

Array = NDArray[np.float64]


def even_times(start_s: float, duration_s: float, fps: float = FPS) -> Array:
    """Times (T,) [s] of the frames of ``duration_s`` from ``start_s`` on; T is 1 at least."""
    frames = max(int(duration_s * fps + 1e-6), 1)
    return start_s + np.arange(frames) / fps


def sample_linear(times: Array, values: Array, at: Array) -> Array:
    """Values (N, D) at times ``at`` (N,) of samples (T, D) at increasing ``times`` (T,), T >= 1."""
    if len(times) == 1:
        return np.repeat(values, len(at), axis=0)
    inside = np.clip(at, times[0], times[-1])
    before = np.clip(np.searchsorted(times, inside, side='right') - 1, 0, len(times) - 2)
    share = ((inside - times[before]) / (times[before + 1] - times[before]))[:, None]
    return (1 - share) * values[before] + share * values[before + 1]


def sample_angles(times: Array, angles: Array, at: Array) -> Array:
    """As :func:`sample_linear`, of angles [rad], which may have jumped by whole turns."""
    return sample_linear(times, np.unwrap(angles, axis=0), at)


def sample_rotations(times: Array, quaternions: Array, at: Array) -> Array:
    """Orientations (N, 4) xyzw at ``at`` (N,) of (T, 4) at increasing ``times`` (T,), T >= 1."""
    if len(times) == 1:
        return np.repeat(quaternions, len(at), axis=0)
    turns = Slerp(times, Rotation.from_quat(quaternions))
    return turns(np.clip(at, times[0], times[-1])).as_quat()
