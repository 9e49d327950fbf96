# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""At which place a right answer comes when candidates are sorted by how near they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mgpt3_ros.training.evaluation.metrics.checks import Array, MetricError, numbers, same_shape
from mgpt3_ros.training.evaluation.metrics.retrieval import GROUP, distances


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
    first = numbers(queries, 'embeddings of queries', ('N', 'D'))
    second = numbers(candidates, 'embeddings of candidates', ('N', 'D'))
    same_shape(first, second, 'embeddings of queries and candidates')
    answers = np.eye(len(first), dtype=bool) if right is None else np.asarray(right, dtype=bool)
    if answers.shape != (len(first), len(first)):
        raise MetricError(f'right answers of shape {answers.shape} for {len(first)} queries')
    if not answers.any(axis=1).all():
        raise MetricError(f'{int((~answers.any(axis=1)).sum())} queries have no right answer')
    return _places(distances(first, second), answers)


def _places(distance: Array, right: np.ndarray) -> np.ndarray:
    nearest = np.where(right, distance, np.inf).min(axis=1, keepdims=True)
    return 1 + ((distance <= nearest) & ~right).sum(axis=1)


def ranks_in_groups(
    queries: ArrayLike,
    candidates: ArrayLike,
    right: ArrayLike | None,
    rng: np.random.Generator,
    group: int = GROUP,
) -> tuple[np.ndarray, np.ndarray]:
    """Places within random groups; the pairs of a last, incomplete group are left out.

    Returns:
        Places (M,) and the queries (M,) that have them, group after group; M is a multiple of
        ``group``.

    Raises:
        MetricError: as :func:`ranks`, or fewer pairs than one group.
    """
    first, second = np.asarray(queries), np.asarray(candidates)
    if len(first) < group:
        raise MetricError(
            f'{len(first)} pairs do not fill one group of {group}; take more, or smaller groups '
            'and say so beside the figure'
        )
    answers = np.eye(len(first), dtype=bool) if right is None else np.asarray(right)
    order = rng.permutation(len(first))[: len(first) // group * group]
    parts = order.reshape(-1, group)
    found = [ranks(first[part], second[part], answers[np.ix_(part, part)]) for part in parts]
    return np.concatenate(found), order
