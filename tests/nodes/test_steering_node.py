# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""generate_node is steered over DDS: cmd_vel, goal_pose, path, and words beside them."""

from __future__ import annotations

import time

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped, Twist
from nav_msgs.msg import Path
from std_msgs.msg import Bool

from benchmarks.followed import Followed
from benchmarks.steering import off_path, posed, seen_from
from mgpt3_ros.model.finishing.settling import is_stance
from mgpt3_ros.model.kinematics.heading import heading
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS, JOINT_NAMES
from tests.nodes.conftest import HAS_ROS, processes_of_nodes
from tests.support.domains import free_domain

pytestmark = pytest.mark.slow

PATIENT_S = 30.0  # a busy machine may keep the sender from sending
HANDS = [JOINT_NAMES.index(f'{side}_wrist') for side in ('left', 'right')]


@pytest.fixture(scope='module')
def node(tmp_path_factory, default_checkpoint):
    """A node that is steered, for all tests of this file, and the probe that hears it."""
    if not HAS_ROS:
        pytest.skip('rclpy is not installed: nothing can talk over DDS')
    from tests.support.probe import Probe

    folder = tmp_path_factory.mktemp('steered')
    with free_domain() as number, processes_of_nodes(folder) as make, Probe(number) as probe:
        make(
            'generate_node',
            checkpoint=str(default_checkpoint),
            device='cpu',
            steering=True,
            seed=1,
            stamp_mode='now',
            cmd_vel_timeout_s=PATIENT_S,
        )
        probe.active()
        probe.velocities = probe.node.create_publisher(Twist, 'cmd_vel', 1)
        probe.goals = probe.node.create_publisher(PoseStamped, 'goal_pose', 1)
        probe.paths = probe.node.create_publisher(Path, 'path', 1)
        for publisher in (probe.velocities, probe.goals, probe.paths):
            probe.until(publisher.get_subscription_count, 'the node to listen')
        yield probe


@pytest.fixture
def steered(node):
    """The same with all forgotten, and at rest afterwards."""
    node.forget()
    yield node
    node.settle()
    node.until(lambda: node.health()['moving'] == 'false', 'rest')


def twist(ahead: float, left: float = 0.0, turning: float = 0.0) -> Twist:
    message = Twist()
    message.linear.x, message.linear.y, message.angular.z = ahead, left, turning
    return message


def hold(probe, message: Twist, condition) -> None:
    """Send a velocity again and again until something is so."""

    def held() -> bool:
        probe.velocities.publish(message)
        return condition()

    probe.until(held, 'what a velocity shall bring about')


def frames(probe, begin_s: float, end_s: float) -> np.ndarray:
    """The joints of a body that has followed what was heard, since the probe forgot."""
    body = Followed()
    offset = time.time() - time.monotonic()
    for name, hear in (
        ('joint_trajectory', body.hear_joints),
        ('base_trajectory', body.hear_base),
    ):
        for message, when in zip(probe.heard[name], probe.times[name], strict=True):
            hear(message, when + offset)
    return body.frames(begin_s, end_s)


def last_place(probe) -> tuple[np.ndarray, float]:
    """Where the last base ends: ahead and left of the origin [m], and its yaw [rad]."""
    point = probe.heard['base_trajectory'][-1].points[-1].transforms[0]
    turn = point.rotation
    yaw = 2 * np.arctan2(turn.z, turn.w)
    return np.array([point.translation.x, point.translation.y]), float(yaw)


def test_a_velocity_steers_until_it_is_zero(steered):
    hold(steered, twist(0.8), lambda: len(steered.heard['joint_trajectory']) >= 6)
    assert steered.status('published')['text'] == 'cmd_vel'
    steered.velocities.publish(twist(0.0))
    assert 'zero' in steered.status('stopped')['reason']
    seen = frames(steered, time.time() - 1.0, time.time())
    assert is_stance(seen[-1])
    assert steered.health()['moving'] == 'false'


def test_every_trajectory_of_it_ends_in_a_stance_at_rest(steered):
    hold(steered, twist(0.6, 0.1, 0.4), lambda: len(steered.heard['joint_trajectory']) >= 4)
    for joints in steered.heard['joint_trajectory']:
        assert not np.any(joints.points[-1].velocities)
    ends = [message.points[-1] for message in steered.heard['joint_trajectory']]
    hips = [ends[0].positions[i] for i, n in enumerate(_names(steered)) if 'hip' in n]
    assert np.abs(hips).max() < 0.35  # it would stand, not stride


