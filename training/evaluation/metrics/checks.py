# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every metric asks of its input, and what it says when that is not so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mgpt3_ros.model.errors import MotionGPT3Error

Array = NDArray[np.float64]


class MetricError(MotionGPT3Error, ValueError):
    """A metric's input is unusable: its shape, values that are not finite, too few samples."""


def numbers(
    values: ArrayLike | Sequence[ArrayLike], name: str, shape: Sequence[int | str], least: int = 1
) -> Array:
    """Return ``values`` as float64 if they are finite and have the right shape.

    Args:
        values: an array or what becomes one.
        name: what the message calls it.
        shape: length of each axis; a letter stands for any length.
        least: fewest entries along the first axis.

    Raises:
        MetricError: another shape, fewer entries, or values that are not finite (counted).
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise MetricError(f'{name} must be an array of numbers: {error}') from error
    fits = array.ndim == len(shape) and all(
        isinstance(want, str) or want == have
        for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = ', '.join(str(length) for length in shape)
        raise MetricError(f'{name} must be ({wanted}), got {array.shape}')
    if len(array) < least:
        raise MetricError(f'{name}: {len(array)} samples are too few, {least} are needed')
    bad = ~np.isfinite(array).reshape(len(array), -1).all(axis=1)
    if bad.any():
        raise MetricError(
            f'{name}: {int(bad.sum())} of {len(array)} samples hold NaN or infinity (first: '
            f'number {int(np.argmax(bad))}); find out why, or leave them out and say so'
        )
    return array


def same_shape(first: NDArray, second: NDArray, names: str) -> None:
    """Refuse two arrays of different shapes.

    Raises:
        MetricError: they differ.
    """
    if first.shape != second.shape:
        raise MetricError(f'{names} must have the same shape, got {first.shape}, {second.shape}')
