# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot whose joint states are predicted through the inverse, over real DDS."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from mgpt3_ros.nodes.messages import seconds
from mgpt3_ros.robots import robot_profile
from tests.nodes.conftest import processes_of_nodes
from tests.support.domains import free_domain
from tests.support.listener import Listener
from tests.support.robots import walking, write_tin_man

pytestmark = pytest.mark.slow

NODE = 'predict_node'


@pytest.fixture(scope='module')
def robot(default_checkpoint, tmp_path_factory):
    """The tin man, who walks for three seconds, and a node that is told that he is one."""
    folder = tmp_path_factory.mktemp('robot')
    path = write_tin_man(folder)
    with free_domain() as number, processes_of_nodes(folder) as make, Listener(number) as body:
        body.profile = robot_profile(path)
        options = {'checkpoint': str(default_checkpoint), 'device': 'cpu', 'seed': 3}
        make(NODE, joint_profile=str(path), horizon_s=1.0, min_window_s=2.0, **options)
        body.ready(NODE)
        moved = body.profile.from_joints(walking(70), 20.0)
        at = np.arange(173) / 50
        body.walk = [
            np.stack([np.interp(at, np.arange(70) / 20, track) for track in rows.T])
            for rows in moved
        ]
        yield body


def test_its_own_joints_are_predicted_on_from_where_they_are(robot):
    positions, pos, rot = robot.walk

    def pose(at: float) -> tuple:
        step = round(at * 50)
        return positions[:, step], pos[:, step], rot[:, step]

    robot.play(3.4, pose, names=robot.profile.names)
    robot.until(lambda: robot.heard['predicted_base_trajectory'], 'a prediction')
    message = robot.until(lambda: robot.heard['predicted_trajectory'], 'a prediction')[-1]
    base = robot.heard['predicted_base_trajectory'][-1]
    assert tuple(message.joint_names) == robot.profile.names
    assert list(base.joint_names) == ['pelvis']
    assert message.header.stamp == base.header.stamp
    step = round((seconds(message.header.stamp) - 1000.0) * 50) - 1
    first, last = message.points[0], message.points[-1]
    # It goes on from the frame that was seen last, no faster than a joint turns in a frame.
    assert np.abs(np.array(first.positions) - positions[:, step]).max() < 0.35
    assert seconds(last.time_from_start) == pytest.approx(1.0, abs=0.06)
    lower, upper = robot.profile.position_limits.T
    at = np.array([point.positions for point in message.points])
    assert (at >= lower - 0.05).all()
    assert (at <= upper + 0.05).all()
    # Who walks walks on: forward, as the robot did, and not back to where it was.
    ahead = base.points[-1].transforms[0].translation.x - pos[0, step]
    speed = (pos[0, step] - pos[0, 0]) / (step / 50)
    assert 0.3 * speed < ahead < 3.0 * speed