def test_a_velocity_that_falls_silent_brings_the_body_to_rest(steered):
    hold(steered, twist(0.7), lambda: bool(steered.messages('published')))
    assert steered.set(cmd_vel_timeout_s=0.5) == (True, '')
    assert 'silent' in steered.status('stopped')['reason']
    assert steered.set(cmd_vel_timeout_s=PATIENT_S) == (True, '')


def test_a_goal_is_reached_and_said(steered):
    before, yaw = _here(steered)
    message = posed(1.2, -0.6, np.deg2rad(-90))
    message.header.frame_id = 'base_link'
    steered.goals.publish(message)
    done = steered.status('done')
    assert 'goal_pose' in done['text']
    place, facing = last_place(steered)
    cos, sin = np.cos(yaw), np.sin(yaw)
    goal = before + np.array([1.2 * cos + 0.6 * sin, 1.2 * sin - 0.6 * cos])
    assert np.linalg.norm(place - goal) < 0.1
    error = (facing - yaw + np.pi / 2 + np.pi) % (2 * np.pi) - np.pi
    assert abs(np.degrees(error)) < 10


def test_a_path_is_followed(steered):
    _here(steered)
    begun_s = time.time()
    path = np.array([(0.0, 0.0), (1.5, 0.0), (1.5, 1.0)])
    message = Path(poses=[posed(ahead, left, 0.0) for ahead, left in path])
    message.header.frame_id = 'base_link'
    steered.paths.publish(message)
    steered.status('done')
    seen = frames(steered, begun_s, time.time())
    places = seen_from(seen, seen[0, 0, [0, 2]], float(heading(seen[0])))
    assert off_path(places, path) < 0.15
    assert seen[:, FOOT_JOINTS, 1].min() > -0.03


def test_frames_and_numbers_that_say_no_place_are_refused(steered):
    message = posed(1.0, 0.0, 0.0)
    message.header.frame_id = 'odom'
    steered.goals.publish(message)
    assert "'odom'" in steered.status('refused')['reason']
    message.header.frame_id = 'map'
    message.pose.position.x = float('nan')
    steered.goals.publish(message)
    assert 'not finite' in steered.status('refused', 2)['reason']
    steered.velocities.publish(twist(float('inf')))
    assert 'not finite' in steered.status('refused', 3)['reason']
    assert steered.heard['joint_trajectory'] == []


def test_a_cancel_ends_it_at_once(steered):
    message = posed(6.0, 0.0, 0.0)
    message.header.frame_id = 'base_link'
    steered.goals.publish(message)
    steered.status('published')
    assert 'playing' in steered.cancel()
    assert steered.status('cancelled')['reason'].startswith('cancelled by request')
    assert not np.any(steered.heard['joint_trajectory'][-1].points[-1].velocities)


def test_an_emergency_stop_ends_it_and_holds_it(steered):
    stops = steered.node.create_publisher(Bool, 'emergency_stop', 1)
    steered.until(lambda: stops.get_subscription_count() >= 1, 'the node to listen')
    hold(steered, twist(0.7), lambda: bool(steered.messages('published')))
    stops.publish(Bool(data=True))
    assert 'emergency stop' in steered.status('cancelled')['reason']
    hold(steered, twist(0.7), lambda: bool(steered.messages('refused')))
    assert 'emergency stop' in steered.status('refused')['reason']
    stops.publish(Bool(data=False))
    steered.spin_for(0.2)
    steered.node.destroy_publisher(stops)


def test_keep_walking_goes_on_until_stop(steered):
    steered.say('keep walking')
    assert steered.status('published')['duration_s'] == ''
    steered.until(lambda: len(steered.heard['joint_trajectory']) >= 8, 'more than a motion')
    steered.say('stop')
    assert 'while playing' in steered.status('cancelled')['reason']
    steered.status('stopped')


def test_a_velocity_takes_a_walk_of_words_over(steered):
    steered.say('keep walking')
    steered.status('published')
    hold(steered, twist(0.6, 0.0, 0.5), lambda: len(steered.messages('published')) >= 2)
    assert 'steers the body' in steered.status('dropped')['reason']


