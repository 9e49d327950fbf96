# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What nodes that hear a body do with joint states, odometry and limits, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from nav_msgs.msg import Odometry
from rclpy.parameter import Parameter
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory

from mgpt3_ros.body.from_motion import clip_of
from mgpt3_ros.body.profiles.base import beyond
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.nodes.caption_node import CaptionNode
from mgpt3_ros.nodes.generate_node import GenerateNode
from mgpt3_ros.nodes.generation import Generated
from mgpt3_ros.nodes.lifecycle import MotionNode
from mgpt3_ros.nodes.listening_node import to_stamp
from mgpt3_ros.nodes.messages import joint_path
from mgpt3_ros.nodes.predict_node import PredictNode
from tests.support.in_process import NodeHere, StandInHost, nodes_here
from tests.support.tiny import swinging_motion

NODES = (GenerateNode, CaptionNode, PredictNode)
BEGIN_S = 1000.0


class StandIn(StandInHost):
    """A model that is not asked: ``answer`` is what comes of every call."""

    answer: object = None

    def _run(self, call, job):
        return self.answer

    def _draw(self, jobs):
        for job in jobs:
            job.end(self.answer)


class World(NodeHere):
    """An active node, and what it is made to hear."""

    def __init__(self, kind: type) -> None:
        host = StandIn()
        super().__init__(kind(host), host)
        self.until(lambda: self.node.active, 'activation')

    def joints(self, time_s: float, positions: list[float], velocities: list[float]) -> None:
        names = list(self.node.profile.names)
        state = JointState(name=names, position=positions, velocity=velocities)
        state.header.stamp = to_stamp(round((BEGIN_S + time_s) * 1e9))
        self.node._on_joints(state)

    def odometry(self, stamp_s: float, x: float) -> None:
        message = Odometry()
        message.header.stamp = to_stamp(round(stamp_s * 1e9))
        message.pose.pose.position.x = x
        message.pose.pose.orientation.w = 1.0
        self.node._on_odometry(message)


@pytest.fixture
def make(domain: int) -> Iterator[Callable[[type], World]]:
    with nodes_here(domain, World) as make:
        yield make


@pytest.mark.parametrize('kind', NODES)
def test_velocities_that_are_no_numbers_cost_no_joint_state(make, kind: type[MotionNode]):
    world = make(kind)
    for step in range(12):
        world.joints(0.05 * step, [0.1 * step] * 63, [np.nan] * 63)
    values = world.node._health().values
    assert (values['joint_states'], values['without_velocity']) == ('12', '12')
    assert world.node.sees_body
    assert world.node.last_error == ''
    np.testing.assert_allclose(world.node.buffer.state().velocities, 2.0)


@pytest.mark.parametrize('kind', NODES)
def test_one_position_that_is_no_number_costs_the_joint_state(make, kind: type[MotionNode]):
    world = make(kind)
    if kind is GenerateNode:  # else it needs none
        world.node.set_parameters([Parameter('require_joint_state', value=True)])
    for step in range(12):
        world.joints(0.05 * step, [0.1] * 62 + [np.nan], [])
    assert world.node.buffer.dropped == {'number': 12}
    assert not world.node.sees_body
    health = world.node._health()
    assert health.level == DiagnosticStatus.ERROR
    assert '10 joint states in a row' in health.message


@pytest.mark.parametrize('kind', NODES)
@pytest.mark.parametrize('clock_s', [5.0, 1.7e9])
def test_odometry_of_another_clock_is_a_warning(make, kind: type[MotionNode], clock_s: float):
    world = make(kind)
    for step in range(40):
        world.joints(0.05 * step, [0.0] * 63, [])
        world.odometry(clock_s + 0.05 * step, 0.05 * step)
    health = world.node._health()
    assert health.level == DiagnosticStatus.WARN
    assert 'odometry is heard but not used' in health.message
    assert world.node.buffer.dropped == {'apart': 40}
    if kind is not GenerateNode:
        assert health.values['base'] == 'not usable: upright at rest'
    for step in range(40, 42):
        world.joints(0.05 * step, [0.0] * 63, [])
        world.odometry(BEGIN_S + 0.05 * step, 0.05 * step)
    world.joints(2.1, [0.0] * 63, [])
    assert world.node._health().level == DiagnosticStatus.OK
    assert world.node.buffer.window().base


@pytest.mark.parametrize('kind', NODES[1:])
def test_odometry_once_a_second_is_used(make, kind: type[MotionNode]):
    world = make(kind)
    for step in range(60):
        world.joints(0.05 * step, [0.0] * 63, [])
        if not step % 20:
            world.odometry(BEGIN_S + 0.05 * step, 0.05 * step)
    health = world.node._health()
    assert (health.level, health.values['base']) == (DiagnosticStatus.OK, 'odom')
    assert (health.values['gaps'], health.values['dropped']) == ('0', '0')


def test_no_joint_is_sent_beyond_its_limits_and_status_says_which(make):
    world = make(GenerateNode)
    profile = world.node.profile
    world.node.set_parameters([Parameter('max_joint_velocity', value=5.0)])
    world.node.set_parameters([Parameter('refuse_unknown', value=False)])
    motion = Motion(swinging_motion(0, frames=60))
    clip = clip_of(motion, profile)
    knee, elbow = (profile.names.index(name) for name in ('right_knee_y', 'left_elbow_y'))
    clip.positions[20:40, knee] -= 1.5
    clip.positions[10:50, elbow] += 1.0
    assert beyond(clip.positions, profile.position_limits).max() > 0.8
    world.host.answer = Generated(clip, motion, {'duration_s': '3.0', 'duration_from': 'text'})
    heard: list[JointTrajectory] = []
    told: list[DiagnosticStatus] = []
    listener = rclpy.create_node('listener')
    listener.create_subscription(JointTrajectory, 'joint_trajectory', heard.append, 10)
    listener.create_subscription(DiagnosticStatus, 'generate_node/status', told.append, 10)
    commands = listener.create_publisher(String, 'command', 10)
    world.executor.add_node(listener)
    world.until(commands.get_subscription_count, 'an ear for commands')
    world.until(lambda: listener.count_publishers('joint_trajectory'), 'a trajectory topic')
    commands.publish(String(data='kneel'))
    world.until(lambda: heard and told and told[-1].message == 'published', 'a trajectory')
    path = joint_path(heard[0])
    positions, _ = path.sample(np.linspace(path.times[0], path.times[-1], 5000))
    assert beyond(positions, profile.position_limits).max() < 1e-4
    assert path.positions[:, knee].min() == pytest.approx(profile.position_limits[knee, 0])
    reason = {pair.key: pair.value for pair in told[-1].values}['reason']
    assert 'joints held at the limits, right_knee_y by up to' in reason
    world.executor.remove_node(listener)
    listener.destroy_node()
