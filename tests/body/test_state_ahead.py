# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.state_ahead import carried_on, coming_to_rest, now_and_then
from tests.support.clips import random_clip, random_state, states_match


def test_coming_to_rest_takes_half_the_way():
    state = random_state(2)
    rest = coming_to_rest(state, 0.5)
    np.testing.assert_allclose(rest.positions, state.positions + 0.25 * state.velocities)
    assert not rest.velocities.any()


def test_a_body_on_its_trajectory_is_carried_on_exactly():
    trajectory, _ = plan(random_clip(3), Timing(), random_state(3), random_state(4))
    seen = trajectory.state_at(1.0)
    ahead = carried_on(seen, trajectory, 1.0, 0.5)
    expected = trajectory.state_at(1.5)
    np.testing.assert_allclose(ahead.positions, expected.positions, atol=1e-9)
    np.testing.assert_allclose(ahead.base_pos, expected.base_pos, atol=1e-9)
    turn = quat.log(quat.multiply(ahead.base_rot, quat.inverse(expected.base_rot)))
    assert np.linalg.norm(turn) < 1e-9


def test_a_body_is_where_it_was_seen_else_where_its_trajectory_has_it():
    trajectory, seen = plan(random_clip(3), Timing())[0], random_state(5)
    assert now_and_then(None, None, 0.0, 0.5) == (None, None)
    now, then = now_and_then(None, trajectory, 1.0, 0.5)
    states_match(now, trajectory.state_at(1.0))
    states_match(then, trajectory.state_at(1.5))
    for elapsed_s, last in ((0.0, None), (trajectory.end_s, trajectory)):
        now, then = now_and_then(seen, last, elapsed_s, 0.5)
        assert now is seen
        states_match(then, coming_to_rest(seen, 0.5))
    states_match(
        now_and_then(seen, trajectory, 1.0, 0.5)[1], carried_on(seen, trajectory, 1.0, 0.5)
    )


def test_what_was_seen_a_moment_ago_is_carried_on_to_now():
    trajectory, _ = plan(random_clip(3), Timing())
    seen = trajectory.state_at(1.0)
    now, then = now_and_then(seen, trajectory, 1.08, 0.2, ago_s=0.08)
    states_match(now, trajectory.state_at(1.08))
    states_match(then, trajectory.state_at(1.28))
