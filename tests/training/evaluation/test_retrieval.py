# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Retrieval: which captions say the same, places, TMR's four protocols, the card's figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import rankdata

from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.evaluation.metrics import MetricError
from mgpt3_ros.training.evaluation.metrics.retrieval import ranks, ranks_in_groups
from mgpt3_ros.training.evaluation.retrieval import (
    dissimilar,
    generated_over_real,
    tmr_protocols,
)
from mgpt3_ros.training.evaluation.same_meaning import TextSimilarity, caption_key, describes
from tests.support.tiny import swinging_motion, tiny_model
from tests.support.tiny_tmr import tiny_encoder

RNG = np.random.default_rng(5)


def clip(*captions: str, action: str | None = None, style: str | None = None) -> Clip:
    return Clip('c', np.zeros((20, 22, 3), np.float32), captions, 'val', 'x', action, style)


def test_captions_that_say_the_same() -> None:
    assert (
        caption_key('A man walks forward.') == caption_key('walk forward') == ('walk', 'forward')
    )
    assert caption_key('the person waves their left hand') == ('wave', 'left', 'hand')
    assert caption_key('A person.') == ('a', 'person')
    clips = [
        clip('a person walks forward.', 'someone strolls.'),
        clip('the man walks forward.', action='walk', style='old'),
        clip('he paces.', action='walk', style='old'),
        clip('she paces slowly.', action='walk', style='tired'),
        clip('he strolls.'),
    ]
    found = describes([each.captions[0] for each in clips], clips)
    want = np.eye(5, dtype=bool)
    want[0, 1] = want[1, 0] = True  # the same words
    want[1, 2] = want[2, 1] = True  # the same action and style
    want[4, 0] = True  # "strolls" is also said of clip 0, whose text here was another
    np.testing.assert_array_equal(found, want)


def test_how_alike_captions_are() -> None:
    texts = [
        'a person walks forward slowly',
        'the man walks forward slowly.',
        'a person walks backward slowly',
        'someone raises the left arm',
        'someone raises the right arm',
        'someone raises both arms',
    ]
    alike = TextSimilarity(texts)(texts)
    np.testing.assert_allclose(np.diag(alike), 1, rtol=1e-6)
    np.testing.assert_allclose(alike, alike.T)
    assert alike[0, 1] == pytest.approx(1)
    assert alike[0, 2] == alike[3, 4] == 0  # other directions, other sides
    assert alike[0, 3] == 0
    assert 0 < TextSimilarity(texts)(['he walks fast', 'he walks slowly'])[0, 1] < 1


def test_places_by_hand_and_as_scipy_ranks() -> None:
    line = np.array([[0.0], [1.0], [2.1]])
    # From 0: 0, 1, 2.1. From 1.6 (query 1): 1.6, 0.6, 0.5. From 0.4: 0.4, 0.6, 1.7.
    queries = np.array([[0.0], [1.6], [0.4]])
    assert ranks(queries, line).tolist() == [1, 2, 3]
    right = np.eye(3, dtype=bool)
    right[2, 1] = True
    assert ranks(queries, line, right).tolist() == [1, 2, 2]
    a, b = RNG.normal(size=(40, 6)), RNG.normal(size=(40, 6))
    want = np.diag(rankdata(cdist(a, b), axis=1))
    np.testing.assert_array_equal(ranks(a, b), want)
    # Where everything lies in one point, nothing has been found.
    assert ranks(np.ones((5, 2)), np.ones((5, 2))).tolist() == [5] * 5


def test_places_within_groups() -> None:
    a, b = RNG.normal(size=(70, 4)), RNG.normal(size=(70, 4))
    found, order = ranks_in_groups(a, b, None, np.random.default_rng(1))
    assert len(found) == len(set(order)) == 64
    first = order[:32]
    np.testing.assert_array_equal(found[:32], ranks(a[first], b[first]))
    with pytest.raises(MetricError, match='31 pairs do not fill one group of 32'):
        ranks_in_groups(a[:31], b[:31], None, np.random.default_rng(1))
    with pytest.raises(MetricError, match=r'right answers of shape \(3, 3\) for 70'):
        ranks(a, b, np.eye(3))
    with pytest.raises(MetricError, match='70 queries have no right answer'):
        ranks(a, b, np.zeros((70, 70)))


