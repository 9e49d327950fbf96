# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from mgpt3_ros.model.errors import MotionError, TextError
from mgpt3_ros.model.finishing import joining
from mgpt3_ros.model.finishing.continuation import BLEND_S
from mgpt3_ros.model.finishing.foot_lock import foot_slide
from mgpt3_ros.model.finishing.joining import JOIN_TAKES_S, LEAVE_S, join, joined
from mgpt3_ros.model.motion import Motion
from tests.support.mocap import clips
from tests.support.tiny import swinging_motion, tiny_model
from tests.support.walks import walking

FPS = 20.0


def facing(joints: np.ndarray, yaw: float, place: tuple[float, float, float]) -> np.ndarray:
    return Motion(joints).transform(yaw, place).joints


def test_a_clip_goes_on_from_where_the_one_before_is_left():
    before = facing(swinging_motion(0, 60, speed=1.0), 2.0, (3.0, 0.0, -1.0))
    after = facing(swinging_motion(1, 60, speed=0.0), -1.0, (5.0, 0.0, 5.0))
    cut, joints = join(before, after, FPS)
    assert LEAVE_S[0] <= (len(before) - 1 - cut) / FPS <= LEAVE_S[1]
    np.testing.assert_allclose(joints[0], before[cut], atol=1e-5)
    step, goes_on = before[cut] - before[cut - 1], joints[1] - joints[0]
    assert np.linalg.norm(goes_on - step, axis=1).mean() < 0.02
    assert len(joints) >= len(after) - 11


def test_after_the_blend_the_clip_is_as_it_was_but_for_place_and_heading():
    before, after = swinging_motion(0, 60), swinging_motion(1, 60)
    _, joints = join(before, after, FPS)
    frames = len(joints) - round(BLEND_S * FPS) - 1
    distances = [
        np.linalg.norm(motion[-frames:, :, None] - motion[-frames:, None], axis=-1)
        for motion in (joints, after)
    ]
    np.testing.assert_allclose(distances[0], distances[1], atol=1e-5)
    np.testing.assert_allclose(joints[-frames:, :, 1], after[-frames:, :, 1], atol=1e-5)


def test_feet_slide_no_more_at_joins_than_elsewhere():
    found = [joints[:80].astype(np.float32) for joints in clips(60, seed=4) if len(joints) > 60]
    near, inside, plain = [], [], []
    for before, after in itertools.pairwise(found):
        cut, joints = join(before, after, FPS)
        whole = np.concatenate([before[:cut], joints])
        near.append(foot_slide(whole[max(cut - 10, 0) : cut + 11], FPS))
        inside.append(foot_slide(before[:cut], FPS))
        gap = before[cut] - after[0]
        moved = after + np.linspace(1, 0, len(after))[:, None, None] * gap
        plain.append(foot_slide(np.concatenate([before[cut - 10 : cut], moved[:11]]), FPS))
    assert np.mean(near) < np.mean(inside) + 0.05
    assert np.mean(near) < np.mean(plain)


def test_a_foot_that_goes_elsewhere_is_lifted():
    still = swinging_motion(0, 40, speed=0.0)
    still[:] = still[:1]
    wide = still.copy()
    wide[:, [8, 11], 0] -= 0.3  # right ankle and ball
    wide[:, 5, 0] -= 0.15
    _, joints = join(still, wide, FPS)
    left, right = joints[:, 10], joints[:, 11]
    assert np.ptp(left[:, [0, 2]], axis=0).max() < 0.02
    assert right[:, 1].max() - right[0, 1] > 0.05
    assert np.linalg.norm(right[-1] - left[-1]) == pytest.approx(
        np.linalg.norm(wide[0, 11] - wide[0, 10]), abs=1e-4
    )


@pytest.mark.parametrize('after', ['back', 'nowhere', 'twice as fast'])
def test_a_body_slows_down_or_gathers_speed_before_it_goes_elsewhere(after):
    walk = gaussian_filter1d(walking(24)[::2], 2.0, axis=0)  # 1.2 m/s
    others = {
        'back': walk[::-1],
        'nowhere': np.repeat(walk[:1], 40, axis=0),
        'twice as fast': walk[::2],
    }
    cut, joints = join(walk, others[after], FPS)
    whole = np.concatenate([walk[:cut], joints])[:, 0, 2]
    changes = np.abs(np.diff(whole, 2)) * FPS**2
    assert changes[cut - 5 : cut + 30].max() < 14.0, 'a blend of 0.4 s alone brings 25 or more'
    np.testing.assert_allclose(joints[0], walk[cut], atol=1e-6)


