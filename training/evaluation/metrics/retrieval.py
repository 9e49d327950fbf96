# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""R-precision and MM-Dist: does a motion lie nearest to its own text?"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist

from mgpt3_ros.training.evaluation.metrics.checks import Array, MetricError, numbers, same_shape

GROUP = 32  # Guo et al. 2022: each text is looked for among 32 motions


@dataclass(frozen=True)
class Retrieval:
    """Figures of texts and motions in groups.

    r_precision: share of texts whose motion is among the k nearest, k = 1, 2, ...; 0 to 1.
    mm_dist: mean distance of a text and its motion, in units of the embedding.
    count: pairs that were used; those of a last, incomplete group are not.
    """

    r_precision: tuple[float, ...]
    mm_dist: float
    count: int


def retrieval(
    text: ArrayLike,
    motion: ArrayLike,
    labels: Sequence[Hashable] | None = None,
    top: int = 3,
    group: int = GROUP,
    rng: np.random.Generator | np.random.RandomState | None = None,
) -> Retrieval:
    """Look for each text's motion within groups, by Euclidean distance.

    Args:
        text: (B, D) embeddings of the texts.
        motion: (B, D) embeddings of the motions, in the same order.
        labels: what each text says; a motion whose text says the same is right as well. None:
            only the text's own motion is, as in the field's protocol.
        top: largest k.
        group: pairs per group.
        rng: shuffles the pairs before they are grouped; None keeps their order.

    Raises:
        MetricError: shapes that do not fit, NaN, or fewer pairs than one group.
    """
    texts = numbers(text, 'text embeddings', ('B', 'D'))
    motions = numbers(motion, 'motion embeddings', ('B', 'D'))
    same_shape(texts, motions, 'text and motion embeddings')
    if not 1 <= top <= group:
        raise MetricError(f'top must be 1 to {group} (the size of a group), got {top}')
    if len(texts) < group:
        raise MetricError(
            f'{len(texts)} pairs do not fill one group of {group}; take more, or smaller groups '
            'and say so beside the figure'
        )
    if labels is not None and len(labels) != len(texts):
        raise MetricError(f'{len(labels)} labels for {len(texts)} texts')
    order = np.arange(len(texts)) if rng is None else rng.permutation(len(texts))
    used = len(texts) // group * group
    hits = np.zeros(top)
    matching = 0.0
    for begin in range(0, used, group):
        part = order[begin : begin + group]
        distance = distances(texts[part], motions[part])
        right = np.eye(group, dtype=bool)
        if labels is not None:
            right |= np.array([[labels[i] == labels[j] for j in part] for i in part])
        nearest = np.argsort(distance, axis=1, kind='stable')[:, :top]
        found = np.take_along_axis(right, nearest, axis=1)
        hits += np.logical_or.accumulate(found, axis=1).sum(axis=0)
        matching += float(np.trace(distance))
    return Retrieval(tuple(float(hit) for hit in hits / used), matching / used, used)


def distances(first: Array, second: Array) -> Array:
    """Euclidean distances (A, B) of (A, D) from (B, D)."""
    return cdist(first, second)
