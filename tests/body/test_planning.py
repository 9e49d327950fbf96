# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.bounds import EASE_S, Timing
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.spline import extreme_rates
from mgpt3_ros.model.errors import MotionError
from tests.support.clips import random_clip, random_state, states_match


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
