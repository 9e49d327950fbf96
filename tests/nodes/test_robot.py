# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot that moves by words, with playback in its place, over real DDS."""

from __future__ import annotations

import signal

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from mgpt3_ros.body.body_trajectory import JointPath
from mgpt3_ros.body.spline import extreme_rates
from mgpt3_ros.nodes.messages import joint_path
from mgpt3_ros.robots import robot_profile
from tests.nodes.conftest import processes_of_nodes
from tests.support.cubics import extreme_positions
from tests.support.domains import free_domain
from tests.support.jtc_rules import violations
from tests.support.probe import Probe
from tests.support.robots import write_tin_man

pytestmark = pytest.mark.slow

CONTROLLERS = ('arms', 'rest')
SENTENCE = 'a person walks forward for 5 seconds'


@pytest.fixture(scope='module')
def robot(tiny_checkpoint, tmp_path_factory):
    """A probe, a node that moves the tin man, and playback, which stands for it."""
    folder = tmp_path_factory.mktemp('robot')
    path = write_tin_man(folder)
    with free_domain() as number, processes_of_nodes(folder) as make, Probe(number) as probe:
        for name in CONTROLLERS:
            probe.listen(name, JointTrajectory, f'{name}/joint_trajectory')
        probe.listen('states', JointState, 'joint_states')
        probe.profile = robot_profile(path)
        options = {'checkpoint': str(tiny_checkpoint), 'device': 'cpu', 'seed': 0}
        options |= {'start_from': 'joint_states', 'require_joint_state': True}
        make('generate_node', joint_profile=str(path), **options)
        probe.active()
        probe.say(SENTENCE)
        probe.refused_before = probe.status('refused')['reason']
        probe.stand_in = make('playback_node', joint_profile=str(path))
        yield probe


def moved(robot: Probe) -> list[JointTrajectory]:
    """Have the robot move; return what its controllers got, and last the whole trajectory."""
    robot.forget()

    def published() -> bool:
        if not robot.messages('queued'):
            robot.say(SENTENCE)
            robot.spin_for(0.2)
        return bool(robot.messages('published'))

    robot.until(published, 'a motion')
    robot.until(lambda: all(robot.heard[name] for name in CONTROLLERS), 'its controllers')
    return [*(robot.heard[name][0] for name in CONTROLLERS), robot.trajectory()]


def keeps_bounds(path: JointPath, profile) -> bool:
    """Whether no joint leaves its limits or is too fast, at any moment."""
    assert path.velocities is not None
    lowest, highest = extreme_positions(path.times, path.positions, path.velocities)
    speeds, _ = extreme_rates(path.times, path.positions, path.velocities)
    lower, upper = profile.position_limits.T
    within = (lowest >= lower - 1e-6).all() and (highest <= upper + 1e-6).all()
    return bool(within and (speeds <= profile.velocity_limits * 1.001).all())


def test_nothing_moves_before_the_robot_is_seen(robot):
    assert 'no current joint state was heard' in robot.refused_before


def test_each_controller_gets_its_joints_with_one_stamp(robot):
    arms, rest, whole = moved(robot)
    joints = robot.profile.robot.controllers
    for message, name in ((arms, 'arms'), (rest, 'rest')):
        assert violations(message, joints[name], lead_in_s=0.5) == []
        assert list(message.joint_names) == joints[name]
        assert message.header.stamp == whole.header.stamp
    assert whole.header.stamp.sec > 0
    assert violations(whole, robot.profile.names) == []
    base = robot.base()
    assert base.header.stamp == whole.header.stamp
    assert list(base.joint_names) == ['pelvis']
    columns = [whole.joint_names.index(name) for name in arms.joint_names]
    assert [list(p.positions) for p in arms.points] == [
        [p.positions[c] for c in columns] for p in whole.points
    ]


def test_it_begins_where_the_robot_is_seen_and_keeps_its_bounds(robot):
    whole = moved(robot)[-1]
    path, profile = joint_path(whole), robot.profile
    seen = robot.heard['states'][-1]
    here = np.array([seen.position[list(seen.name).index(n)] for n in whole.joint_names])
    # It is on its way meanwhile; what it does in that time is within its speed too.
    speed = np.abs(path.positions[0] - here) / path.times[0]
    assert (speed <= profile.velocity_limits).all()
    assert keeps_bounds(path, profile)


def test_a_cancel_ends_in_a_held_pose_within_the_bounds(robot):
    moved(robot)
    robot.cancel()
    robot.until(lambda: len(robot.heard['rest']) == 2, 'the stop')
    for name in CONTROLLERS:
        halt = robot.heard[name][1]
        assert violations(halt, robot.profile.robot.controllers[name]) == []
    assert keeps_bounds(joint_path(robot.trajectory(2)), robot.profile)


def test_it_stops_when_it_is_no_longer_seen(robot):
    moved(robot)
    robot.stand_in.end(signal.SIGINT)
    told = robot.status('cancelled')
    assert 'the joint states have stopped while playing' in told['reason']
    halt = robot.trajectory(2)
    assert violations(halt, robot.profile.names) == []
    assert keeps_bounds(joint_path(halt), robot.profile)
