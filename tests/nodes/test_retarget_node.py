# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot that does what a human does, with playback in its place, over real DDS."""

from __future__ import annotations

import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from sensor_msgs.msg import JointState
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory

from mgpt3_ros.body.profiles import make_profile
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

HUMAN = make_profile('human_full', 'human').names
ARM = 'left_elbow_joint'


@pytest.fixture(scope='module')
def robot(tmp_path_factory):
    """A node that moves the tin man as a human moves, whom the probe plays."""
    folder = tmp_path_factory.mktemp('retarget')
    path = str(write_tin_man(folder))
    with free_domain() as number, processes_of_nodes(folder) as make, Probe(number) as probe:
        probe.profile = robot_profile(path)
        for name in probe.profile.robot.controllers:
            probe.listen(name, JointTrajectory, f'{name}/joint_trajectory')
        probe.listen('states', JointState, 'joint_states')
        probe.human = probe.node.create_publisher(JointState, 'human/joint_states', 10)
        options = {'start_from': 'joint_states', 'require_joint_state': True}
        make('retarget_node', joint_profile=path, **options)
        make('playback_node', joint_profile=path)
        probe.until(probe.human.get_subscription_count, 'the node')
        probe.until(lambda: probe.heard['states'], 'the robot')
        yield probe


def play(robot: Probe, seconds: float) -> None:
    """Play a human who bends and stretches the left elbow, once in two seconds."""
    begin = time.monotonic()
    while (at := time.monotonic() - begin) < seconds:
        angles = np.zeros(len(HUMAN))
        angles[HUMAN.index('left_elbow_y')] = -1.0 * (1 - np.cos(np.pi * at))
        message = JointState(name=list(HUMAN), position=angles.tolist())
        message.header.stamp = robot.node.get_clock().now().to_msg()
        robot.human.publish(message)
        robot.spin_for(0.02)


def elbow(robot: Probe) -> np.ndarray:
    """How far the robot's left elbow was bent, as it was seen [rad]."""
    return np.array([s.position[list(s.name).index(ARM)] for s in robot.heard['states']])


def test_the_robot_does_what_the_human_does_within_its_bounds(robot):
    robot.forget()

    def bends() -> bool:
        play(robot, 1.0)
        return bool(np.ptp(elbow(robot)) > 1.5)

    robot.until(bends, 'the elbow to bend')
    profile = robot.profile
    for name, joints in profile.robot.controllers.items():
        assert robot.heard[name]
        for message in robot.heard[name]:
            assert violations(message, joints) == []
    for message in robot.heard['joint_trajectory']:
        path = joint_path(message)
        assert path.velocities is not None
        lowest, highest = extreme_positions(path.times, path.positions, path.velocities)
        speeds, _ = extreme_rates(path.times, path.positions, path.velocities)
        lower, upper = profile.position_limits.T
        spare = 0.9 * profile.robot.config.limits.margin  # to the URDF's: what a cubic adds
        assert (lowest >= lower - spare).all()
        assert (highest <= upper + spare).all()
        assert (speeds <= profile.velocity_limits * 1.001).all()


def test_it_comes_to_rest_when_the_human_is_gone(robot):
    robot.forget()
    play(robot, 2.0)

    def rests() -> bool:
        robot.spin_for(0.5)
        return np.ptp(elbow(robot)[-20:]) < 1e-3

    robot.until(rests, 'the robot to rest')


def test_a_cancel_holds_until_it_is_enabled(robot):
    robot.forget()
    play(robot, 2.0)
    answer = robot.call(Trigger, 'retarget_node/cancel', Trigger.Request())
    assert 'call ~/enable' in answer.message
    robot.spin_for(0.3)
    count = len(robot.heard['joint_trajectory'])
    play(robot, 1.0)
    assert len(robot.heard['joint_trajectory']) == count
    robot.call(SetBool, 'retarget_node/enable', SetBool.Request(data=True))

    def follows() -> bool:
        play(robot, 0.5)
        return len(robot.heard['joint_trajectory']) > count

    robot.until(follows, 'the robot to follow again')


def test_a_body_that_is_no_robot_is_refused_in_a_line(domain, tmp_path):
    with processes_of_nodes(tmp_path) as make:
        node = make('retarget_node')
        assert node.wait(60.0) == 2
        assert 'give joint_profile:=ROBOT' in node.output
