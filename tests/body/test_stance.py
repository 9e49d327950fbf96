# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from mgpt3_ros.body.body_trajectory import BasePath, led_by
from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.from_motion import clip_of
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.body.profiles.base import beyond
from mgpt3_ros.body.spline import extreme_rates
from mgpt3_ros.body.stance import (
    CLOSE_LEAD_S,
    begins_at_speed,
    closing,
    grounded,
    joints_of,
    meeting,
    on_the_way,
    rested_first,
)
from mgpt3_ros.body.stopping import stop
from mgpt3_ros.model.finishing.settling import is_stance, standing_pose
from mgpt3_ros.model.kinematics.heading import rotate_about_y
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS
from mgpt3_ros.model.motion import Motion
from tests.support.cubics import base_accelerations
from tests.support.walks import walking

PROFILE = make_profile('human_full', 'human')
TIMING = Timing(max_velocity=PROFILE.velocity_limits)


@pytest.fixture(scope='module')
def walk():
    return plan(clip_of(Motion(walking(8)), PROFILE), TIMING)[0]


def lowest(trajectory) -> float:
    at = np.linspace(trajectory.times[0], trajectory.end_s, 200)
    return float(joints_of(trajectory, at, PROFILE)[:, FOOT_JOINTS, 1].min())


def test_feet_under_the_floor_lift_the_base_and_nothing_else(walk):
    dip = 0.06 * np.exp(-(((walk.times - walk.times[20]) / 0.15) ** 2))
    pos = walk.base.pos - dip[:, None] * [0, 0, 1]
    low = replace(
        walk, base=BasePath(walk.times, pos, walk.base.rot, walk.base.lin, walk.base.ang)
    )
    assert lowest(low) < -0.04
    lifted = grounded(low, PROFILE)
    assert lowest(lifted) > -0.01
    assert lifted.joints is low.joints
    np.testing.assert_array_equal(lifted.base.pos[:, :2], low.base.pos[:, :2])
    np.testing.assert_array_equal(lifted.base.pos[0], low.base.pos[0])
    sudden = base_accelerations(replace(low, start=walk.state_at(0.5)))
    assert base_accelerations(replace(lifted, start=walk.state_at(0.5)))[2] < sudden[2] + 6.0


def test_feet_on_the_floor_change_nothing(walk):
    assert grounded(walk, PROFILE) is walk


def test_a_walk_that_is_stopped_closes_its_feet(walk):
    halted = stop(walk, 1.85)
    assert not is_stance(joints_of(halted, np.array([halted.end_s]), PROFILE)[0])
    closed = closing(halted, replace(TIMING, lead_in_s=CLOSE_LEAD_S), PROFILE)
    assert closed is not None
    assert closed.times[0] == pytest.approx(CLOSE_LEAD_S)
    state, other = closed.state_at(CLOSE_LEAD_S), halted.state_at(CLOSE_LEAD_S)
    np.testing.assert_allclose(state.positions, other.positions, atol=1e-6)
    np.testing.assert_allclose(state.base_pos, other.base_pos, atol=1e-6)
    assert is_stance(joints_of(closed, np.array([closed.end_s]), PROFILE)[0])
    assert lowest(closed) > -0.01
    assert np.abs(closed.joints.velocities[-1]).max() == 0.0
    assert closed.end_s < 2.0


def test_what_stands_already_stays(walk):
    still = np.repeat(standing_pose()[None], 20, axis=0)
    standing = plan(clip_of(Motion(still), PROFILE), TIMING)[0]
    assert closing(standing, TIMING, PROFILE) is None


@pytest.mark.parametrize('elapsed_s', [1.0, 2.3, 4.1])
def test_a_motion_that_begins_after_a_rest_keeps_the_bounds_on_all_of_its_way(elapsed_s):
    bounds = replace(TIMING, max_velocity=np.minimum(TIMING.max_velocity, 2.0))
    bounds = replace(bounds, max_acceleration=10.0)
    motion = Motion(walking(8))
    before, _ = plan(clip_of(motion, PROFILE), bounds)
    later, slower = rested_first(motion, before, elapsed_s, bounds, PROFILE)
    assert slower > 1.0
    now = before.state_at(elapsed_s)
    whole = led_by(later.joints, 0.0, now.positions, now.velocities)
    speed, acceleration = extreme_rates(whole.times, whole.positions, whole.velocities)
    assert np.max(speed / bounds.max_velocity) <= 1.001
    assert acceleration.max() <= 10.01
    assert lowest(later) > -0.02
    np.testing.assert_array_equal(later.joints.velocities[-1], 0.0)


