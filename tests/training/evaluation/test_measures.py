# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The figures of the card, each against a value worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from mgpt3_ros.model.errors import GenerationError
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.evaluation.measures import (
    Share,
    counted,
    generate_all,
    measure,
    mpjpe_mm,
    recognition,
    reconstruct_all,
    spread_ratio,
)
from mgpt3_ros.training.evaluation.motion_quality import jitter
from tests.support.tiny import swinging_motion, tiny_model


@pytest.mark.parametrize(
    ('right', 'count', 'low', 'high'),
    [
        # 8 of 10: (.8 + .19208) / 1.38416 = .71674, and 1.96 / 1.38416 sqrt(.016 + .009604)
        # = .22658 on both sides.
        (8, 10, 0.49016, 0.94332),
        (0, 10, 0.0, 0.27755),  # 3.8416 / 13.8416
        (10, 10, 0.72245, 1.0),
        (95, 100, 0.88825, 0.97846),
    ],
)
def test_wilsons_interval(right: int, count: int, low: float, high: float) -> None:
    share = Share(right, count)
    assert share.value == right / count
    assert share.interval == pytest.approx((low, high), abs=1e-4)


def test_a_share_says_its_interval_and_count() -> None:
    assert str(Share(8, 10)) == '0.800 [0.490, 0.943] of 10'


def test_a_share_of_nothing_is_no_number() -> None:
    assert math.isnan(Share(0, 0).value)
    assert all(math.isnan(bound) for bound in Share(0, 0).interval)


def test_recognition_by_hand() -> None:
    pairs = [
        ('walk', 'walk'),
        ('walk', 'walk'),
        ('walk', 'walk'),
        ('walk', 'run'),  # wrong, and no side was wanted
        ('wave-left-hand', 'wave-left-hand'),
        ('wave-left-hand', 'raise-up-left-hand'),  # wrong action, right side
        ('wave-left-hand', 'wave-right-hand'),  # wrong side
        ('wave-left-hand', 'wave-both-hands'),  # wrong, but no side
        ('walk-turn-right', None),  # nothing was found
        ('walk-turn-right', 'walk-left'),  # wrong side of another action
    ]
    found = recognition([want for want, _ in pairs], [find for _, find in pairs])
    assert found.action == Share(4, 10)
    assert found.mean_over_actions == pytest.approx((3 / 4 + 1 / 4 + 0) / 3)
    assert found.side_wrong == Share(2, 6)


def test_what_was_not_asked_for_as_often_as_found_is_an_error() -> None:
    with pytest.raises(ValueError, match='zip'):
        recognition(['walk', 'run'], ['walk'])


def test_jitter_is_the_third_difference_per_second_cubed() -> None:
    time = np.arange(30)[:, None, None] / 20
    cubic = np.broadcast_to([2.0, 0.0, 0.0], (30, 22, 3)) * time**3
    assert jitter(cubic) == pytest.approx(12.0)  # d3/dt3 of 2 t3
    assert jitter(np.broadcast_to([0.0, 5.0, 1.0], (30, 22, 3)) * time**2) < 1e-9
    # One joint of 22 that jumps 0.01 m to and fro: differences of 0.01, 0.02, 0.04.
    shaking = np.zeros((30, 22, 3))
    shaking[::2, 7, 1] = 0.01
    assert jitter(shaking) == pytest.approx(0.04 * 8000 / 22)


def test_mpjpe_counts_frames_and_not_clips() -> None:
    short, long = np.zeros((10, 22, 3)), np.zeros((30, 22, 3))
    off = np.zeros((22, 3))
    off[:, 1] = 0.004
    pairs = [(short, short + off), (long, long)]
    assert mpjpe_mm(pairs) == pytest.approx(1.0)  # 4 mm in a quarter of the frames
    assert mpjpe_mm(pairs, relative=True) == pytest.approx(0)


def test_mpjpe_relative_to_the_root() -> None:
    true, decoded = np.zeros((5, 22, 3)), np.zeros((5, 22, 3))
    decoded[:, 0, 0] = 0.022  # the root alone is off: seen from it, all others are
    assert mpjpe_mm([(true, decoded)]) == pytest.approx(1.0)
    assert mpjpe_mm([(true, decoded)], relative=True) == pytest.approx(21.0)
    decoded[:] = 0
    decoded[:, 5] = (0.003, 0.004, 0.0)
    assert mpjpe_mm([(true, decoded)]) == pytest.approx(5 / 22)


def clip(action: str | None, seed: int = 0, frames: int = 40, speed: float = 0.5) -> Clip:
    joints = swinging_motion(seed, frames, speed)
    return Clip(f'{action}-{seed}', joints, (f'a person does {action}.',), 'val', 'bandai', action)


def test_counted_clips_have_an_action_that_counts() -> None:
    clips = [clip('walk'), clip(None), clip('kick'), clip('wave-left-hand'), clip('dance')]
    assert counted(clips) == [clips[0], clips[3]]


