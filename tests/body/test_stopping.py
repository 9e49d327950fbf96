# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from mgpt3_ros.body.bounds import EASE_S, Timing
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.spline import extreme_rates
from mgpt3_ros.body.stopping import LONGEST_EASE_S, stop
from tests.support.clips import LIMITS, beyond_limits, random_clip, random_state, states_match


@pytest.mark.parametrize('at', [0.1, 0.7, 1.9, 3.3])
def test_a_stop_keeps_velocity_and_ends_at_rest_on_the_same_way(at):
    trajectory, _ = plan(random_clip(5), Timing(), random_state(5), random_state(5).at_rest())
    halted = stop(trajectory, at)
    states_match(halted.state_at(0.0), trajectory.state_at(at))
    assert halted.end_s == pytest.approx(2 * EASE_S)
    assert np.abs(halted.joints.velocities[-1]).max() == 0
    np.testing.assert_allclose(
        halted.joints.positions[-1], trajectory.state_at(at + EASE_S).positions, atol=1e-9
    )
    start_speed = np.abs(trajectory.joints.velocities).max()
    assert np.abs(halted.joints.velocities).max() <= start_speed * 1.2


@pytest.mark.parametrize('seed', range(6))
def test_a_stop_goes_beyond_no_limit_that_the_motion_touches(seed):
    clip = dataclasses.replace(random_clip(seed), limits=LIMITS)
    trajectory, _ = plan(clip, Timing())
    for at in np.linspace(0.5, trajectory.end_s, 9):
        path = stop(trajectory, at, limits=LIMITS).joints
        assert beyond_limits(path) < 0.01


def test_a_stop_takes_longer_under_a_bound_on_acceleration():
    trajectory, _ = plan(random_clip(6), Timing(max_acceleration=2.0))
    longer = []
    for at in np.linspace(0.6, 0.8 * trajectory.end_s, 12):
        gentle = stop(trajectory, at, max_acceleration=2.0)
        path = gentle.joints
        assert extreme_rates(path.times, path.positions, path.velocities)[1].max() <= 2.0 * 1.001
        longer.append(gentle.end_s > stop(trajectory, at).end_s)
    assert any(longer)


def test_a_stop_of_a_motion_made_within_other_bounds_comes_to_an_end():
    trajectory, _ = plan(random_clip(6), Timing())
    assert stop(trajectory, 1.5, 2.0, max_velocity=0.1).end_s <= 2 * LONGEST_EASE_S


def test_a_joint_state_is_old_and_a_body_that_follows_does_not_lag():
    trajectory, _ = plan(random_clip(7), Timing(), random_state(7), random_state(7).at_rest())
    seen = trajectory.state_at(1.1)
    assert np.abs(seen.positions - trajectory.state_at(1.2).positions).max() > 0.05
    halted = stop(trajectory, 1.2, seen=seen, seen_ago_s=0.1)
    states_match(halted.state_at(0.0), trajectory.state_at(1.2))
    stuck = dataclasses.replace(seen, positions=seen.positions + 0.3 * np.eye(len(LIMITS))[1])
    held = stop(trajectory, 1.2, seen=stuck, seen_ago_s=0.1)
    assert held.state_at(0.0).positions[1] == pytest.approx(stuck.positions[1])
