# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Metrics as they are by default: values worked by hand, other libraries, and bad input."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.spatial import procrustes as scipy_procrustes
from scipy.spatial.distance import cdist, pdist

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.training.evaluation import metrics
from mgpt3_ros.training.evaluation.metrics.captions import resampled
from mgpt3_ros.training.evaluation.metrics.poses import PARTS, frame_pa_mpjpe, procrustes
from mgpt3_ros.training.evaluation.results import replicated
from tests.support.tiny_bert import save_bert

RNG = np.random.default_rng(3)
PREDICTIONS = ['a man walks slowly forward, slowly', 'the person jumps', 'someone waves', 'a kick']
REFERENCES = [
    ['a man walks slowly forward', 'A person is walking forward slowly.'],
    ['a person jumps up', 'the person jumps on the spot twice'],
    ['someone waves with the left hand', 'a wave'],
    ['a person kicks', 'a kick with the left leg'],
]


def walk(frames: int = 8, seed: int = 0) -> np.ndarray:
    """Joints (T, 22, 3) of a body that moves 5 cm a frame along z, with noise of 1 cm."""
    rng = np.random.default_rng(seed)
    joints = np.cumsum(rng.normal(0, 0.01, (frames, 22, 3)), axis=0)
    joints += np.random.default_rng(1).normal(0, 0.3, (22, 3))
    joints[..., 1] += 1
    joints[:, 1] += [0.1, 0, 0]
    joints[:, 2] -= [0.1, 0, 0]
    joints[..., 2] += 0.05 * np.arange(frames)[:, None]
    return joints


def test_retrieval_by_hand() -> None:
    text = np.array([[0.0], [1.0], [2.0], [10.0]])
    motion = np.array([[0.0], [2.1], [1.2], [10.5]])
    found = metrics.retrieval(text, motion, group=4)
    # text 1 is nearest to motion 2 (0.2, own 1.1), text 2 to motion 1 (0.1, own 0.8)
    assert found.r_precision == (0.5, 0.75, 1.0)
    assert found.mm_dist == pytest.approx((0 + 1.1 + 0.8 + 0.5) / 4)
    same = metrics.retrieval(text, motion, np.eye(4) + np.eye(4)[[0, 2, 1, 3]], group=4)
    assert same.r_precision == (1.0, 1.0, 1.0)
    assert same.mm_dist == found.mm_dist


def test_retrieval_ranks_as_scipy_does_and_leaves_out_the_rest() -> None:
    text = RNG.normal(size=(70, 5))
    motion = text + RNG.normal(size=(70, 5))
    found = metrics.retrieval(text, motion, rng=np.random.default_rng(0))
    order = np.random.default_rng(0).permutation(70)[:64].reshape(2, 32)
    ranks = []
    for part in order:
        distance = cdist(text[part], motion[part])
        ranks += list((distance < np.diag(distance)[:, None]).sum(axis=1))
    assert found.count == 64
    assert found.r_precision == tuple(float(np.mean(np.array(ranks) < k)) for k in (1, 2, 3))


def test_fid_of_gaussians() -> None:
    first, second = RNG.normal(size=(60, 4)), 2 * RNG.normal(size=(50, 4)) + 1
    root = np.trace(sqrtm(np.cov(first.T) @ np.cov(second.T)).real)
    want = ((first.mean(0) - second.mean(0)) ** 2).sum() - 2 * root
    want += np.trace(np.cov(first.T)) + np.trace(np.cov(second.T))
    assert metrics.fid(first, second) == pytest.approx(want, rel=1e-9)
    assert metrics.fid(first, first) == pytest.approx(0, abs=1e-9)
    assert metrics.fid(first, first + np.array([3, 4, 0, 0])) == pytest.approx(25)
    # One dimension by hand: (mean)^2 + (deviation)^2, of {-1, 1} and {1, 5}
    assert metrics.fid([[-1], [1]], [[1], [5]]) == pytest.approx(9 + 2 * (2 - 1) ** 2)


def test_fid_of_singular_sets_is_exact() -> None:
    few = RNG.normal(size=(6, 9))
    with pytest.raises(metrics.MetricError, match='6 samples are too few for an FID of 9'):
        metrics.fid(few, few)
    assert metrics.fid(few, few + 1, allow_few=True) == pytest.approx(9, abs=1e-6)


