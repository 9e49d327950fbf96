# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trajectories of robots: bounds kept from the pose where they are seen to where they stop.

What ~/cancel, a deactivation, an emergency stop and a loss of joint states send is all one
``stop``; here it is held to every robot's bounds.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.body_trajectory import BodyState, BodyTrajectory
from mgpt3_ros.body.bounds import EASE_S, Timing
from mgpt3_ros.body.from_motion import clip_of, following
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.spline import extreme_rates
from mgpt3_ros.body.stopping import LAG, stop
from mgpt3_ros.body.window import Observed, model_joints
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.robots import RobotProfile, robot_names
from tests.support.cubics import extreme_positions
from tests.support.robots import known, tin_man, walking

ACCELERATION = 20.0  # [rad/s^2]
ROBOTS = ['tin', *robot_names()]


@pytest.fixture(scope='module')
def motions() -> list[Motion]:
    """What is played: someone walks; someone throws arms and legs about."""
    return [Motion(walking(80).astype(np.float32), 20), _thrown_about(1.2, 2.5)]


def profile_of(name: str, folder: Path) -> RobotProfile:
    return RobotProfile(tin_man(folder) if name == 'tin' else known(name))


def _thrown_about(rate: float, reach: float) -> Motion:
    """A human on whose joints angles swing, each at its own phase."""
    from mgpt3_ros.body.frames import vectors_to_model
    from mgpt3_ros.body.profiles import STANDING_HEIGHT_M
    from mgpt3_ros.model.kinematics.human import ANGLE_NAMES
    from mgpt3_ros.model.kinematics.joint_angles import BodyAngles, angles_to_joints

    times = np.arange(80) / 20.0
    angles = np.zeros((80, len(ANGLE_NAMES)))
    for index, name in enumerate(ANGLE_NAMES):
        swing = 0.5 * (1 - np.cos(2 * np.pi * rate * times + 0.1 * index))
        if name.endswith('_y') and ('shoulder' in name or 'elbow' in name):
            angles[:, index] = -reach * swing
        elif name.endswith('_y') and ('hip' in name or 'knee' in name):
            angles[:, index] = (1 if 'knee' in name else -1) * 0.5 * reach * swing
    place = vectors_to_model(np.stack([0.4 * times, 0 * times, 0 * times + STANDING_HEIGHT_M], 1))
    turn = np.tile([0.0, 0.0, 0.0, 1.0], (80, 1))
    return Motion(angles_to_joints(BodyAngles(place, turn, angles)).astype(np.float32), 20)


def standing(profile: RobotProfile) -> BodyState:
    base, still = profile.standing_base, np.zeros(3)
    rates = np.zeros(len(profile.names))
    return BodyState(profile.standing, rates, base[:3], base[3:], still, still)


def check(trajectory: BodyTrajectory, profile: RobotProfile, margin: float = 1e-6) -> None:
    """Every joint within its limits and speeds at every moment, first way included.

    A joint that is stopped just before a limit may use the margin [rad] to that of the URDF.
    """
    joints, _ = trajectory.sample(np.concatenate([[0.0], trajectory.times]))
    assert joints.velocities is not None
    lowest, highest = extreme_positions(joints.times, joints.positions, joints.velocities)
    lower, upper = profile.position_limits.T
    assert (lowest >= lower - margin).all()
    assert (highest <= upper + margin).all()
    speeds, _ = extreme_rates(joints.times, joints.positions, joints.velocities)
    assert (speeds <= profile.velocity_limits * 1.001).all()
    assert np.abs(joints.velocities[-1]).max() == 0.0


@pytest.mark.parametrize('name', ROBOTS)
def test_bounds_are_kept_from_where_it_stands_to_every_stop(name, motions, tmp_path):
    profile = profile_of(name, tmp_path)
    state = standing(profile)
    for motion in motions:
        timing = Timing(max_velocity=profile.velocity_limits)
        trajectory, _ = plan(clip_of(motion, profile), timing, state, state)
        check(trajectory, profile)
        assert np.allclose(trajectory.sample(np.zeros(1))[0].positions[0], state.positions)
        for elapsed_s in np.linspace(0.1, trajectory.end_s - 0.1, 8):
            bounds = np.inf, profile.position_limits, profile.velocity_limits
            halted = stop(trajectory, float(elapsed_s), *bounds)
            check(halted, profile, 0.9 * profile.robot.config.limits.margin)
            now = trajectory.state_at(float(elapsed_s))
            assert np.allclose(halted.state_at(0.0).velocities, now.velocities)
            assert halted.end_s >= 2 * EASE_S - 1e-6


@pytest.mark.parametrize('name', ROBOTS)
def test_a_bound_on_accelerations_is_kept_by_the_stop(name, motions, tmp_path):
    profile = profile_of(name, tmp_path)
    state = standing(profile)
    timing = Timing(max_velocity=profile.velocity_limits, max_acceleration=ACCELERATION)
    trajectory, _ = plan(clip_of(motions[1], profile), timing, state, state)
    for elapsed_s in np.linspace(0.1, trajectory.end_s - 0.1, 8):
        halted = stop(trajectory, float(elapsed_s), ACCELERATION, profile.position_limits)
        joints, _ = halted.sample(np.concatenate([[0.0], halted.times]))
        assert joints.velocities is not None
        _, sudden = extreme_rates(joints.times, joints.positions, joints.velocities)
        assert sudden.max() <= 1.05 * ACCELERATION


@pytest.mark.parametrize('name', ROBOTS)
def test_a_robot_that_lags_is_stopped_where_it_is_seen(name, motions, tmp_path):
    profile = profile_of(name, tmp_path)
    state = standing(profile)
    timing = Timing(max_velocity=profile.velocity_limits)
    trajectory, _ = plan(clip_of(motions[0], profile), timing, state, state)
    elapsed_s = 0.5 * trajectory.end_s
    bounds = np.inf, profile.position_limits, profile.velocity_limits
    halted = stop(trajectory, elapsed_s, *bounds, seen=state)
    check(halted, profile, 0.9 * profile.robot.config.limits.margin)
    assert np.allclose(halted.state_at(0.0).positions, state.positions, atol=LAG)


def test_a_prediction_goes_on_from_where_the_robot_is(tmp_path):
    profile = RobotProfile(tin_man(tmp_path))
    joints = walking(80).astype(np.float32)
    positions, pos, rot = profile.from_joints(joints, 20)
    turn = quat.about_z(1.0)  # it is somewhere, and looks somewhere
    pos = quat.rotate(turn, pos) + np.array([3.0, 2.0, 0.0])
    rot = quat.continuous(quat.multiply(turn, rot))
    observed = Observed(0, positions[:50], pos[:50], rot[:50], has_base=True)
    seen, all_of_it = (
        Motion(model_joints(profile, positions[:n], pos[:n], rot[:n]).astype(np.float32), 20)
        for n in (50, 80)
    )
    predicted = Motion(all_of_it.joints[50:], 20)
    trajectory = following(observed, seen, predicted, profile)
    way = np.concatenate([pos[48:50], trajectory.base.pos])
    steps = np.linalg.norm(np.diff(way, axis=0), axis=1)
    assert steps.max() < 1.5 * np.linalg.norm(np.diff(pos, axis=0), axis=1).max()
    assert np.abs(trajectory.base.pos[-1] - pos[-1]).max() < 0.05
    assert np.abs(trajectory.joints.positions[-1] - positions[-1]).max() < 0.15
