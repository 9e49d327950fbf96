# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""BERTScore, where its library and a language model are at hand; nothing else here needs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mgpt3_ros.training.evaluation.metrics.checks import MetricError
from mgpt3_ros.training.evaluation.metrics.words import check_texts

Scorer = Callable[[Sequence[str], Sequence[Sequence[str]]], Sequence[float]]


def bert_score(
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    scorer: Scorer | None = None,
) -> list[float]:
    """Return each caption's BERTScore F1.

    Args:
        predictions: B captions.
        references: for each, what it may say.
        scorer: gives B figures; None: the package bert_score, English, idf and rescaled as in the
            authors' evaluation, which fetches its language model.

    Raises:
        MetricError: texts that cannot be compared, no package, or figures that are not finite.
    """
    check_texts(predictions, references)
    found = np.asarray((scorer or _package)(predictions, references), dtype=np.float64)
    if found.shape != (len(predictions),) or not np.isfinite(found).all():
        raise MetricError(
            f'the scorer must give {len(predictions)} finite figures, got shape {found.shape}, '
            f'{int((~np.isfinite(found)).sum())} of them not finite'
        )
    return [float(value) for value in found]


def _package(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> Sequence[float]:
    try:
        import bert_score as package  # type: ignore[import-not-found]
    except ImportError as error:
        raise MetricError(
            'BERTScore needs the package bert_score (pip install bert-score), or pass a scorer'
        ) from error
    _, _, f1 = package.score(
        list(predictions),
        [list(group) for group in references],
        lang='en',
        rescale_with_baseline=True,
        idf=True,
    )
    return f1.tolist()
