# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot that moves on and does something else at a word, over real DDS."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from trajectory_msgs.msg import JointTrajectory

from benchmarks.controller import Controller
from mgpt3_ros.robots import robot_profile
from tests.nodes.conftest import processes_of_nodes
from tests.support.domains import free_domain
from tests.support.jtc_rules import violations
from tests.support.probe import Probe
from tests.support.robots import write_tin_man
from tests.support.streams import save_calm_model

pytestmark = pytest.mark.slow

CONTROLLERS = ('arms', 'rest')


@pytest.fixture(scope='module')
def robot(tmp_path_factory):
    """A probe, a node in mode stream that moves the tin man, and playback, which stands for it."""
    folder = tmp_path_factory.mktemp('robot')
    path, checkpoint = write_tin_man(folder), save_calm_model(folder / 'stream')
    with free_domain() as number, processes_of_nodes(folder) as make, Probe(number) as probe:
        for name in CONTROLLERS:
            probe.listen(name, JointTrajectory, f'{name}/joint_trajectory')
        probe.profile = robot_profile(path)
        options = {'checkpoint': str(checkpoint), 'device': 'cpu', 'seed': 0, 'mode': 'stream'}
        options |= {'start_from': 'joint_states', 'require_joint_state': True}
        make('playback_node', joint_profile=str(path))
        make('generate_node', joint_profile=str(path), max_gap_s=5.0, **options)
        probe.active()
        yield probe


def followed(robot: Probe) -> Controller:
    """What controllers of the whole robot do that hear all that the probe has heard."""
    controller = Controller(robot.profile, robot.profile.velocity_limits, np.inf)
    heard = zip(robot.heard['joint_trajectory'], robot.times['joint_trajectory'], strict=True)
    for message, time_s in heard:
        controller.follow(message, time_s)
    return controller


def test_words_go_over_into_one_another_within_the_robots_bounds(robot):
    robot.until(lambda: robot.health()['joint_states'] != '0', 'the robot to be seen')
    for number, text in enumerate(('walk', 'wave'), start=1):
        robot.say(text)
        robot.status('published', number)
        robot.until(lambda n=number: len(robot.heard['rest']) >= 4 * n, 'pieces of it')
    assert 'cancelled' in robot.cancel()
    robot.until(
        lambda: all(len(robot.heard[n]) == len(robot.heard['rest']) for n in CONTROLLERS),
        'the stop at each controller',
    )
    joints = robot.profile.robot.controllers
    for arms, rest, whole in zip(
        *(robot.heard[name] for name in (*CONTROLLERS, 'joint_trajectory')), strict=True
    ):
        assert arms.header.stamp == rest.header.stamp == whole.header.stamp
        assert violations(arms, joints['arms']) == violations(rest, joints['rest']) == []
    controller = followed(robot)
    assert controller.restless == 0  # each trajectory ends at rest
    used = np.array(controller.used)
    assert used[:, 0].max() <= 1.001  # of the speed, along the whole cubics
    assert used[:, 4].max() <= 0.0101  # beyond a limit [rad]: the margin inside the URDF's
    # It moves, and does not jump: each first point lies on the way before.
    assert np.ptp([m.points[-1].positions for m in robot.heard['rest']], axis=0).max() > 0.05
