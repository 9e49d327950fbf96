# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole loop over real DDS: words, a motion, a simulated robot, a caption of what it does."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')
pytest.importorskip('mujoco', reason='MuJoCo is not installed: pip install "mgpt3_ros[sim]"')

from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory

from mgpt3_ros.nodes.messages import joint_path
from tests.nodes.conftest import processes_of_nodes
from tests.support.domains import free_domain
from tests.support.listener import LATCHED
from tests.support.probe import Probe
from tests.support.robots import write_tin_man

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def robot(default_checkpoint, tmp_path_factory):
    """A simulated tin man, moved and captioned by motion_server."""
    folder = tmp_path_factory.mktemp('loop')
    path = str(write_tin_man(folder))
    with free_domain() as number, processes_of_nodes(folder) as make, Probe(number) as probe:
        probe.listen('states', JointState, 'joint_states')
        probe.listen('arms', JointTrajectory, 'arms/joint_trajectory')
        probe.node.create_subscription(String, 'caption', probe.heard['caption'].append, LATCHED)
        probe.push = probe.node.create_publisher(WrenchStamped, 'sim_node/push', 10)
        probe.stick = probe.node.create_publisher(String, 'sim_node/stick', 10)
        make('sim_node', joint_profile=path)
        options = {'checkpoint': str(default_checkpoint), 'device': 'cpu', 'seed': 1}
        options |= {'start_from': 'joint_states', 'require_joint_state': True}
        # As slow as a busy machine: the simulation may pause.
        make('motion_server', joint_profile=path, max_gap_s=5.0, **options)
        probe.active()
        probe.until(lambda: probe.heard['states'], 'the robot')
        yield probe


def spoken(robot: Probe, text: str) -> None:
    robot.forget()
    robot.say(text)
    robot.status('published')


def test_what_was_said_is_what_is_seen(robot):
    spoken(robot, 'a person walks forward and turns left')

    def seen() -> bool:
        return any('walk' in c.data and 'left' in c.data for c in robot.heard['caption'])

    captions = robot.heard['caption']
    robot.node.create_subscription(String, 'caption', captions.append, LATCHED)
    robot.until(seen, 'a caption of the walk')


def test_joints_follow_and_torques_are_told(robot):
    spoken(robot, 'a person raises the left arm')
    message = robot.until(lambda: robot.heard['arms'], 'the trajectory')[0]
    path = joint_path(message)

    def reached() -> bool:
        state = robot.heard['states'][-1]
        here = [state.position[list(state.name).index(name)] for name in message.joint_names]
        return bool(np.abs(np.array(here) - path.positions[-1]).max() < 0.1)

    robot.until(lambda: robot.heard['states'] and reached(), 'the end of the motion')
    state = robot.heard['states'][-1]
    assert len(state.effort) == len(state.name)
    assert np.abs(state.effort).max() > 0.1


def test_a_stuck_joint_and_a_push_are_told(robot):
    for joint in ('left_shoulder_pitch_joint', 'left_shoulder_roll_joint'):
        robot.stick.publish(String(data=joint))
    spoken(robot, 'a person raises the left arm')
    robot.until(
        lambda: 'left_shoulder_' in robot.health('/sim_node')['message'], 'the stuck joints'
    )
    robot.stick.publish(String(data=''))
    robot.cancel()
    robot.until(
        lambda: float(robot.health('/sim_node')['tracking_error']) < 0.05, 'the joint to follow'
    )
    push = WrenchStamped()
    push.header.frame_id = 'right_elbow'
    push.wrench.force.y = -600.0
    robot.push.publish(push)
    robot.until(
        lambda: float(robot.health('/sim_node')['tracking_error']) > 0.1, 'the push to be felt'
    )


def test_what_it_cannot_do_is_refused_in_words(robot):
    robot.stick.publish(String(data='tail'))
    robot.until(
        lambda: "tin has no joint 'tail'" in robot.health('/sim_node')['last_error'], 'the refusal'
    )