def test_diversity_and_multimodality() -> None:
    line = np.array([[0.0], [1.0], [3.0]])
    assert metrics.diversity(line, pairs=None) == pytest.approx((1 + 3 + 2) / 3)
    many = RNG.normal(size=(500, 6))
    exact = metrics.diversity(many, pairs=None)
    assert exact == pytest.approx(pdist(many).mean())
    assert metrics.diversity(many, rng=np.random.default_rng(0)) == pytest.approx(exact, rel=0.1)
    texts = np.stack([line, 2 * line])
    assert metrics.multimodality(texts, pairs=None) == pytest.approx((2 + 4) / 2)
    drawn = metrics.multimodality(many.reshape(5, 100, 6), rng=np.random.default_rng(0))
    assert drawn == pytest.approx(exact, rel=0.2)


def test_pose_errors_by_hand() -> None:
    real = walk()
    # Everything 0.5 m aside: nothing is wrong seen from the root.
    moved = metrics.pose_errors([real + np.array([0.5, 0, 0])], [real])
    assert moved.mpjpe_mm == pytest.approx(0, abs=1e-9)
    assert moved.accl_mm == pytest.approx(0, abs=1e-9)
    # One joint of 22 is 11 cm off, in every frame.
    off = real.copy()
    off[:, 20, 1] += 0.11
    assert metrics.pose_errors([off], [real]).mpjpe_mm == pytest.approx(110 / 22)
    # All joints jump by 1 cm in one frame: second differences of 1, -2, 1 cm, of 6 of them.
    jumped = real.copy()
    jumped[4] += [0.01, 0, 0]
    assert metrics.pose_errors([jumped], [real]).accl_mm == pytest.approx((10 + 20 + 10) / 6)


def test_procrustes_undoes_a_similarity_and_agrees_with_scipy() -> None:
    real = walk(3)
    turn = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    np.testing.assert_allclose(procrustes(0.7 * real @ turn + [1, 2, 3], real), real, atol=1e-12)
    assert frame_pa_mpjpe(real * [-1, 1, 1], real).min() > 0.05  # a mirror image is not undone
    made = real + RNG.normal(0, 0.05, real.shape)
    for a, b in zip(made, real, strict=True):
        # scipy scales the real pose to length 1 and reports the squared rest.
        _, _, rest = scipy_procrustes(b, a)
        error = procrustes(a[None], b[None])[0] - b
        assert (error**2).sum() / ((b - b.mean(0)) ** 2).sum() == pytest.approx(rest)


@pytest.mark.parametrize('measure', [metrics.pose_errors, metrics.displacement, metrics.ape_ave])
def test_padding_changes_nothing(measure: object) -> None:
    assert callable(measure)
    real = [walk(8, 0), walk(20, 1)]
    made = [walk(8, 2), walk(20, 3)]
    alone = measure(made, real)
    padded, lengths = metrics.pad(made)
    behind = metrics.pad(real)[0]
    assert measure(padded, behind, lengths) == alone
    padded[0, 8:], behind[0, 8:] = np.nan, np.inf  # what lies behind is never read
    assert measure(padded, behind, lengths) == alone


def test_displacement_by_hand() -> None:
    real = walk(10)
    made = real.copy()
    made[2:] += np.arange(1, 9)[:, None, None] * np.array([0.01, 0, 0])  # 1, 2, ... 8 cm
    made[:2] += 5.0  # given frames do not count
    found = metrics.displacement([made], [real])
    assert found.joint_mm == pytest.approx(45)
    assert found.ade_m == pytest.approx(math.sqrt(22) * 0.045)
    assert found.fde_m == pytest.approx(math.sqrt(22) * 0.08)
    between = metrics.displacement([made], [real], task='inbetween')  # frames 2 to 7: 1 to 6 cm
    assert between.joint_mm == pytest.approx(35)
    assert between.fde_m == pytest.approx(math.sqrt(22) * 0.06)


def test_ape_ave_by_hand() -> None:
    real = np.repeat(walk(1), 6, axis=0)
    real[:, (1, 16)], real[:, (2, 17)] = [0.1, 1, 0], [-0.1, 1, 0]  # hips, shoulders: faces +z
    real[..., 2] += 0.05 * np.arange(6)[:, None]
    zero = {f'{kind}_{part}': 0.0 for kind in ('APE', 'AVE') for part in PARTS}
    # Another start, heading and height of the floor count for nothing.
    turned = real[..., (2, 1, 0)] * [1, 1, -1] + [3, 0.4, -2]
    assert metrics.ape_ave([turned], [real]) == pytest.approx(zero, abs=1e-12)
    # Twice as fast: the path is 0, 5, ... 25 cm short. Variances are v^2 times 3.5 of 0..5.
    fast = real.copy()
    fast[..., 2] += 0.05 * np.arange(6)[:, None]
    want = zero | {f'APE_{part}': 0.125 for part in ('root', 'traj', 'mean_joints')}
    want |= {f'AVE_{part}': 3.5 * (0.1**2 - 0.05**2) for part in ('root', 'traj', 'mean_joints')}
    assert metrics.ape_ave([fast], [real]) == pytest.approx(want)


