# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot as a body's joint profile: planning keeps its limits, observation reads it back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.from_motion import clip_of, following
from mgpt3_ros.body.observation import MotionBuffer
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.model.errors import ConfigError, RobotError
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.robots import RobotProfile, robot_profile
from tests.support.robots import tin_man, walking, write_tin_man


@pytest.fixture(scope='module', params=['x', '-x'])
def profile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """Of the robot, and of the same whose base looks backward."""
    if request.param == 'x':
        return RobotProfile(tin_man(tmp_path_factory.mktemp('tin')))
    return backward(tmp_path_factory.mktemp('back'))


def backward(folder: Path) -> RobotProfile:
    """The robot with one more link as its base, turned by half a turn: as iCub's."""
    path = write_tin_man(folder, {'base_link': 'torso', 'faces': [-1, 0, 0]})
    urdf = (folder / 'tin.urdf').read_text(encoding='utf-8')
    turned = (
        '<link name="torso"/><joint name="turned" type="fixed"><parent link="torso"/>'
        '<child link="pelvis"/><origin rpy="0 0 3.141592653589793"/></joint></robot>'
    )
    (folder / 'tin.urdf').write_text(urdf.replace('</robot>', turned), encoding='utf-8')
    return robot_profile(path)


@pytest.fixture(scope='module')
def motion() -> Motion:
    return Motion(walking(60).astype(np.float32))


def test_profiles_are_made_by_name(tmp_path: Path):
    path = str(write_tin_man(tmp_path))
    assert make_profile(path, '', robot_profile).names[0] == 'waist_yaw_joint'
    with pytest.raises(RobotError, match="no robot 'hal'"):
        make_profile('hal', '', robot_profile)
    with pytest.raises(ConfigError, match='no joint profile'):
        make_profile('hal', '')


def test_a_trajectory_keeps_the_robots_limits(profile: RobotProfile, motion: Motion):
    timing = Timing(max_velocity=0.3 * profile.velocity_limits)
    trajectory, slower = plan(clip_of(motion, profile), timing)
    at = np.arange(0, trajectory.end_s, 0.005)
    joints, base = trajectory.sample(at)
    lower, upper = profile.position_limits.T
    assert trajectory.names == profile.names
    assert (joints.positions >= lower - 0.011).all()  # the margin within the URDF's
    assert (joints.positions <= upper + 0.011).all()
    assert joints.velocities is not None
    assert (np.abs(joints.velocities) <= 0.3 * profile.velocity_limits * 1.01).all()
    assert slower >= 1.0
    # It begins at the origin, and walks along X: whatever its base link looks along.
    way = base.pos[-1, :2] - base.pos[0, :2]
    assert way[0] > 0.3
    assert abs(way[1]) < 0.1


def test_what_stands_without_odometry_stands_facing_x(profile: RobotProfile):
    buffer = MotionBuffer(profile)
    for step in range(60):
        buffer.hear_joints(profile.names, profile.standing, step * 50_000_000)
    window = buffer.window()
    assert window is not None
    seen = window.resampled().motion(profile).joints
    facing = seen[:, 1] - seen[:, 2]  # from the right hip to the left: +X of the model, Y up
    np.testing.assert_allclose(facing[:, 2], 0, atol=0.02)
    assert (facing[:, 0] > 0.05).all()
    assert seen[..., 1].min() == pytest.approx(0, abs=0.03)


def test_what_was_seen_comes_back_as_the_human(profile: RobotProfile, motion: Motion):
    positions, base_pos, base_rot = profile.from_joints(motion.joints, motion.fps)
    joints = profile.to_joints(positions, base_pos, base_rot)
    error = np.linalg.norm(
        (joints - joints[:, :1]) - (motion.joints - motion.joints[:, :1]), axis=-1
    )
    assert error.mean() < 0.03


def test_a_prediction_goes_on_from_what_was_seen(profile: RobotProfile, motion: Motion):
    buffer = MotionBuffer(profile)
    positions, base_pos, base_rot = profile.from_joints(motion.joints[:40], motion.fps)
    for step, row in enumerate(positions):
        buffer.hear_base(base_pos[step], base_rot[step], step * 50_000_000)
        buffer.hear_joints(profile.names, row, step * 50_000_000)
    window = buffer.window()
    assert window is not None
    observed = window.resampled()
    seen = observed.motion(profile)
    ahead = Motion(motion.joints[40:], motion.fps)
    trajectory = following(observed, seen, ahead, profile)
    first = trajectory.sample(np.array([0.05]))[0].positions[0]
    assert np.abs(first - positions[-1]).max() < 0.3
