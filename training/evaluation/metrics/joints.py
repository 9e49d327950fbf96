# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Batches of joints, padded or not, that metrics of poses take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mgpt3_ros.training.evaluation.metrics.checks import (
    Array,
    MetricError,
    numbers,
    refuse_non_finite,
    same_shape,
)

Joints = NDArray | Sequence[ArrayLike]


def true_frames(
    made: Joints, real: Joints, lengths: Sequence[int] | None = None, least: int = 1
) -> list[tuple[Array, Array]]:
    """Return each pair of motions without its padding.

    Args:
        made: (B, T, J, 3) [m], or B arrays (T_b, J, 3).
        real: the same shapes.
        lengths: frames of each motion that count; None: all.
        least: fewest frames of a motion.

    Raises:
        MetricError: shapes or lengths that do not fit, or NaN within a length; what lies behind
            it is never read.
    """
    first, second = [np.asarray(m) for m in made], [np.asarray(m) for m in real]
    if len(first) != len(second):
        raise MetricError(f'{len(first)} made motions, but {len(second)} real ones')
    if not first:
        raise MetricError('there are no motions to compare')
    counted = [len(m) for m in first] if lengths is None else [int(n) for n in lengths]
    if len(counted) != len(first):
        raise MetricError(f'{len(counted)} lengths for {len(first)} motions')
    pairs = []
    for number, (a, b, length) in enumerate(zip(first, second, counted, strict=True)):
        same_shape(a, b, f'made and real joints of motion {number}')
        if not least <= length <= len(a):
            raise MetricError(
                f'motion {number} has {length} frames of {len(a)}: {least} at least are needed, '
                'and no more than the array holds'
            )
        pairs.append(
            (
                numbers(a[:length], f'made joints of motion {number}', ('T', 'J', 3)),
                numbers(b[:length], f'real joints of motion {number}', ('T', 'J', 3)),
            )
        )
    return pairs


def padded_batch(
    made: Joints, real: Joints, lengths: Sequence[int] | None
) -> tuple[Array, Array, list[int]]:
    """Return a batch with all its padding, as the authors' metrics read it.

    Raises:
        MetricError: no arrays (B, T, J, 3) of the same shape, lengths that do not fit, or NaN.
    """
    first = numbers(made, 'made joints', ('B', 'T', 'J', 3))
    second = numbers(real, 'real joints', ('B', 'T', 'J', 3))
    same_shape(first, second, 'made and real joints')
    counted = [first.shape[1]] * len(first) if lengths is None else [int(n) for n in lengths]
    if len(counted) != len(first) or not all(0 < n <= first.shape[1] for n in counted):
        raise MetricError(f'lengths {counted} do not fit joints of shape {first.shape}')
    return first, second, counted


def pad(motions: Sequence[ArrayLike]) -> tuple[Array, list[int]]:
    """Return (B, T, J, 3), zeros after each motion's frames, and the lengths.

    Raises:
        MetricError: no motions, or shapes that do not fit.
    """
    arrays = [numbers(motion, 'joints', ('T', 'J', 3)) for motion in motions]
    if not arrays or len({array.shape[1] for array in arrays}) != 1:
        raise MetricError('padding takes motions (T, J, 3) with the same number of joints')
    lengths = [len(array) for array in arrays]
    batch = np.zeros((len(arrays), max(lengths), *arrays[0].shape[1:]))
    for row, array in zip(batch, arrays, strict=True):
        row[: len(array)] = array
    refuse_non_finite(batch, 'joints')
    return batch, lengths
