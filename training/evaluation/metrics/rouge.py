# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROUGE-L: the longest common subsequence of words (Lin 2004)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mgpt3_ros.training.evaluation.metrics.checks import numbers
from mgpt3_ros.training.evaluation.metrics.words import Words, check_texts, words

RESAMPLES = 1000


def rouge_l(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> list[float]:
    """Return each caption's ROUGE-L F1, 0 to 1, against its best reference, words not stemmed.

    Their mean is the set's; the authors' library reports :func:`resampled` instead.

    Raises:
        MetricError: texts that cannot be compared.
    """
    check_texts(predictions, references)
    return [
        max(_f1(words(text), words(other)) for other in group)
        for text, group in zip(predictions, references, strict=True)
    ]


def resampled(scores: Sequence[float], rng: np.random.RandomState) -> float:
    """What the authors' library reports of ROUGE-L: near the mean, and another with each seed.

    It is the median of the means of 1,000 bootstrap samples. The library draws as many for ROUGE-1
    and for ROUGE-2 before.

    Args:
        scores: of :func:`rouge_l`.
        rng: as NumPy's own, seeded.

    Raises:
        MetricError: no scores, or one that is not finite.
    """
    values = numbers(scores, 'scores', ('n',))
    drawn = [rng.choice(len(values), len(values)) for _ in range(3 * RESAMPLES)]
    return float(np.median([values[part].mean() for part in drawn[2 * RESAMPLES :]]))


def _f1(made: Words, real: Words) -> float:
    common = _common(made, real)
    return 2 * common / (len(made) + len(real)) if common else 0.0


def _common(first: Words, second: Words) -> int:
    """Length of the longest common subsequence, row by row of the usual table."""
    row = [0] * (len(second) + 1)
    for word in first:
        above = row
        row = [0]
        for k, other in enumerate(second):
            row.append(above[k] + 1 if word == other else max(above[k + 1], row[k]))
    return row[-1]
