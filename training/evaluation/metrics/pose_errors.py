# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MPJPE, PA-MPJPE and ACCL: how far rebuilt poses are from the true ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mgpt3_ros.training.evaluation.metrics.checks import Array, MetricError
from mgpt3_ros.training.evaluation.metrics.joints import Joints, motion_pairs

MILLIMETRES = 1000.0
ROOT = 0


@dataclass(frozen=True)
class PoseErrors:
    """Means over all frames of all motions.

    mpjpe_mm: distance of a joint from its true place, both seen from the root [mm].
    pa_mpjpe_mm: the same after the best turn, shift and scale of each pose [mm].
    accl_mm: distance of a joint's second difference in time from the true one, in the world
        [mm per frame squared]; times 0.4 it is m/s^2 at 20 frames per second.
    """

    mpjpe_mm: float
    pa_mpjpe_mm: float
    accl_mm: float


def pose_errors(
    made: Joints,
    real: Joints,
    lengths: Sequence[int] | None = None,
    reference: bool = False,
) -> PoseErrors:
    """Compare made motions with real ones, frame by frame.

    Args:
        made: (B, T, J, 3) [m], or B arrays (T_b, J, 3).
        real: the same shapes.
        lengths: frames of each motion that count; None: all.
        reference: as the authors' code does it: sums run over padding too and are divided by the
            number of true frames, so that PA-MPJPE is NaN where padding is zero.

    Raises:
        MetricError: shapes that do not fit, NaN, motions of fewer than 3 frames, or a pose whose
            joints all lie in one point (not in reference mode).
    """
    pairs, counted = motion_pairs(made, real, lengths, 1 if reference else 3, reference)
    if not reference:
        flat = sum(int((np.ptp(pair[0], axis=1).max(axis=-1) == 0).sum()) for pair in pairs)
        if flat:
            raise MetricError(f'{flat} made poses have all joints in one point: nothing to align')
    frames = sum(counted)
    if frames <= 2 * len(pairs):
        raise MetricError('ACCL needs motions of 3 frames at least')
    mpjpe = sum(float(frame_mpjpe(a, b).sum()) for a, b in pairs) / frames
    aligned = sum(float(frame_pa_mpjpe(a, b).sum()) for a, b in pairs) / frames
    accl = sum(float(frame_accl(a, b).sum()) for a, b in pairs) / (frames - 2 * len(pairs))
    return PoseErrors(MILLIMETRES * mpjpe, MILLIMETRES * aligned, MILLIMETRES * accl)


def frame_mpjpe(made: Array, real: Array) -> Array:
    """Return (T,) [m]: mean distance of joints (T, J, 3) [m] seen from the root."""
    error = (made - made[:, ROOT : ROOT + 1]) - (real - real[:, ROOT : ROOT + 1])
    return np.linalg.norm(error, axis=-1).mean(axis=-1)


def frame_pa_mpjpe(made: Array, real: Array) -> Array:
    """Return (T,) [m]: mean distance after each made pose is fitted to its real one."""
    return np.linalg.norm(procrustes(made, real) - real, axis=-1).mean(axis=-1)


def frame_accl(made: Array, real: Array) -> Array:
    """Return (T - 2,) [m]: mean distance of second differences."""
    error = np.diff(made, n=2, axis=0) - np.diff(real, n=2, axis=0)
    return np.linalg.norm(error, axis=-1).mean(axis=-1)


def procrustes(made: Array, real: Array) -> Array:
    """Turn, shift and scale each made pose so that it lies best on its real one (Umeyama 1991).

    Args:
        made: (T, J, 3).
        real: (T, J, 3).

    Returns:
        (T, J, 3); NaN where all made joints lie in one point, and so have no scale.
    """
    middle, true_middle = made.mean(axis=1, keepdims=True), real.mean(axis=1, keepdims=True)
    centred, true_centred = made - middle, real - true_middle
    left, sizes, right = np.linalg.svd(np.swapaxes(centred, 1, 2) @ true_centred)
    sign = np.ones_like(sizes)
    sign[:, -1] = np.sign(np.linalg.det(left @ right))  # turns, never mirrors
    with np.errstate(invalid='ignore', divide='ignore'):
        scale = (sizes * sign).sum(axis=1) / (centred**2).sum(axis=(1, 2))
    turned = centred @ ((left * sign[:, None]) @ right)
    return scale[:, None, None] * turned + true_middle