def facing_aside(joints: np.ndarray) -> np.ndarray:
    """A walk on which the body faces to the right of its way."""
    root = joints[:, :1] * (1, 0, 1)
    return rotate_about_y(joints - root, np.pi / 2) + root


# 1.2 and 2.4 m/s; smooth, for the picture book's body stops at each step.
WALK, RUN = (gaussian_filter1d(walking(24)[::often], 2.0, axis=0) for often in (2, 4))
OTHERS = {
    'walk': WALK,
    'run': RUN,
    'back': WALK[::-1],
    'aside': facing_aside(WALK),
    'nowhere': np.repeat(standing_pose()[None], 40, axis=0),
}


@pytest.mark.parametrize('other', OTHERS)
@pytest.mark.parametrize('lead_s', [0.1, 0.5])
@pytest.mark.parametrize('one', ['walk', 'run'])
def test_a_body_that_goes_over_into_another_motion_is_never_pulled(one, other, lead_s):
    before, _ = plan(clip_of(Motion(OTHERS[one]), PROFILE), TIMING)
    elapsed_s = 1.3
    at_s = elapsed_s + lead_s
    clip = meeting(Motion(OTHERS[other]), before, at_s, PROFILE)
    then, now = before.state_at(at_s), before.state_at(elapsed_s)
    after, _ = plan(clip, replace(TIMING, lead_in_s=lead_s), then, now)
    limits = PROFILE.position_limits
    after = on_the_way(grounded(after, PROFILE), before, elapsed_s, limits)
    # 0.16 m/s within 10 ms: a body that brakes hard; the run alone has 12 as it comes to rest.
    assert base_accelerations(after).max() < 16.0


def test_the_way_of_one_that_is_still_led_in_stays_within_limits(walk):
    """A body is led to its first knot by a cubic: from rest to a speed it swings back first."""
    name = PROFILE.names[3]
    limits = PROFILE.position_limits
    positions, velocities = walk.joints.positions.copy(), walk.joints.velocities.copy()
    column, first_s = walk.names.index(name), float(walk.times[0])
    positions[0, column], velocities[0, column] = limits[3, 0] + 0.05, 12.0
    still = replace(walk.state_at(first_s), velocities=np.zeros(len(walk.names)))
    begun = replace(
        walk,
        joints=replace(walk.joints, positions=positions, velocities=velocities),
        start=replace(still, positions=np.clip(np.zeros(len(walk.names)), *limits.T)),
    )
    at = np.linspace(0.0, first_s, 50)
    assert beyond(begun.sample(at)[0].positions, limits)[:, column].max() > 0.3  # unplanned
    after = on_the_way(walk.after(0.0), begun, 0.1, limits)
    knots = after.times[after.times < walk.times[0]]
    assert len(knots)
    at = np.linspace(knots[0], knots[-1], 50)
    assert beyond(after.sample(at)[0].positions, limits).max() < 1e-9


def test_the_way_is_the_one_before_to_its_own_knots(walk):
    elapsed_s = 1.03
    rest = plan(clip_of(Motion(walking(8)), PROFILE), replace(TIMING, lead_in_s=0.7))[0]
    after = on_the_way(rest, walk, elapsed_s, PROFILE.position_limits)
    at = np.linspace(after.times[0], rest.times[0] - 0.06, 80)
    expected, _ = walk.sample(elapsed_s + at)
    np.testing.assert_allclose(after.sample(at)[0].positions, expected.positions, atol=1e-9)


def test_a_trajectory_that_was_stretched_does_not_begin_at_the_bodys_speed(walk):
    state = walk.state_at(float(walk.times[30]))
    rest = walk.without(30)
    assert begins_at_speed(rest, state)
    slowed = replace(rest, joints=replace(rest.joints, velocities=rest.joints.velocities / 2))
    assert not begins_at_speed(slowed, state)
