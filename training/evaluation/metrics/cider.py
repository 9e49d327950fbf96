# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CIDEr-D: agreement of runs of words, rare ones counting more (Vedantam et al. 2015)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from mgpt3_ros.training.evaluation.metrics.checks import MetricError
from mgpt3_ros.training.evaluation.metrics.words import Words, check_texts, ngrams, words

ORDERS = 4
SIGMA = 6.0  # words: how fast a difference in length lowers the score
SCALE = 10.0

Vector = dict[Words, float]


def cider(
    predictions: Sequence[str], references: Sequence[Sequence[str]], reference: bool = False
) -> list[float]:
    """Return each caption's CIDEr-D, 0 to 10; its mean is the set's.

    How rare a run is, is counted over the references of this set: figures of different sets
    cannot be compared.

    Args:
        predictions: B captions.
        references: for each, what it may say.
        reference: as the authors' library does it: words are what white space separates ("stops."
            is not "stops", "A" not "a"), and the lengths compared are counts of word pairs.

    Raises:
        MetricError: texts that cannot be compared, or a single one: nothing is rare then.
    """
    check_texts(predictions, references)
    if len(predictions) < 2:
        raise MetricError('CIDEr needs 2 captions at least, to tell rare words from common ones')
    split = _raw if reference else words
    made = [split(text) for text in predictions]
    real = [[split(text) for text in group] for group in references]
    in_texts: Counter[Words] = Counter()
    for group in real:
        sizes = range(1, ORDERS + 1)
        in_texts.update({run for text in group for n in sizes for run in ngrams(text, n)})
    weight = _Weights(in_texts, len(real))
    shorter = 1 if reference else 0  # a text of n words has n - 1 pairs
    return [
        SCALE * sum(weight.agreement(text, other, shorter) for other in group) / len(group)
        for text, group in zip(made, real, strict=True)
    ]


def _raw(text: str) -> Words:
    return tuple(text.split())


class _Weights:
    """How much a run counts: its number times the logarithm of how rare it is."""

    def __init__(self, in_texts: Counter[Words], texts: int) -> None:
        self._in_texts = in_texts
        self._log_texts = math.log(texts)

    def _vector(self, text: Words, size: int) -> Vector:
        return {
            run: count * (self._log_texts - math.log(max(1, self._in_texts[run])))
            for run, count in ngrams(text, size).items()
        }

    def agreement(self, made: Words, real: Words, shorter: int) -> float:
        """Mean over the sizes of runs of the clipped cosine, lowered for another length."""
        lengths = [max(0, len(text) - shorter) for text in (made, real)]
        total = 0.0
        for size in range(1, ORDERS + 1):
            a, b = self._vector(made, size), self._vector(real, size)
            norms = math.hypot(*a.values()) * math.hypot(*b.values())
            if norms:
                shared = a.keys() & b.keys()
                total += math.fsum(min(a[run], b[run]) * b[run] for run in shared) / norms
        return total / ORDERS * math.exp(-((lengths[0] - lengths[1]) ** 2) / (2 * SIGMA**2))
