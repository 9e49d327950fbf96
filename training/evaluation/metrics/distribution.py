# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""FID, Diversity and MultiModality: how embeddings of motions are spread."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import pdist

from mgpt3_ros.training.evaluation.metrics.checks import Array, MetricError, numbers

Indices = NDArray[np.int64]
Random = np.random.Generator | np.random.RandomState
PAIRS = 300  # Diversity, Guo et al. 2022
REPEAT_PAIRS = 10  # MultiModality


def fid(made: ArrayLike, real: ArrayLike, allow_few: bool = False) -> float:
    """Frechet distance of two sets of embeddings, each taken as a Gaussian.

    Args:
        made: (A, D).
        real: (B, D).
        allow_few: take also sets that do not span the D dimensions. The figure is then biased
            upwards, and only comparable with others of as many samples.

    Raises:
        MetricError: shapes that do not fit, NaN, or at most D samples in a set.
    """
    first = numbers(made, 'embeddings of made motions', ('A', 'D'), least=2)
    second = numbers(real, 'embeddings of real motions', ('B', 'D'), least=2)
    width = first.shape[1]
    if second.shape[1] != width:
        raise MetricError(f'embeddings of {width} and of {second.shape[1]} numbers')
    fewest = min(len(first), len(second))
    if fewest <= width and not allow_few:
        raise MetricError(
            f'{fewest} samples are too few for an FID of {width} dimensions: more than {width} '
            'are needed (allow_few=True computes it all the same)'
        )
    mean = first.mean(axis=0) - second.mean(axis=0)
    covariances = [np.atleast_2d(np.cov(part, rowvar=False)) for part in (first, second)]
    return float(
        mean @ mean
        + sum(np.trace(covariance) for covariance in covariances)
        - 2 * _trace_of_root(*covariances)
    )


def _trace_of_root(first: Array, second: Array) -> float:
    """Trace of (first second)^(1/2), of symmetric matrices without negative eigenvalues.

    The product has the eigenvalues of first^(1/2) second first^(1/2), which is symmetric: no
    complex numbers arise, also where a matrix is singular.
    """
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    return float(np.sqrt(np.clip(np.linalg.eigvalsh(root @ second @ root), 0, None)).sum())


def diversity(
    embeddings: ArrayLike, pairs: int | None = PAIRS, rng: Random | None = None
) -> float:
    """Mean distance of two motions.

    Args:
        embeddings: (B, D).
        pairs: how many random pairs (two draws of so many without replacement, in which a motion
            may meet itself, as in the field's protocol). None: all pairs of different motions,
            without any chance.
        rng: draws the pairs; needed if ``pairs`` is given.

    Raises:
        MetricError: a wrong shape, NaN, fewer motions than pairs, or no rng.
    """
    least = 2 if pairs is None else max(pairs, 2)
    array = numbers(embeddings, 'embeddings for Diversity', ('B', 'D'), least)
    if pairs is None:
        return float(pdist(array).mean())
    first, second = _draw(len(array), pairs, rng)
    return float(np.linalg.norm(array[first] - array[second], axis=1).mean())


def multimodality(
    embeddings: ArrayLike, pairs: int | None = REPEAT_PAIRS, rng: Random | None = None
) -> float:
    """Mean distance of two motions of the same text, averaged over the texts.

    Args:
        embeddings: (B, R, D): R motions of each of B texts.
        pairs: random pairs per text, the same for all texts; None: all pairs.
        rng: draws the pairs; needed if ``pairs`` is given.

    Raises:
        MetricError: a wrong shape, NaN, fewer repeats than pairs, or no rng.
    """
    array = numbers(embeddings, 'embeddings for MultiModality', ('B', 'R', 'D'))
    repeats = array.shape[1]
    least = 2 if pairs is None else max(pairs, 2)
    if repeats < least:
        raise MetricError(f'MultiModality: {repeats} motions per text are too few, not {least}')
    if pairs is None:
        return float(np.mean([pdist(group).mean() for group in array]))
    first, second = _draw(repeats, pairs, rng)
    return float(np.linalg.norm(array[:, first] - array[:, second], axis=2).mean())


def _draw(count: int, pairs: int, rng: Random | None) -> tuple[Indices, Indices]:
    if rng is None:
        raise MetricError('random pairs need an rng, so that the figure can be had again')
    if pairs < 1:
        raise MetricError(f'pairs must be 1 at least, got {pairs}')
    return rng.choice(count, pairs, replace=False), rng.choice(count, pairs, replace=False)
