# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The client of FollowJointTrajectory against a server of our own, over real DDS."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')
pytest.importorskip(
    'control_msgs',
    reason='control_msgs is not installed (it comes with ros2_control): no FollowJointTrajectory',
)

from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from mgpt3_ros.nodes.follow_trajectory import Follower, Outcome, Tolerances, follow_action
from mgpt3_ros.nodes.messages import to_duration
from tests.support.trajectory_server import TrajectoryServer

JOINTS = ('shoulder', 'elbow')
TOLERANCES = Tolerances(path=0.3, goal=0.05, goal_time_s=1.5)


def trajectory(*names: str) -> JointTrajectory:
    points = [
        JointTrajectoryPoint(
            positions=[angle] * len(names),
            velocities=[0.0] * len(names),
            time_from_start=to_duration(at),
        )
        for angle, at in ((0.0, 0.5), (0.4, 1.5))
    ]
    return JointTrajectory(joint_names=list(names), points=points)


class Arm:
    """A client, the server that it speaks to, and what it heard."""

    def __init__(self, probe) -> None:
        self.probe = probe
        self.outcomes: list[Outcome] = []
        self.server = TrajectoryServer(probe.node, 'arm', JOINTS)
        self.node: Node = probe.node
        self.follower = Follower(self.node, follow_action(), 'arm', self.outcomes.append)
        probe.until(lambda: self.follower.ready, 'the server')

    def follow(self, *names: str) -> None:
        self.follower.follow(trajectory(*names), TOLERANCES)

    def outcome(self) -> Outcome:
        self.probe.until(lambda: self.outcomes, 'an outcome')
        return self.outcomes[-1]


@pytest.fixture
def arm(probe):
    made = Arm(probe)
    yield made
    made.follower.close()
    made.server.close()


def test_a_goal_carries_tolerances_and_ends_well(arm):
    arm.follow(*JOINTS)
    arm.probe.until(lambda: arm.server.running, 'the goal')
    assert arm.follower.active
    goal = arm.server.goals[0]
    assert [(t.name, t.position) for t in goal.path_tolerance] == [(n, 0.3) for n in JOINTS]
    assert [(t.name, t.position) for t in goal.goal_tolerance] == [(n, 0.05) for n in JOINTS]
    assert goal.goal_time_tolerance == to_duration(1.5)
    arm.server.feedback(0.02)
    arm.probe.until(lambda: arm.follower.tracking_error == pytest.approx(0.02), 'the feedback')
    arm.server.finish()
    assert arm.outcome() == Outcome('arm', 0)
    assert not arm.follower.active


def test_what_a_controller_gives_up_is_told_with_its_code(arm):
    arm.follow(*JOINTS)
    arm.probe.until(lambda: arm.server.running, 'the goal')
    arm.server.finish(-4, 'elbow is off by 0.4')
    assert arm.outcome() == Outcome(
        'arm', -4, 'arm: PATH_TOLERANCE_VIOLATED (-4): elbow is off by 0.4'
    )


def test_a_goal_that_is_rejected_is_told_and_the_one_before_is_cancelled(arm):
    arm.follow(*JOINTS)
    arm.probe.until(lambda: arm.server.running, 'the goal')
    arm.follow('shoulder')
    assert arm.outcome().error_code == -1
    assert arm.outcome().reason == 'arm: INVALID_GOAL (-1): it rejected the trajectory'
    assert len(arm.server.refused) == 1
    arm.probe.until(lambda: arm.server.cancelled == 1, 'the cancelling')


def test_a_new_goal_replaces_the_one_before_of_which_nothing_is_told(arm):
    arm.follow(*JOINTS)
    arm.probe.until(lambda: arm.server.running, 'the goal')
    arm.follow(*JOINTS)
    arm.probe.until(lambda: len(arm.server.goals) == 2 and arm.server.running, 'the second goal')
    arm.probe.spin_for(0.2)
    assert not arm.outcomes
    arm.server.finish()
    assert arm.outcome().error_code == 0
    assert len(arm.outcomes) == 1


def test_a_cancelled_goal_is_given_up(arm):
    arm.follow(*JOINTS)
    arm.probe.until(lambda: arm.server.running, 'the goal')
    arm.follower.cancel()
    arm.probe.until(lambda: arm.server.cancelled == 1, 'the cancelling')
    assert not arm.follower.active


def test_a_server_that_goes_is_told(arm):
    arm.follow(*JOINTS)
    arm.probe.until(lambda: arm.server.running, 'the goal')
    arm.server.finish()
    arm.outcome()
    arm.server.close()
    arm.probe.until(lambda: not arm.follower.ready, 'the server to go')
    arm.follower.lost()
    assert arm.outcomes[-1].reason == 'arm: INVALID_GOAL (-1): its action server has gone'
