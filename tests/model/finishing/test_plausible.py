# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bodies that cannot be are told from those that can."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mgpt3_ros.model.errors import GenerationError
from mgpt3_ros.model.finishing.plausible import (
    FASTEST_PELVIS,
    MOST_SLOWED,
    implausible,
    pelvis_speed,
    slowed_down,
)
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import noise_source
from tests.support.walks import walking

LIFTED = np.array([0.0, 0.4, 0.0])
FORWARD = np.array([0.0, 0.0, 0.3])  # in every frame: 6 m/s
TURNED = np.array([1.0, -1.0, 1.0])  # upside down


def turned(joints: np.ndarray) -> np.ndarray:
    """The same on its head, the head on the floor."""
    return joints * TURNED - (joints * TURNED)[..., 1].min() * np.array([0.0, 1.0, 0.0])


def test_who_walks_can_be():
    assert implausible(walking(6), 'a person walks') is None


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (lambda joints: joints - 0.5 * LIFTED, 'below the floor'),
        (lambda joints: joints + LIFTED, 'in the air for 2.8 s'),
        (turned, 'its head below its pelvis'),
        (lambda joints: joints + FORWARD * np.arange(len(joints))[:, None, None], 'm/s'),
    ],
)
def test_what_no_body_can_do(change, said):
    found = implausible(change(walking(6)), 'a person walks')
    assert found is not None
    assert said in found


def test_who_shall_climb_or_turn_over_may():
    assert implausible(walking(6) + LIFTED, 'climb onto the box') is None
    assert implausible(turned(walking(6)), 'Do a cartwheel!') is None


def carried(speed: float) -> np.ndarray:
    """A walk on a belt that takes it to this speed [m/s] at its fastest."""
    walk = walking(8)
    low, high = 0.0, 1.0
    for _ in range(40):
        mean = (low + high) / 2
        belt = mean * np.array([0.0, 0.0, 1.0]) * np.arange(len(walk))[:, None, None]
        low, high = (mean, high) if pelvis_speed(walk + belt) < speed else (low, mean)
    return (walk + belt).astype(np.float32)


@pytest.mark.parametrize('speed', [5.6, 6.4, 7.9])
def test_a_runner_who_is_too_fast_is_slowed_down(speed):
    fast = carried(speed)
    assert implausible(fast, 'run') is not None
    slower = slowed_down(fast)
    assert (slower.shape, slower.dtype) == (fast.shape, fast.dtype)
    assert implausible(slower, 'run') is None
    assert pelvis_speed(slower) > 0.85 * FASTEST_PELVIS  # hardly slower than it must be


def test_only_the_moments_that_are_too_fast_are_slowed_down():
    walk, fast = walking(8), carried(6.5)
    fast = fast - fast[40] + walk[40]  # from there on it is carried
    joints = np.concatenate([walk[:40], fast[40:]])
    slower = slowed_down(joints)
    assert implausible(slower) is None
    np.testing.assert_allclose(slower[:30], joints[:30], atol=1e-3)


def test_all_others_stay_as_they_are():
    for speed in (5.0, 1.1 * MOST_SLOWED * FASTEST_PELVIS):
        motion = carried(speed)
        assert slowed_down(motion) is motion


@pytest.mark.slow
@pytest.mark.parametrize('checkpoint', ['default', 'stream'])
def test_everyday_running_is_not_refused(checkpoint):
    model = MotionGPT3.from_pretrained(checkpoint, device='cpu')
    for seconds in (2.0, 4.0, 7.0, 10.0):
        text = ['a person runs forward energetically'] * 4
        motions = model.generate(text, seconds, judge=False, generator=noise_source(0))
        assert [motion.num_frames for motion in motions] == [round(20 * seconds)] * 4


def test_what_cannot_be_is_drawn_again_and_then_refused():
    model = MotionGPT3.from_pretrained(device='cpu')
    asked, prompt = model.pipeline.config, 'do a cartwheel'
    again, said = 0, list[str]()
    for seed in range(12):
        model.pipeline.config = replace(asked, redraws=None)
        first = model.generate(prompt, generator=noise_source(seed))
        wrong = implausible(first.joints, prompt) is not None
        model.pipeline.config = asked
        try:
            motion = model.generate(prompt, generator=noise_source(seed))
        except GenerationError as error:
            said.append(str(error))
            continue
        assert implausible(motion.joints, prompt) is None
        assert wrong or np.array_equal(motion.joints, first.joints)
        again += wrong
    assert all('drawn 4 times, no body could do it' in reason for reason in said)
    assert again + len(said) > 0