def test_bleu_by_hand() -> None:
    # 'a b c d' in 'a b x d': 3 of 4 words, 1 of 3 pairs, no triple
    found = metrics.bleu(['a b c d'], [['A b, x d']])
    assert found == pytest.approx((3 / 4, math.sqrt(3 / 4 * 1 / 3), 0, 0))
    # Too short by half: exp(1 - 4/2). References of 1 and 4 words are not equally near to 2.
    assert metrics.bleu(['a b'], [['a b c d']], 1) == pytest.approx((math.exp(-1),))
    shortest = metrics.bleu(['a b c'], [['a', 'a b c d']], 1, reference=True)
    assert shortest == (1.0,)
    assert metrics.bleu(['a b c'], [['a', 'a b c d']], 1) == pytest.approx((math.exp(-1 / 3),))
    assert metrics.bleu(['the the the'], [['the cat sat']], 1) == pytest.approx((1 / 3,))
    assert metrics.bleu([''], [['a']]) == (0, 0, 0, 0)


def test_bleu_agrees_with_sacrebleu() -> None:
    sacrebleu = pytest.importorskip('sacrebleu')
    from mgpt3_ros.training.evaluation.metrics.captions import words

    made = [' '.join(words(text)) for text in PREDICTIONS]
    real = [[' '.join(words(group[k])) for group in REFERENCES] for k in range(2)]
    found = metrics.bleu(PREDICTIONS, REFERENCES)
    for order, value in enumerate(found, start=1):
        judge = sacrebleu.BLEU(tokenize='none', smooth_method='none', max_ngram_order=order)
        assert 100 * value == pytest.approx(judge.corpus_score(made, real).score)
    assert found[3] > 0  # all orders were at work


def test_rouge_by_hand() -> None:
    # 'a c' is common: recall 2/4, precision 2/3
    assert metrics.rouge_l(['a x c'], [['a b c d']]) == pytest.approx([2 * 2 / 7])


@pytest.mark.slow
def test_rouge_as_torchmetrics_has_it() -> None:
    rouge = pytest.importorskip('torchmetrics.functional.text.rouge')
    found = metrics.rouge_l(PREDICTIONS, REFERENCES)
    want = rouge.rouge_score(PREDICTIONS, REFERENCES, accumulate='best', rouge_keys='rougeL')
    assert np.mean(found) == pytest.approx(float(want['rougeL_fmeasure']), abs=1e-6)


def test_rouge_as_the_authors_report_it() -> None:
    assert resampled([0.4] * 5, np.random.RandomState(0)) == pytest.approx(0.4)
    scores = RNG.random(200)
    found = [resampled(scores, np.random.RandomState(seed)) for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]
    assert found == pytest.approx([scores.mean()] * 3, abs=0.005)


def test_cider_by_hand() -> None:
    # Two sets of one word each: a perfect answer scores 10 in one of four orders.
    assert metrics.cider(['A.', 'b'], [['a'], ['b']]) == pytest.approx([2.5, 2.5])
    assert metrics.cider(['b', 'a'], [['a'], ['b']]) == [0, 0]
    # A word that is in every set says nothing; the rest is weighted the same: cos = 1 of 'x'.
    assert metrics.cider(['a', 'a'], [['a'], ['a']]) == [0, 0]
    # Twice the word is clipped to once: cosine 1*1/(2*1), length differs by one.
    want = 2.5 * 0.5 * math.exp(-1 / 72)
    assert metrics.cider(['a a', 'b'], [['a'], ['b']])[0] == pytest.approx(want)
    five = 'one two three four five'
    assert metrics.cider([five, 'b'], [[five], ['b']])[0] == pytest.approx(10)


def test_bert_score_takes_a_scorer() -> None:
    assert metrics.bert_score(['a'], [['b']], lambda made, real: [0.5]) == [0.5]
    with pytest.raises(metrics.MetricError, match='2 finite figures, got shape'):
        metrics.bert_score(['a', 'b'], [['b'], ['c']], lambda made, real: [0.5, math.nan])


def test_intervals() -> None:
    found = replicated([1.0, 2.0, 3.0], 7)
    assert (found.mean, found.high - 2) == pytest.approx((2.0, 1.96 / math.sqrt(3)))
    authors = replicated([1.0, 2.0, 3.0], 7, reference=True)
    assert authors.high - 2 == pytest.approx(1.96 * math.sqrt(2 / 3) / math.sqrt(3))
    assert math.isnan(replicated([1.0], 7, reference=True).low)


