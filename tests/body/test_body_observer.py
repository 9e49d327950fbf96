# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2 messages')

from builtin_interfaces.msg import Time
from nav_msgs.msg import Odometry
from sensor_msgs.msg import JointState

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.body_observer import BodyObserver, carried_on, coming_to_rest, read_joints
from mgpt3_ros.body.planning import Timing, plan
from mgpt3_ros.model.errors import MotionError
from tests.support.clips import random_clip, random_state

NAMES = ('a', 'b', 'c')


def test_names_in_any_order_with_strangers_among_them():
    message = JointState(name=['x', 'c', 'a'], position=[9.0, 3.0, 1.0], velocity=[9.0, 0.3, 0.1])
    positions, velocities, coverage = read_joints(message, NAMES)
    assert positions.tolist() == [1, 0, 3]
    assert velocities.tolist() == [0.1, 0, 0.3]
    assert coverage == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    'message',
    [
        JointState(name=['a', 'b'], position=[0.0]),
        JointState(name=['a', 'a'], position=[0.0, 0.0]),
        JointState(name=['a', 'b', 'c'], position=[0.0, float('nan'), 0.0]),
        JointState(name=['a'], position=[0.0]),
    ],
)
def test_unusable_joint_states_are_refused(message):
    observer = BodyObserver(NAMES)
    with pytest.raises(MotionError):
        observer.hear_joints(message, 0.0, 0.6)
    assert observer.age_s(1.0) == np.inf


def test_velocities_follow_from_two_states():
    observer = BodyObserver(NAMES)
    for at, value in ((1.0, 0.0), (1.1, 0.2)):
        message = JointState(name=list(NAMES), position=[value] * 3)
        observer.hear_joints(message, at, 0.6)
    state = observer.state(random_state(0, 3))
    np.testing.assert_allclose(state.velocities, 2.0)
    assert observer.age_s(1.5) == pytest.approx(0.4)


def test_a_twist_is_read_in_the_axes_of_the_base():
    observer = BodyObserver(NAMES)
    observer.hear_joints(JointState(name=list(NAMES), position=[0.0] * 3), 0.0, 0.6)
    odometry = Odometry()
    turn = quat.about_z(np.pi / 2)
    pose = odometry.pose.pose
    pose.orientation.z, pose.orientation.w = float(turn[2]), float(turn[3])
    pose.position.x = 4.0
    odometry.twist.twist.linear.x = 1.0
    observer.hear_base(odometry)
    state = observer.state(None)
    np.testing.assert_allclose(state.base_lin, [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(state.base_pos, [4, 0, 0])


def test_without_odometry_the_base_is_the_one_given():
    observer, base = BodyObserver(NAMES), random_state(1, 3)
    observer.hear_joints(JointState(name=list(NAMES), position=[0.5] * 3), 0.0, 0.6)
    state = observer.state(base)
    assert state.base_pos is base.base_pos
    assert state.positions.tolist() == [0.5] * 3


def test_coming_to_rest_takes_half_the_way():
    state = random_state(2)
    rest = coming_to_rest(state, 0.5)
    np.testing.assert_allclose(rest.positions, state.positions + 0.25 * state.velocities)
    assert not rest.velocities.any()


def test_a_body_on_its_trajectory_is_carried_on_exactly():
    trajectory, _ = plan(random_clip(3), Timing(), random_state(3), random_state(4))
    seen = trajectory.state_at(1.0)
    ahead = carried_on(seen, trajectory, 1.0, 0.5)
    expected = trajectory.state_at(1.5)
    np.testing.assert_allclose(ahead.positions, expected.positions, atol=1e-9)
    np.testing.assert_allclose(ahead.base_pos, expected.base_pos, atol=1e-9)
    turn = quat.log(quat.multiply(ahead.base_rot, quat.inverse(expected.base_rot)))
    assert np.linalg.norm(turn) < 1e-9


def test_joint_states_that_are_late_or_come_twice_are_dropped_unless_the_clock_was_reset():
    observer = BodyObserver(NAMES)

    def hear(stamp_s: float) -> None:
        message = JointState(name=list(NAMES), position=[stamp_s] * 3)
        message.header.stamp = Time(sec=int(stamp_s), nanosec=round(stamp_s % 1 * 1e9))
        observer.hear_joints(message, 0.0, 0.6)

    hear(10.0)
    for late in (10.0, 9.75):
        with pytest.raises(MotionError, match='not newer'):
            hear(late)
    hear(1.0)
    assert (observer.accepted, observer.dropped, observer.bad_in_a_row) == (2, 2, 0)
    assert observer.state(random_state(0, 3)).positions.tolist() == [1.0] * 3


def test_numbers_beyond_all_bodies_are_refused():
    observer = BodyObserver(NAMES)
    with pytest.raises(MotionError, match='beyond'):
        observer.hear_joints(JointState(name=list(NAMES), position=[1e300, 0, 0]), 0.0, 0.6)
    odometry = Odometry()
    odometry.pose.pose.position.x = 1e300
    with pytest.raises(MotionError, match='finite'):
        observer.hear_base(odometry)
