# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROUGE-L: the longest common subsequence of words (Lin 2004)."""

from __future__ import annotations

from collections.abc import Sequence

from mgpt3_ros.training.evaluation.metrics.words import Words, check_texts, words


def rouge_l(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> list[float]:
    """Return each caption's ROUGE-L F1, 0 to 1, against its best reference, words not stemmed.

    The authors' library reports a random bootstrap value near the mean of these; the mean itself
    is exact, and there is no reference mode.

    Raises:
        MetricError: texts that cannot be compared.
    """
    check_texts(predictions, references)
    return [
        max(_f1(words(text), words(other)) for other in group)
        for text, group in zip(predictions, references, strict=True)
    ]


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
