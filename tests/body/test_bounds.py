# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from mgpt3_ros.body.bounds import EASE_S, Timing
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.profiles.base import beyond
from mgpt3_ros.body.spline import extreme_rates
from tests.support.clips import LIMITS, beyond_limits, random_clip, random_state, states_match


@pytest.mark.parametrize('seed', range(6))
@pytest.mark.parametrize('bounds', [(2.0, np.inf), (np.inf, 8.0), (1.0, 3.0)])
def test_bounds_are_kept_by_slowing_the_whole_down(seed, bounds):
    clip = random_clip(seed)
    state = random_state(seed)
    slow = dataclasses.replace(state, velocities=0.2 * state.velocities)
    timing = Timing(max_velocity=bounds[0], max_acceleration=bounds[1])
    trajectory, slower = plan(clip, timing, slow)
    path = trajectory.joints
    speed, acceleration = extreme_rates(path.times, path.positions, path.velocities)
    assert slower > 1.0
    assert speed.max() <= bounds[0] * 1.001
    assert acceleration.max() <= bounds[1] * 1.001
    np.testing.assert_allclose(path.positions[-1], clip.positions[-1], atol=1e-6)


@pytest.mark.parametrize('seed', range(8))
def test_joints_are_held_at_their_limits_and_that_is_told(seed):
    clip = random_clip(seed)
    free, _ = plan(clip, Timing())
    trajectory, _ = plan(dataclasses.replace(clip, limits=LIMITS), Timing())
    assert beyond_limits(free.joints) > 0.2
    assert beyond_limits(trajectory.joints) < 1e-9
    cut = beyond(free.joints.positions, LIMITS)
    assert trajectory.held == {
        name: pytest.approx(far, rel=0.01)  # of the clip's frames, not of the points
        for name, far in zip(clip.names, cut.max(axis=0), strict=True)
        if far > 0.01
    }
    inside = np.flatnonzero((cut == 0).all(axis=0))
    np.testing.assert_array_equal(
        trajectory.joints.positions[:, inside], free.joints.positions[:, inside]
    )


@pytest.mark.parametrize('seed', range(8))
def test_a_body_beyond_a_limit_is_led_back_from_where_it_is(seed):
    clip = dataclasses.replace(random_clip(seed), limits=LIMITS)
    state = random_state(seed)
    trajectory, _ = plan(clip, Timing(blend_s=0.3), state)
    states_match(trajectory.state_at(0.5), state)
    late = trajectory.times >= 0.5 + 0.4  # 0.6 rad at 3 rad/s
    assert beyond(trajectory.joints.positions[late], LIMITS).max() <= 0
    before = beyond(state.positions, LIMITS)
    assert before.max() > 0
    assert (beyond(trajectory.joints.positions, LIMITS) <= before + 1e-9).all()


def test_a_motion_within_its_limits_is_not_touched():
    clip, wide = random_clip(0), np.array([[-9.0, 9.0]] * 5)
    one, _ = plan(clip, Timing(), random_state(0))
    other, _ = plan(dataclasses.replace(clip, limits=wide), Timing(), random_state(0))
    np.testing.assert_array_equal(one.joints.positions, other.joints.positions)
    np.testing.assert_array_equal(one.joints.velocities, other.joints.velocities)
    assert other.held == {}


@pytest.mark.parametrize('seed', range(4))
def test_bounds_are_kept_at_limits_too(seed):
    clip = dataclasses.replace(random_clip(seed), limits=LIMITS)
    path = plan(clip, Timing(max_velocity=1.0, max_acceleration=5.0))[0].joints
    speed, acceleration = extreme_rates(path.times, path.positions, path.velocities)
    assert speed.max() <= 1.001
    assert acceleration.max() <= 5.0 * 1.001
    assert beyond_limits(path) < 1e-9


@pytest.mark.parametrize('seed', range(6))
def test_a_bound_that_is_set_while_a_body_is_faster_slows_the_next_motion_once(seed):
    first, _ = plan(random_clip(seed), Timing())
    now, then = first.state_at(1.0), first.state_at(1.5)
    assert np.abs(then.velocities).max() > 1.0
    clip = random_clip(seed + 100)
    trajectory, slower = plan(clip, Timing(max_velocity=0.5), then, now)
    path = trajectory.joints
    assert extreme_rates(path.times, path.positions, path.velocities)[0].max() <= 0.5 * 1.001
    assert trajectory.end_s == pytest.approx(0.5 + slower * (clip.duration_s + EASE_S), abs=0.05)
    assert slower < 100
