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


def motion_pairs(
    made: Joints,
    real: Joints,
    lengths: Sequence[int] | None = None,
    least: int = 1,
    reference: bool = False,
) -> tuple[list[tuple[Array, Array]], list[int]]:
    """Return each made motion beside its real one, and how many of their frames count.

    Args:
        made: (B, T, J, 3) [m], or B arrays (T_b, J, 3).
        real: the same shapes.
        lengths: frames of each motion that count; None: all.
        least: fewest frames of a motion.
        reference: with its padding, as the authors' metrics read it; else without.

    Raises:
        MetricError: shapes or lengths that do not fit, or NaN; what lies behind a length is read
            in reference mode alone.
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
        read = slice(None if reference else length)
        pairs.append(
            (
                numbers(a[read], f'made joints of motion {number}', ('T', 'J', 3)),
                numbers(b[read], f'real joints of motion {number}', ('T', 'J', 3)),
            )
        )
    return pairs, counted


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
