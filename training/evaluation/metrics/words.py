# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Texts as words, for the metrics of captions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from mgpt3_ros.training.evaluation.metrics.checks import MetricError

Words = tuple[str, ...]


def words(text: str) -> Words:
    """Return the words in lower case; whatever is neither letter nor digit separates them."""
    return tuple(re.findall(r'[^\W_]+', text.lower()))


def ngrams(tokens: Sequence[str], size: int) -> Counter[Words]:
    """Return how often each run of ``size`` words occurs."""
    return Counter(tuple(tokens[i : i + size]) for i in range(len(tokens) - size + 1))


def check_texts(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    """Refuse texts that cannot be compared.

    Raises:
        MetricError: no texts, another number of references, or a prediction without any.
    """
    if isinstance(predictions, str) or any(isinstance(group, str) for group in references):
        raise MetricError('give a list of predictions, and a list of references for each of them')
    if not predictions:
        raise MetricError('there are no captions to compare')
    if len(predictions) != len(references):
        raise MetricError(f'{len(predictions)} captions, but references for {len(references)}')
    for number, group in enumerate(references):
        if not any(text.strip() for text in group):
            raise MetricError(f'caption {number} has no reference to be compared with')
