# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A figure of several replications: mean and 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mgpt3_ros.training.evaluation.metrics.checks import MetricError, numbers


@dataclass(frozen=True)
class Interval:
    """Mean of ``count`` figures, and half of its 95 % interval (NaN of a single one)."""

    mean: float
    half: float
    count: int

    def __str__(self) -> str:
        return (
            f'{self.mean:.4g}' if math.isnan(self.half) else f'{self.mean:.4g} ± {self.half:.2g}'
        )


def replicated(figures: Sequence[float], reference: bool = False) -> Interval:
    """Return the mean of replications and half of its interval, 1.96 s / sqrt(n).

    Args:
        figures: one of each replication.
        reference: s divides by n, as the authors' code has it, not by n - 1.

    Raises:
        MetricError: no figures, or one that is not finite.
    """
    array = numbers(figures, 'figures of replications', ('n',))
    if len(array) == 0:
        raise MetricError('there is no replication')
    if len(array) == 1 and not reference:
        return Interval(float(array[0]), math.nan, 1)
    spread = array.std(ddof=0 if reference else 1)
    return Interval(float(array.mean()), float(1.96 * spread / math.sqrt(len(array))), len(array))
