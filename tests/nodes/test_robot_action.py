# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot whose controllers offer FollowJointTrajectory, over real DDS."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')
pytest.importorskip(
    'control_msgs',
    reason='control_msgs is not installed (it comes with ros2_control): no FollowJointTrajectory',
)

from trajectory_msgs.msg import JointTrajectory

from mgpt3_ros.robots import Robot
from tests.nodes.conftest import processes_of_nodes
from tests.support.domains import free_domain
from tests.support.probe import Probe
from tests.support.robots import write_tin_man
from tests.support.trajectory_server import TrajectoryServer

SENTENCE = 'a person walks forward for 5 seconds'


@pytest.fixture(scope='module')
def robot(tiny_checkpoint, tmp_path_factory):
    """A node that moves the tin man, whose two controllers are servers in this process."""
    folder = tmp_path_factory.mktemp('robot')
    path = write_tin_man(folder)
    with free_domain() as number, processes_of_nodes(folder) as make, Probe(number) as probe:
        joints = Robot.from_name_or_file(path).controllers
        probe.servers = {n: TrajectoryServer(probe.node, n, tuple(j)) for n, j in joints.items()}
        for name in joints:
            probe.listen(name, JointTrajectory, f'{name}/joint_trajectory')
        options = {'checkpoint': str(tiny_checkpoint), 'device': 'cpu', 'seed': 0}
        options |= {'goal_tolerance': 0.1, 'path_tolerance': 0.5, 'follow_by': 'action'}
        make('generate_node', joint_profile=str(path), **options)
        probe.active()
        names = ', '.join(joints)
        probe.until(lambda: probe.health()['by_action'] == names, 'the servers to be found')
        yield probe
        for server in probe.servers.values():
            server.close()


@pytest.fixture
def moving(robot):
    """The robot, with a goal under way at each controller, which gets no topic beside it."""
    for server in robot.servers.values():
        server.accepts = True
        server.goals.clear()
        server.refused.clear()
    robot.forget()
    robot.say(SENTENCE)
    robot.status('published')
    running(robot, 1)
    assert not any(robot.heard[name] for name in robot.servers)
    yield robot
    for server in robot.servers.values():
        if server.running:
            server.finish()
    robot.cancel()


def running(robot, count: int) -> None:
    """Wait until each controller has its ``count``-th goal."""
    servers = robot.servers.values()
    robot.until(
        lambda: all(len(s.goals) == count and s.running for s in servers), f'goal number {count}'
    )


def test_goals_carry_the_joints_with_one_stamp_and_tolerances(moving):
    arms, rest = (moving.servers[name].goals[0] for name in ('arms', 'rest'))
    assert arms.trajectory.header.stamp == rest.trajectory.header.stamp
    assert {t.position for t in arms.path_tolerance} == {0.5}
    assert {t.position for t in rest.goal_tolerance} == {0.1}
    assert [t.name for t in arms.goal_tolerance] == list(arms.trajectory.joint_names)


def test_the_end_of_all_controllers_is_told(moving):
    moving.servers['arms'].feedback(0.07)
    moving.until(lambda: moving.health()['tracking_error'] == '0.070', 'the feedback')
    moving.servers['arms'].finish()
    assert not moving.messages('done')
    moving.servers['rest'].finish()
    assert moving.status('done')['text'] == SENTENCE


def test_a_controller_that_gives_up_is_told_and_the_others_stop(moving):
    moving.servers['arms'].finish(-4, 'left_elbow_joint is off')
    told = moving.status('failed')
    assert (told['controller'], told['error_code']) == ('arms', '-4')
    assert told['reason'] == 'arms: PATH_TOLERANCE_VIOLATED (-4): left_elbow_joint is off'
    moving.until(lambda: len(moving.servers['rest'].goals) == 2, 'the stop of the others')
    halt = moving.servers['rest'].goals[1].trajectory
    assert set(halt.points[-1].velocities) == {0.0}
    assert len(moving.servers['arms'].goals) == 1
    assert 'PATH_TOLERANCE_VIOLATED' in moving.health()['last_error']


def test_a_rejected_goal_is_told_with_its_code(moving):
    moving.servers['rest'].accepts = False
    moving.say('a person waves for 4 seconds')
    told = moving.status('failed')
    assert (told['controller'], told['error_code']) == ('rest', '-1')
    assert told['reason'] == 'rest: INVALID_GOAL (-1): it rejected the trajectory'
    moving.until(lambda: moving.servers['rest'].cancelled, 'its old goal to be cancelled')
    moving.until(lambda: len(moving.servers['arms'].goals) == 3, 'the stop of the other')


def test_a_cancel_replaces_the_goals_by_a_stop(moving):
    assert 'playing' in moving.cancel()
    running(moving, 2)
    for server in moving.servers.values():
        halt = server.goals[1].trajectory
        assert set(halt.points[-1].velocities) == {0.0}
        assert halt.points[-1].time_from_start.sec < 2
        assert server.refused == []