def test_words_move_the_arms_of_a_steered_body_and_not_its_legs(steered):
    hold(steered, twist(0.5), lambda: bool(steered.messages('published')))
    steered.say('raise your left arm')
    hold(steered, twist(0.5), lambda: len(steered.messages('published')) >= 2)
    count = len(steered.heard['joint_trajectory'])
    hold(steered, twist(0.5), lambda: len(steered.heard['joint_trajectory']) >= count + 4)
    steered.say('walk backward')
    hold(steered, twist(0.5), lambda: bool(steered.messages('refused')))
    assert 'cmd_vel steers the body' in steered.status('refused')['reason']
    steered.velocities.publish(twist(0.0))
    steered.status('stopped')
    seen = frames(steered, time.time() - 6.0, time.time())
    assert (seen[:, HANDS[0], 1] - seen[:, HANDS[1], 1]).max() > 0.3


def test_the_next_command_takes_over_from_a_goal(steered):
    message = posed(5.0, 0.0, 0.0)
    message.header.frame_id = 'base_link'
    steered.goals.publish(message)
    steered.status('published')
    steered.say('wave')
    steered.until(lambda: len(steered.messages('published')) >= 2, 'the gesture')


def _names(probe) -> list[str]:
    return list(probe.heard['joint_trajectory'][-1].joint_names)


def _here(probe) -> tuple[np.ndarray, float]:
    """Where the body stands, from a short walk that the probe then hears the end of."""
    hold(probe, twist(0.3), lambda: bool(probe.messages('published')))
    probe.velocities.publish(twist(0.0))
    probe.status('stopped')
    return last_place(probe)


def test_without_steering_nobody_listens(start, probe, default_checkpoint):
    start(checkpoint=str(default_checkpoint), device='cpu')
    probe.active()
    assert probe.node.count_subscribers('cmd_vel') == 0
    assert probe.node.count_subscribers('goal_pose') == 0
    assert probe.node.count_subscribers('path') == 0


def test_a_switch_that_is_let_go_brings_a_steered_body_to_rest(start, probe, default_checkpoint):
    start(
        checkpoint=str(default_checkpoint),
        device='cpu',
        steering=True,
        stamp_mode='now',
        deadman_topic='switch',
        deadman_timeout_s=PATIENT_S,
        cmd_vel_timeout_s=PATIENT_S,
    )
    probe.active()
    far = posed(6.0, 0.0, 0.0)
    far.header.frame_id = 'base_link'
    path = Path(poses=[far])
    path.header.frame_id = 'base_link'
    switch = probe.node.create_publisher(Bool, 'switch', 1)
    for topic, message in (('cmd_vel', twist(0.7)), ('goal_pose', far), ('path', path)):
        steer = probe.node.create_publisher(type(message), topic, 1)
        probe.until(steer.get_subscription_count, 'the node to listen')
        probe.until(switch.get_subscription_count, 'the switch to be heard')
        steer.publish(message)
        assert 'switch is not held' in probe.status('refused')['reason']

        def moves(steer=steer, message=message) -> bool:
            switch.publish(Bool(data=True))
            if not probe.messages('generating'):
                steer.publish(message)
            return bool(probe.messages('published'))

        probe.until(moves, 'the body to be steered')
        if topic == 'path':  # silence
            assert probe.set(deadman_timeout_s=0.5) == (True, '')
        else:
            switch.publish(Bool(data=False))
        assert 'switch' in probe.status('cancelled')['reason']
        probe.until(lambda: probe.health()['moving'] == 'false', 'rest')
        count = len(probe.heard['joint_trajectory'])
        assert not np.any(probe.heard['joint_trajectory'][-1].points[-1].velocities)
        seen = frames(probe, time.time() - 0.5, time.time())
        assert is_stance(seen[-1])
        assert np.ptp(seen, axis=0).max() < 0.01
        steer.publish(message)
        probe.until(lambda: len(probe.messages('refused')) == 2, 'what is sent now to be refused')
        assert len(probe.heard['joint_trajectory']) == count
        probe.forget()


def test_undo_leads_back_to_the_place_before(steered):
    before, _ = _here(steered)
    steered.forget()
    steered.say('turn left')
    steered.status('published')
    steered.until(lambda: steered.health()['moving'] == 'false', 'the end of the turn')
    steered.forget()
    steered.say('undo')
    assert steered.status('done')['text'] == 'undo'
    place, _ = last_place(steered)
    assert np.linalg.norm(place - before) < 0.1
