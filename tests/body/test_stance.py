# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mgpt3_ros.body.body_trajectory import BasePath
from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.from_motion import clip_of
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.body.stance import CLOSE_LEAD_S, closing, grounded, joints_of
from mgpt3_ros.body.stopping import stop
from mgpt3_ros.model.finishing.settling import is_stance, standing_pose
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS
from mgpt3_ros.model.motion import Motion
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


def test_feet_on_the_floor_change_nothing(walk):
    assert grounded(walk, PROFILE) is walk


def test_a_walk_that_is_stopped_closes_its_feet(walk):
    halted = stop(walk, 1.85)
    assert not is_stance(joints_of(halted, np.array([halted.end_s]), PROFILE)[0])
    closed = closing(halted, TIMING, PROFILE)
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
