# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Retrieval between texts and motions: TMR's four protocols, and one figure for a model card."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.evaluation.evaluators import Evaluator
from mgpt3_ros.training.evaluation.measures import generate_all
from mgpt3_ros.training.evaluation.metrics.retrieval import GROUP, ranks, ranks_in_groups
from mgpt3_ros.training.evaluation.same_meaning import describes

RECALLS = (1, 2, 3, 5, 10)
THRESHOLD = 0.95  # captions more alike than this are right answers of protocol (b), as in TMR
DISSIMILAR = 100  # pairs of protocol (c), as in TMR
GROUPINGS = 50  # random groups of the card's figure: more change it by less than a thousandth
RESAMPLES = 2000


@dataclass(frozen=True)
class RetrievalShare:
    """How often a text finds its motion, among real ones and among generated ones.

    real, generated: R@3 in groups of 32, 0 to 1; captions that say the same are right.
    low, high: 95 % interval of the ratio, a bootstrap over the clips.
    """

    real: float
    generated: float
    low: float
    high: float
    clips: int
    seeds: int

    @property
    def ratio(self) -> float:
        """Generated over real."""
        return self.generated / self.real if self.real else math.nan


def generated_over_real(
    evaluator: Evaluator,
    model: MotionGPT3,
    clips: Sequence[Clip],
    seeds: int = 3,
    made: Sequence[Sequence[np.ndarray]] | None = None,
) -> RetrievalShare:
    """Measure R@3 of motions generated from the clips' first captions, and of the clips.

    Args:
        evaluator: such as a :class:`~mgpt3_ros.training.evaluation.tmr.TextMotionEncoder`.
        model: draws the motions with its default settings and predicted durations.
        clips: 32 at least, which neither model nor evaluator was trained on.
        seeds: motions per clip.
        made: the motions, for each seed one of each clip in their order, where they are drawn
            already; None draws them.

    Raises:
        MetricError: fewer than 32 clips.
    """
    texts = [clip.captions[0] for clip in clips]
    right = describes(texts, clips)
    queries = evaluator.embed_texts(texts)
    real = _hits(queries, evaluator.embed_motions([clip.joints for clip in clips]), right)
    if made is None:
        made = [generate_all(model, texts, 1000 * seed) for seed in range(seeds)]
    hits = [_hits(queries, evaluator.embed_motions(motions), right) for motions in made]
    generated = np.mean(hits, axis=0)
    drawn = np.random.default_rng(0).integers(len(clips), size=(RESAMPLES, len(clips)))
    with np.errstate(invalid='ignore', divide='ignore'):
        low, high = np.percentile(
            generated[drawn].mean(axis=1) / real[drawn].mean(axis=1), [2.5, 97.5]
        )
    return RetrievalShare(
        float(real.mean()), float(generated.mean()), float(low), float(high), len(clips), len(made)
    )


def _hits(queries: np.ndarray, candidates: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Share (N,) of random groups in which each query finds a right answer among the first 3."""
    hits, seen = np.zeros(len(queries)), np.zeros(len(queries))
    rng = np.random.default_rng(0)
    for _ in range(GROUPINGS):
        places, order = ranks_in_groups(queries, candidates, right, rng)
        hits[order] += places <= 3
        seen[order] += 1
    return hits / np.maximum(seen, 1)


def tmr_protocols(
    texts: np.ndarray,
    motions: np.ndarray,
    right: np.ndarray | None,
    similarity: np.ndarray,
    rng: np.random.Generator,
    group: int = GROUP,
) -> dict[str, float]:
    """The four protocols of TMR (Petrovich et al. 2023), which the paper's Tab. 9 has.

    (a) all pairs; (b) all pairs, captions that are alike counting as right; (c) the 100 pairs
    whose captions are least alike; (d) random groups of 32, their mean.

    Args:
        texts: (N, D) embeddings.
        motions: (N, D), in the same order.
        right: (N, N) bool, whether text i describes motion j; None: only its own.
        similarity: (N, N) how alike the captions are, 0 to 1.
        rng: draws the groups.
        group: pairs per group.

    Returns:
        Recall at 1, 2, 3, 5 and 10 [%] and the median rank, of texts that look for motions and of
        motions that look for texts, by protocol.

    Raises:
        MetricError: shapes that do not fit, NaN, or fewer pairs than one group.
    """
    own = np.eye(len(texts), dtype=bool)
    same = own if right is None else right
    alike = same | (similarity > THRESHOLD)
    few = dissimilar(similarity, DISSIMILAR)
    found: dict[str, float] = {}
    for way, queries, candidates, turn in (
        ('text to motion', texts, motions, False),
        ('motion to text', motions, texts, True),
    ):
        answers = same.T if turn else same
        places = {
            '(a) all': ranks(queries, candidates, answers),
            '(b) threshold': ranks(queries, candidates, alike.T if turn else alike),
            '(c) dissimilar': ranks(queries[few], candidates[few], answers[np.ix_(few, few)]),
        }
        for name, place in places.items():
            found |= _recalls(f'{name}, {way}', place[None])
        small, _ = ranks_in_groups(queries, candidates, answers, rng, group)
        found |= _recalls(f'(d) groups of {group}, {way}', small.reshape(-1, group))
    return dict(sorted(found.items(), key=lambda item: item[0][:3]))


def _recalls(name: str, places: np.ndarray) -> dict[str, float]:
    """Figures of places (G, N) in G groups; the median rank is the mean of the groups' medians."""
    found = {f'{name}, R@{k} [%]': 100 * float((places <= k).mean()) for k in RECALLS}
    return found | {f'{name}, MedR': float(np.median(places, axis=1).mean())}


def dissimilar(similarity: np.ndarray, count: int) -> np.ndarray:
    """Indices of the texts that are least alike, all of them if there are not more than ``count``.

    The two that are least alike first, then one after the other the text whose nearest chosen one
    is least like it.
    """
    if len(similarity) <= count:
        return np.arange(len(similarity))
    chosen = [int(i) for i in np.unravel_index(int(np.argmin(similarity)), similarity.shape)]
    nearest = similarity[chosen].max(axis=0)
    while len(chosen) < count:
        nearest[chosen[-2:]] = np.inf
        chosen.append(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, similarity[chosen[-1]])
    return np.array(sorted(chosen))