def test_the_dissimilar_subset() -> None:
    # Three near each other, two apart.
    places = np.array([0.0, 0.1, 0.2, 5.0, 9.0])
    alike = np.exp(-np.abs(places[:, None] - places))
    assert dissimilar(alike, 2).tolist() == [0, 4]
    assert dissimilar(alike, 3).tolist() == [0, 3, 4]
    assert dissimilar(alike, 4).tolist() in ([0, 2, 3, 4], [0, 1, 3, 4])
    assert dissimilar(alike, 9).tolist() == [0, 1, 2, 3, 4]


def test_the_four_protocols() -> None:
    count = 64
    texts = RNG.normal(size=(count, 8))
    motions = texts + 0.9 * RNG.normal(size=(count, 8))
    alike = np.eye(count)
    found = tmr_protocols(texts, motions, None, alike, np.random.default_rng(0))
    assert len(found) == 4 * 2 * 6
    way = '(a) all, text to motion'
    assert found[f'{way}, R@3 [%]'] == pytest.approx(100 * (ranks(texts, motions) <= 3).mean())
    assert found[f'{way}, MedR'] == np.median(ranks(texts, motions))
    back = ranks(motions, texts)
    assert found['(a) all, motion to text, R@10 [%]'] == pytest.approx(100 * (back <= 10).mean())
    # Nothing is alike and there are fewer than 100: the same figures.
    for way in ('text to motion', 'motion to text'):
        for figure in ('R@1 [%]', 'R@5 [%]', 'MedR'):
            same = {found[f'{name}, {way}, {figure}'] for name in
                    ('(a) all', '(b) threshold', '(c) dissimilar')}  # fmt: skip
            assert len(same) == 1
    # Fewer candidates: easier.
    small = '(d) groups of 32, text to motion'
    assert found[f'{small}, R@1 [%]'] > found['(a) all, text to motion, R@1 [%]']
    # Alike captions are right in (b) alone; captions that say the same are right everywhere.
    alike[:20, :20] = 1
    loose = tmr_protocols(texts, motions, None, alike, np.random.default_rng(0))
    assert (
        loose['(b) threshold, text to motion, R@1 [%]']
        > found['(b) threshold, text to motion, R@1 [%]']
    )
    assert loose['(a) all, text to motion, R@1 [%]'] == found['(a) all, text to motion, R@1 [%]']
    everything = np.ones((count, count), dtype=bool)
    sure = tmr_protocols(texts, motions, everything, alike, np.random.default_rng(0))
    assert {value for name, value in sure.items() if 'R@' in name} == {100.0}


class Speed:
    """An evaluator by hand: captions say a speed, motions have one."""

    name, width = 'speed', 1

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([[float(text.split()[-1])] for text in texts])

    def embed_motions(self, motions: Sequence[np.ndarray]) -> np.ndarray:
        return np.array([[(m[-1, 0, 2] - m[0, 0, 2]) / (len(m) - 1) * 20] for m in motions])


def test_the_figure_of_the_card() -> None:
    speeds = 0.1 * np.arange(40)
    clips = [
        Clip(f'c{i}', swinging_motion(i, 40, v), (f'walks at {v:.1f}',), 'val', 'x', None)
        for i, v in enumerate(speeds)
    ]
    model = tiny_model()
    real = [each.joints for each in clips]
    perfect = generated_over_real(Speed(), model, clips, made=[real, real])
    assert (perfect.real, perfect.generated, perfect.ratio) == (1, 1, 1)
    assert (perfect.low, perfect.high, perfect.clips, perfect.seeds) == (1, 1, 40, 2)
    # Every motion is that of a clip far away: nothing is found.
    wrong = generated_over_real(Speed(), model, clips, made=[real[20:] + real[:20]])
    assert wrong.ratio == 0
    # Half of them: half is found, more or less by how the groups fall.
    half = generated_over_real(Speed(), model, clips, made=[real[:20] + real[:20]])
    assert 0.4 < half.ratio < 0.65
    assert half.low < half.ratio < half.high
    drawn = generated_over_real(tiny_encoder(), model, clips[:33], seeds=1)
    assert 0 <= drawn.generated <= 1
    assert drawn.seeds == 1
    with pytest.raises(MetricError, match='8 pairs do not fill'):
        generated_over_real(Speed(), model, clips[:8], made=[real[:8]])
