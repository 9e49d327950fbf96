# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""BLEU-1 to BLEU-4 of a whole set of captions (Papineni et al. 2002), without smoothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from mgpt3_ros.training.evaluation.metrics.words import Words, check_texts, ngrams, words


def bleu(
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    orders: int = 4,
    reference: bool = False,
) -> tuple[float, ...]:
    """Return BLEU-1 to BLEU-``orders``, each 0 to 1.

    Args:
        predictions: B captions.
        references: for each, what it may say.
        orders: longest run of words.
        reference: the brevity penalty compares with the shortest reference, as the authors'
            library does, instead of with the one nearest in length, which is BLEU's definition.

    Raises:
        MetricError: texts that cannot be compared.
    """
    check_texts(predictions, references)
    made = [words(text) for text in predictions]
    real = [[words(text) for text in group] for group in references]
    length = sum(len(text) for text in made)
    wanted = sum(
        min(len(r) for r in group) if reference else _nearest_length(len(text), group)
        for text, group in zip(made, real, strict=True)
    )
    if not length:
        return (0.0,) * orders
    penalty = 1.0 if length > wanted else math.exp(1 - wanted / length)
    shares = [_precision(made, real, size) for size in range(1, orders + 1)]
    scores = []
    for size in range(1, orders + 1):
        part = shares[:size]
        mean = math.exp(sum(math.log(share) for share in part) / size) if all(part) else 0.0
        scores.append(penalty * mean)
    return tuple(scores)


def _nearest_length(length: int, group: Sequence[Words]) -> int:
    """Length of the reference nearest to ``length``; of two, the shorter."""
    return min((abs(len(text) - length), len(text)) for text in group)[1]


def _precision(made: Sequence[Words], real: Sequence[Sequence[Words]], size: int) -> float:
    """Share of the runs of ``size`` words that a reference has as well, each as often as there."""
    right = total = 0
    for text, group in zip(made, real, strict=True):
        have = ngrams(text, size)
        allowed: Counter[Words] = Counter()
        for other in group:
            allowed |= ngrams(other, size)
        right += (have & allowed).total()
        total += have.total()
    return right / total if total else 0.0