def bad_embeddings() -> np.ndarray:
    array = np.ones((40, 3))
    array[[4, 7]] = np.nan
    return array


@pytest.mark.parametrize(
    ('call', 'message'),
    [
        (lambda: metrics.fid(bad_embeddings(), np.ones((40, 3))), '2 of 40 samples hold NaN'),
        (lambda: metrics.fid(np.ones(5), np.ones((5, 2))), r'must be \(A, D\), got \(5,\)'),
        (lambda: metrics.fid(np.ones((5, 2)), np.ones((5, 3))), 'of 2 and of 3 numbers'),
        (lambda: metrics.diversity(np.ones((40, 3))), '40 samples are too few, 300 are needed'),
        (lambda: metrics.diversity(np.ones((400, 3))), 'need an rng'),
        (lambda: metrics.multimodality(np.ones((2, 5, 3))), '5 motions per text are too few'),
        (lambda: metrics.retrieval(np.ones((9, 3)), np.ones((9, 3))), '9 pairs do not fill'),
        (lambda: metrics.retrieval(np.ones((33, 3)), np.ones((32, 3))), 'same shape'),
        (lambda: metrics.retrieval(bad_embeddings(), np.ones((40, 3))), '2 of 40 samples'),
        (lambda: metrics.pose_errors([walk(5)], [walk(6)]), 'motion 0 must have the same shape'),
        (lambda: metrics.pose_errors([walk(2)], [walk(2)]), '3 at least are needed'),
        (lambda: metrics.pose_errors([walk() * 0], [walk()]), '8 made poses have all joints in'),
        (lambda: metrics.pose_errors([walk() / 0.0], [walk()]), '8 of 8 samples hold NaN'),
        (lambda: metrics.pose_errors([walk()], [walk()], [9]), 'has 9 frames of 8'),
        (lambda: metrics.pose_errors([], []), 'no motions'),
        (lambda: metrics.displacement([walk()], [walk()], task='x'), "'inbetween', got 'x'"),  # type: ignore[arg-type]
        (lambda: metrics.ape_ave([walk()[:, :21]], [walk()[:, :21]]), 'takes 22 joints, got 21'),
        (lambda: metrics.bleu(['a'], []), '1 captions, but references for 0'),
        (lambda: metrics.bleu(['a'], [[' ']]), 'caption 0 has no reference'),
        (lambda: metrics.rouge_l([], []), 'no captions'),
        (lambda: metrics.cider(['a'], [['a']]), '2 captions at least'),
        (lambda: replicated([], 7), '0 samples are too few'),
    ],
)
@pytest.mark.filterwarnings('ignore:divide by zero')
def test_bad_input_is_refused_with_a_reason(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(metrics.MetricError, match=message):
        call()


@pytest.mark.usefixtures('no_network')
def test_bert_score_reads_with_the_language_model_of_a_folder(tmp_path: Path) -> None:
    pytest.importorskip('bert_score', reason='the package bert_score is not installed')
    pytest.importorskip('transformers')
    save_bert(tmp_path)
    made = ['a person walks', 'someone jumps', 'a person turns']
    real = [['a person walks'], ['someone runs'], ['someone waves']]
    same, near, other = metrics.bert_score(made, real, model=tmp_path)
    assert same == pytest.approx(1.0, abs=1e-4)
    assert near < 1
    assert other < 1


def test_a_folder_that_holds_no_language_model_is_said(tmp_path: Path) -> None:
    pytest.importorskip('bert_score', reason='the package bert_score is not installed')
    with pytest.raises(metrics.MetricError, match='is no language model'):
        metrics.bert_score(['a'], [['b']], model=tmp_path)


def test_bert_score_asks_the_hub_for_what_is_named_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(metrics.MetricError, match='needs a language model or a scorer'):
        metrics.bert_score(['a'], [['b']])
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, 'bert_score', None)
        with pytest.raises(metrics.MetricError, match='pip install bert-score'):
            metrics.bert_options('roberta-large')
    pytest.importorskip('bert_score', reason='the package bert_score is not installed')
    with pytest.raises(metrics.MetricError, match='gtp is no folder, and no language model'):
        metrics.bert_score(['a'], [['b']], model='gtp')

    def unreachable(*_: object) -> None:
        raise OSError('no route to host')

    monkeypatch.setattr('socket.create_connection', unreachable)
    monkeypatch.setattr('mgpt3_ros.model.language.pretrained.getproxies', dict)
    with pytest.raises(CheckpointError, match=r'no language model .* cannot be reached'):
        metrics.bert_score(['a'], [['b']], model='roberta-large')
