# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""At which place a right answer comes when candidates are sorted by how near they are."""

from __future__ import annotations

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
    right: ArrayLike | None = None,
    top: int = 3,
    group: int = GROUP,
    rng: np.random.Generator | None = None,
) -> Retrieval:
    """R-precision and MM-Dist: look for each text's motion within groups; see :func:`ranks`.

    Args:
        text: (B, D) embeddings of the texts.
        motion: (B, D) embeddings of the motions, in the same order.
        right: (B, B) bool, whether text i describes motion j; None: only its own, as in the
            field's protocol.
        top: largest k.
        group: pairs per group.
        rng: shuffles the pairs before they are grouped; None keeps their order.

    Raises:
        MetricError: shapes that do not fit, NaN, or fewer pairs than one group.
    """
    if not 1 <= top <= group:
        raise MetricError(f'top must be 1 to {group} (the size of a group), got {top}')
    places, order = ranks_in_groups(text, motion, right, rng, group)
    apart = np.linalg.norm(np.asarray(text)[order] - np.asarray(motion)[order], axis=1)
    shares = tuple(float((places <= k).mean()) for k in range(1, top + 1))
    return Retrieval(shares, float(apart.mean()), len(order))


def ranks(queries: ArrayLike, candidates: ArrayLike, right: ArrayLike | None = None) -> np.ndarray:
    """Place of the first right candidate of each query, by Euclidean distance; 1 is the first.

    Candidates that are as near as the right one come before it, so that an encoder that maps
    everything to one point finds nothing.

    Args:
        queries: (N, D) embeddings.
        candidates: (N, D), in the same order.
        right: (N, N) bool, which candidate j answers query i; None: its own, j = i.

    Raises:
        MetricError: shapes that do not fit, NaN, or a query without a right answer.
    """
    first, second, answers = _checked(queries, candidates, right)
    if not answers.any(axis=1).all():
        raise MetricError(f'{int((~answers.any(axis=1)).sum())} queries have no right answer')
    distance = cdist(first, second)
    nearest = np.where(answers, distance, np.inf).min(axis=1, keepdims=True)
    return 1 + ((distance <= nearest) & ~answers).sum(axis=1)


def ranks_in_groups(
    queries: ArrayLike,
    candidates: ArrayLike,
    right: ArrayLike | None,
    rng: np.random.Generator | None,
    group: int = GROUP,
) -> tuple[np.ndarray, np.ndarray]:
    """Places within groups, random ones or (``rng`` None) in the order of the pairs.

    Returns:
        Places (M,) and the queries (M,) that have them, group after group; M is a multiple of
        ``group``: the pairs of a last, incomplete group are left out.

    Raises:
        MetricError: as :func:`ranks`, or fewer pairs than one group.
    """
    first, second, answers = _checked(queries, candidates, right)
    if len(first) < group:
        raise MetricError(
            f'{len(first)} pairs do not fill one group of {group}; take more, or smaller groups '
            'and say so beside the figure'
        )
    order = np.arange(len(first)) if rng is None else rng.permutation(len(first))
    order = order[: len(first) // group * group]
    parts = order.reshape(-1, group)
    found = [ranks(first[part], second[part], answers[np.ix_(part, part)]) for part in parts]
    return np.concatenate(found), order


def _checked(
    queries: ArrayLike, candidates: ArrayLike, right: ArrayLike | None
) -> tuple[Array, Array, np.ndarray]:
    first = numbers(queries, 'embeddings of queries', ('N', 'D'))
    second = numbers(candidates, 'embeddings of candidates', ('N', 'D'))
    same_shape(first, second, 'embeddings of queries and candidates')
    answers = np.eye(len(first), dtype=bool) if right is None else np.asarray(right, dtype=bool)
    if answers.shape != (len(first), len(first)):
        raise MetricError(f'right answers of shape {answers.shape} for {len(first)} queries')
    return first, second, answers
