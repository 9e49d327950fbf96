# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.body_trajectory import BodyState
from mgpt3_ros.body.planning import (
    EASE_S,
    LONGEST_EASE_S,
    Timing,
    carried_on,
    coming_to_rest,
    now_and_then,
    plan,
    stop,
)
from mgpt3_ros.body.profiles.angles import calm
from mgpt3_ros.body.profiles.base import beyond
from mgpt3_ros.body.spline import extreme_rates
from mgpt3_ros.model.errors import MotionError
from tests.support.clips import random_clip, random_state


def states_match(one: BodyState, other: BodyState, tolerance: float = 1e-6) -> None:
    for name in ('positions', 'velocities', 'base_pos', 'base_lin'):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=tolerance)
    turn = quat.log(quat.multiply(one.base_rot, quat.inverse(other.base_rot)))
    assert np.linalg.norm(turn) < tolerance
    np.testing.assert_allclose(one.base_ang, other.base_ang, atol=tolerance)


def test_a_first_motion_begins_at_the_origin_facing_x():
    clip = random_clip(0)
    trajectory, slower = plan(clip, Timing())
    first = trajectory.state_at(0.5)
    assert slower == 1.0
    np.testing.assert_allclose(first.positions, clip.positions[0], atol=1e-9)
    np.testing.assert_allclose(first.base_pos, [0, 0, clip.base_pos[0, 2]], atol=1e-9)
    assert abs(quat.yaw(first.base_rot)) < 1e-9


def test_a_clip_is_played_as_it_is_up_to_its_easing_end():
    clip = random_clip(1, frames=80)
    trajectory, _ = plan(clip, Timing(lead_in_s=0.5))
    straight = int((clip.duration_s - EASE_S) * 20)
    np.testing.assert_allclose(
        trajectory.joints.positions[:straight], clip.positions[:straight], atol=1e-9
    )
    np.testing.assert_allclose(
        np.diff(trajectory.base.pos[:straight, 2]), np.diff(clip.base_pos[:straight, 2]), atol=1e-9
    )
    np.testing.assert_allclose(trajectory.joints.positions[-1], clip.positions[-1], atol=1e-9)
    assert trajectory.end_s == pytest.approx(0.5 + clip.duration_s + EASE_S)


@pytest.mark.parametrize('seed', range(8))
def test_a_motion_starts_where_the_body_is_with_its_velocity(seed):
    state = random_state(seed)
    trajectory, _ = plan(random_clip(seed), Timing(lead_in_s=0.4), state)
    states_match(trajectory.state_at(0.4), state)


def test_the_blend_leaves_the_clip_untouched_after_it():
    clip, state = random_clip(2, far=0.1), random_state(2)
    close = dataclasses.replace(state, positions=clip.positions[0] + 0.01)
    trajectory, _ = plan(clip, Timing(blend_s=0.3), close)
    after = trajectory.times > 0.5 + 0.3
    straight = trajectory.times < 0.5 + clip.duration_s - EASE_S
    frames = np.flatnonzero(after & straight)
    np.testing.assert_allclose(
        trajectory.joints.positions[frames], clip.positions[frames], atol=1e-9
    )


def test_heading_and_way_continue():
    clip, state = random_clip(3), random_state(3)
    trajectory, _ = plan(clip, Timing(), state)
    turn = quat.yaw(trajectory.base.rot[30]) - quat.yaw(trajectory.base.rot[0])
    expected = quat.yaw(clip.base_rot[30]) - quat.yaw(clip.base_rot[0])
    assert np.cos(turn - expected) > 0.99
    np.testing.assert_allclose(trajectory.base.pos[0], state.base_pos, atol=1e-9)


def test_a_far_pose_is_not_reached_in_a_jerk():
    clip = random_clip(4)
    far = dataclasses.replace(random_state(4).at_rest(), positions=clip.positions[0] + 2.0)
    trajectory, _ = plan(clip, Timing(blend_s=0.1), far)
    own, _ = plan(clip, Timing())
    fastest = np.abs(own.joints.velocities).max()
    assert np.abs(trajectory.joints.velocities).max() < fastest + 3.5


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


LIMITS = np.array([[-0.4, 0.6]] * 5)


def beyond_limits(path) -> float:
    """How far [rad] a path goes beyond LIMITS anywhere on the way, not at its knots alone."""
    positions, _ = path.sample(np.linspace(path.times[0], path.times[-1], 5000))
    return float(beyond(positions, LIMITS).max())


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


def test_calming_takes_spikes_out_and_leaves_the_rest_alone():
    clip = random_clip(8, frames=80)
    limits = np.full(5, 20.0)
    np.testing.assert_array_equal(calm(clip.positions, 20.0, limits), clip.positions)
    spiked = clip.positions.copy()
    spiked[40:42, 2] += 2.5
    calmed = calm(spiked, 20.0, limits)
    assert np.abs(np.diff(calmed, axis=0)).max() * 20.0 <= 20.0
    untouched = np.r_[0:30, 52:80]
    np.testing.assert_array_equal(calmed[untouched], spiked[untouched])
    np.testing.assert_array_equal(calmed[:, [0, 1, 3, 4]], spiked[:, [0, 1, 3, 4]])


def test_fps_out_sets_the_points_and_not_the_motion():
    clip = random_clip(7)
    coarse, _ = plan(clip, Timing(fps_out=20.0))
    fine, _ = plan(clip, Timing(fps_out=100.0))
    assert len(fine.times) > 4.5 * len(coarse.times)
    for at in (0.9, 1.55, 2.31):
        np.testing.assert_allclose(
            coarse.state_at(at).positions, fine.state_at(at).positions, atol=5e-3
        )


@pytest.mark.parametrize('bounds', [(0.5, np.inf), (np.inf, 2.0), (1.0, 3.0)])
def test_an_unknown_body_is_given_time_to_come_to_the_first_pose(bounds):
    timing = Timing(max_velocity=bounds[0], max_acceleration=bounds[1])
    path = plan(random_clip(9), timing)[0].joints
    still = np.zeros((1, 5))
    times = np.concatenate([[0.0], path.times])
    positions = np.concatenate([still, path.positions])
    velocities = np.concatenate([still, path.velocities])
    speed, acceleration = extreme_rates(times, positions, velocities)
    assert path.times[0] > timing.lead_in_s
    assert speed.max() <= bounds[0] * 1.001
    assert acceleration.max() <= bounds[1] * 1.001


def test_bounds_that_make_a_motion_endless_are_an_error():
    with pytest.raises(MotionError, match='raise max_joint_velocity'):
        plan(random_clip(10), Timing(max_velocity=1e-4))


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