def differing(amount: float) -> list[np.ndarray]:
    """Statues that hold the left hand at different heights, ``amount`` apart."""
    found = []
    for step in range(4):
        joints = np.repeat(swinging_motion(0, 1), 30, axis=0)
        joints[:, 20, 1] += amount * step
        found.append(joints)
    return found


def test_what_no_body_can_do_is_measured_and_not_refused() -> None:
    """As the motions of a model are that is measured while it trains."""
    model = tiny_model(redraws=1, finishing=False)
    texts = ['walk', 'wave the left hand']
    possible = generate_all(model, texts, 0, [2.0, 2.0])
    aloft = model.stats.mean.copy()  # the root is that high in feature 3
    aloft[3] += 2.0
    model.pipeline.stats = replace(model.stats, mean=aloft)
    with pytest.raises(GenerationError, match='drawn 2 times, no body could do it'):
        model.generate(texts, 2.0, generator=noise_source(0))
    for high, low in zip(generate_all(model, texts, 0, [2.0, 2.0]), possible, strict=True):
        assert high[:, 0, 1].min() > low[:, 0, 1].max() + 1.0


def test_spread_is_a_ratio_of_distances() -> None:
    real = {'walk': differing(0.1), 'run': differing(0.1)}
    assert spread_ratio(real, real) == pytest.approx(1)
    assert spread_ratio(real, {'walk': differing(0.2)}) == pytest.approx(2, rel=1e-3)
    # Mean over the actions.
    made = {'walk': differing(0.2), 'run': differing(0.05)}
    assert spread_ratio(real, made) == pytest.approx(1.25, rel=1e-3)


def test_spread_does_not_know_where_clips_are_and_how_long_they_take() -> None:
    real = {'walk': differing(0.1)}
    moved = [Motion(c).transform(0.4 * i, (i, 0, 2)).joints for i, c in enumerate(real['walk'])]
    assert spread_ratio(real, {'walk': moved}) == pytest.approx(1, abs=1e-3)
    longer = [np.repeat(c, 2, axis=0) for c in real['walk']]
    assert spread_ratio(real, {'walk': longer}) == pytest.approx(1, abs=1e-3)


def test_spread_of_too_few_clips_is_no_number() -> None:
    assert math.isnan(spread_ratio({'walk': differing(0.1)[:3]}, {'walk': differing(0.1)}))
    assert math.isnan(spread_ratio({'walk': differing(0.1)}, {}))


# With a model.


@pytest.fixture(scope='module')
def model() -> MotionGPT3:
    return tiny_model()


def test_a_reconstruction_is_paired_with_its_motion(model: MotionGPT3) -> None:
    clips = [clip('walk', seed, 40 + seed) for seed in range(3)]
    pairs = reconstruct_all(model, clips)
    for (true, decoded), one in zip(pairs, clips, strict=True):
        assert true.shape == decoded.shape == (len(one.joints) - 1, 22, 3)
        canonical = Motion(one.joints).canonical().joints[:-1]
        assert np.abs(true - canonical).max() < 1e-3
    # The tiny model's VAE was fit to such figures.
    assert mpjpe_mm(pairs) < 100


def test_generation_in_batches_is_repeatable(model: MotionGPT3) -> None:
    texts = [f'a person walks {n}' for n in range(70)]  # more than a batch
    first, again, other = (generate_all(model, texts, seed, [1.0] * 70) for seed in (0, 0, 1))
    assert len(first) == 70
    assert all(len(joints) == 20 for joints in first)
    assert all((one == two).all() for one, two in zip(first, again, strict=True))
    assert not any((one == two).all() for one, two in zip(first, other, strict=True))
    # The second batch draws noise of its own.
    assert not np.allclose(first[0], first[64])


def test_all_figures_of_the_card_are_there(model: MotionGPT3) -> None:
    actions = ['walk', 'run', 'wave-left-hand', 'bow']
    train = [clip(a, s, speed=i) for i, a in enumerate(actions) for s in range(4)]
    val = [clip(a, 10 + s, speed=i) for i, a in enumerate(actions) for s in range(2)]
    val.append(Clip('cmu', swinging_motion(3), ('a person jumps.',), 'val', 'cmu:01_02', None))
    paraphrases = {'walk': ['go for a stroll'], 'bow': ['bend forward']}
    figures = measure(model, train, val, {'paraphrases': paraphrases}, seeds=2)
    counts = {name: f.action.count for name, f in figures.items() if hasattr(f, 'action')}
    assert counts == {
        'real motion': 8,
        'reconstruction': 8,
        'generated': 16,
        'paraphrases': 4,
        'captions': 8,
        'captions read right on real ones': 8,
    }
    (captions,) = [value for value in figures.values() if isinstance(value, dict)]
    assert captions['cmu'][0] == 'a person jumps.'
    numbers = {name: v for name, v in figures.items() if isinstance(v, float)}
    assert len(numbers) >= 10
    finite = [name for name, value in numbers.items() if math.isfinite(value)]
    assert set(numbers) - set(finite) <= {'spread within an action, generated over real'}