def test_clips_too_short_to_join_are_refused():
    with pytest.raises(MotionError, match='4 frames'):
        join(swinging_motion(0, 3), swinging_motion(1, 40), FPS)


def test_a_sequence_is_one_motion_with_a_start_for_each_action():
    model = tiny_model()
    made = model.generate_sequence(
        'walk for 2 seconds, then wave for 3 seconds, then bow for 2 seconds',
        generator=torch.Generator().manual_seed(0),
    )
    parts = made.info['parts']
    assert [part['text'] for part in parts] == [
        'walk for 2 seconds',
        'wave for 3 seconds',
        'bow for 2 seconds',
    ]
    assert {part['duration_from'] for part in parts} == {'text'}
    starts = [part['start_s'] for part in parts]
    spread = LEAVE_S[1] - JOIN_TAKES_S
    assert starts[1] == pytest.approx(2.0, abs=spread + 0.05)
    assert starts[2] == pytest.approx(starts[1] + 3.0, abs=0.5 + spread + 0.05)
    steps = np.linalg.norm(np.diff(made.joints, axis=0), axis=-1).max(axis=1)
    joins = [round(start * FPS) + shift for start in starts[1:] for shift in (-1, 0, 1)]
    assert steps[joins].max() < 1.2 * np.delete(steps, joins).max()


def test_one_action_is_as_generate_draws_it():
    model = tiny_model()
    one = model.generate_sequence('walk', 2.0, generator=torch.Generator().manual_seed(1))
    other = model.generate('walk', 2.0, generator=torch.Generator().manual_seed(1))
    np.testing.assert_array_equal(one.joints, other.joints)
    assert 'parts' not in one.info


def test_actions_may_be_given_and_none_is_refused():
    model = tiny_model()
    made = model.generate_sequence(['walk', 'bow'], [1.0, 2.0])
    assert len(made.info['parts']) == 2
    assert made.info['text'] == 'walk, then bow'
    with pytest.raises(TextError, match='no action'):
        model.generate_sequence([])


def test_the_next_clip_begins_when_the_body_has_slowed_down():
    walk = gaussian_filter1d(walking(24)[::2], 2.0, axis=0)
    stand = np.repeat(walk[:1], 40, axis=0)
    cut, joints, entered = joined(walk, stand, FPS)
    speeds = np.linalg.norm(np.diff(joints[:, 0], axis=0), axis=-1) * FPS
    assert entered > 0
    assert speeds[0] > 0.8
    assert speeds[entered] < 0.6 * speeds[0]
    assert joined(walk, walk, FPS).entered < entered  # hardly anything to slow down for
    np.testing.assert_array_equal(join(walk, stand, FPS)[1], joints)
    assert join(walk, stand, FPS)[0] == cut


def test_all_moments_are_compared_as_each_alone():
    """Plain: one state and another, the formula written out."""
    rng = np.random.default_rng(3)
    ones, others = ((rng.normal(size=(n, 22, 3)), rng.normal(size=(n, 22, 3))) for n in (3, 4))
    found = joining._differences(ones, others)
    for row, (pose, velocity) in enumerate(zip(*ones, strict=True)):
        speeds = np.linalg.norm(velocity[joining._BALLS], axis=1)
        heights = pose[joining._BALLS, 1]
        stands = joining._BALLS[int(np.argmin(heights + joining._HELD_SPEED * speeds))]
        for column, (other, rate) in enumerate(zip(*others, strict=True)):
            gap = pose - other - (pose[stands] - other[stands]) * (1, 0, 1)
            drift = velocity - rate
            landing = gap[joining.PELVIS] + 0.3 * joining.BLEND_S * drift[joining.PELVIS]
            wanted = np.linalg.norm(gap, axis=1).mean() + np.linalg.norm(landing * (1, 0, 1))
            wanted += 0.1 * np.linalg.norm(drift, axis=1).mean()
            wanted += np.linalg.norm(gap[joining._BALLS], axis=1).sum()
            assert found[row, column] == pytest.approx(wanted, abs=1e-12)
