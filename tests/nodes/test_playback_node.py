# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""playback_node as a process, over real DDS."""

from __future__ import annotations

import signal
import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from builtin_interfaces.msg import Time
from nav_msgs.msg import Odometry
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint, MultiDOFJointTrajectory

from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.from_motion import BodyClip
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.profiles import STANDING_HEIGHT_M, make_profile
from mgpt3_ros.nodes.messages import seconds, to_messages
from tests.support.clips import random_clip

NAMES = make_profile('human_full', 'human').names


@pytest.fixture
def played(probe):
    """The probe, also hearing joint states and odometry and sending trajectories."""
    probe.listen('states', JointState, 'joint_states')
    probe.listen('odometry', Odometry, 'odom')
    probe.joints = probe.node.create_publisher(JointTrajectory, 'joint_trajectory', 10)
    probe.bases = probe.node.create_publisher(MultiDOFJointTrajectory, 'base_trajectory', 10)
    return probe


def discovered(played) -> None:
    ends = (played.joints, played.bases)
    # The probe itself listens to both topics.
    played.until(lambda: all(p.get_subscription_count() >= 2 for p in ends), 'the node')
    played.until(lambda: played.heard['states'] and played.heard['odometry'], 'joint states')


def clip(seed: int) -> BodyClip:
    made = random_clip(seed, frames=40, joints=63)
    return BodyClip(NAMES, made.positions, made.base_pos, made.base_rot, made.fps)


def test_before_the_first_trajectory_a_body_stands_upright(start, played):
    start('playback_node')
    discovered(played)
    state, odometry = played.heard['states'][-1], played.heard['odometry'][-1]
    assert tuple(state.name) == NAMES
    assert not np.any(state.position)
    assert odometry.pose.pose.position.z == pytest.approx(STANDING_HEIGHT_M)
    assert (odometry.header.frame_id, odometry.child_frame_id) == ('map', 'base_link')


def test_it_plays_what_was_planned_joints_and_base_together(start, played):
    start('playback_node', rate=100.0)
    discovered(played)
    trajectory, _ = plan(clip(0), Timing(lead_in_s=0.2))
    joints, base = to_messages(trajectory, Time(), 'map', 'base_link')
    played.bases.publish(base)
    played.joints.publish(joints)
    begun = time.monotonic()
    played.until(lambda: time.monotonic() - begun > trajectory.end_s + 0.3, 'the end')
    states = played.heard['states']
    positions = np.array([state.position for state in states])
    stamps = np.array([seconds(state.header.stamp) for state in states])
    # When it began by the node's clock is found: before the first state that moves, which a busy
    # machine may send late; the rest must follow.
    moving = np.flatnonzero(np.abs(positions).max(axis=1) > 0)
    dense = np.arange(0.2, trajectory.end_s, 0.01)
    planned = trajectory.joints.sample(dense)[0]

    def error(start_s: float) -> float:
        heard = np.stack([np.interp(start_s + dense, stamps, column) for column in positions.T], 1)
        return float(np.abs(heard - planned).mean())

    coarse = min(stamps[moving[0]] - np.arange(0.0, 0.5, 0.01), key=error)
    start_s = min(coarse + np.arange(-0.01, 0.01, 0.0005), key=error)
    assert error(start_s) < 0.005
    np.testing.assert_allclose(positions[-1], trajectory.joints.positions[-1], atol=1e-9)
    places = np.array(
        [[o.pose.pose.position.x, o.pose.pose.position.y] for o in played.heard['odometry']]
    )
    times = np.array([seconds(o.header.stamp) for o in played.heard['odometry']])
    heard = np.stack([np.interp(start_s + dense, times, column) for column in places.T], 1)
    assert np.abs(heard - trajectory.base.sample(dense)[0][:, :2]).max() < 0.03
    speeds = [o.twist.twist.linear for o in played.heard['odometry']]
    assert max(abs(speed.y) for speed in speeds) < max(abs(speed.x) for speed in speeds)


def test_unusable_trajectories_leave_the_body_where_it_is(start, played):
    start('playback_node')
    discovered(played)
    point = JointTrajectoryPoint(positions=[float('nan')] * 63)
    played.joints.publish(JointTrajectory(joint_names=list(NAMES), points=[point]))
    played.joints.publish(JointTrajectory())
    assert 'refused' in played.until(
        lambda: played.health('/playback_node')['last_error'], 'the refusal'
    )
    assert not np.any(played.heard['states'][-1].position)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_it_ends_within_a_second(start, played, number):
    node = start('playback_node', forked=False)
    discovered(played)
    code, took_s = node.end(number)
    assert (code, took_s < 1.0) == (0, True), node.output
    assert 'Traceback' not in node.output


def test_generated_motion_is_played_to_its_end(start, played, tiny_checkpoint):
    start('generate_node', checkpoint=str(tiny_checkpoint), seed=0)
    start('playback_node')
    discovered(played)
    played.active()
    played.say('a person walks forward for 2 seconds.')
    trajectory, base = played.trajectory(), played.base()
    goal, place = trajectory.points[-1].positions, base.points[-1].transforms[0].translation

    def arrived() -> bool:
        state, odometry = played.heard['states'][-1], played.heard['odometry'][-1]
        there = np.allclose(state.position, goal, atol=1e-6)
        return there and abs(odometry.pose.pose.position.x - place.x) < 1e-6

    played.until(arrived, 'the last pose')
    assert place.x > 0.1  # it walked, and forward is x
