# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scene of view_node without ROS: a body or a robot as it is heard of, and what may follow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip('viser', reason='the extra view is not installed')

from mgpt3_ros.body.frames import vectors_to_ros
from mgpt3_ros.model.figure.cones import SOLE
from mgpt3_ros.model.kinematics.human import JOINT_INDEX
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.robots import retarget
from mgpt3_ros.view.live import GHOST, LiveScene, pose_of
from mgpt3_ros.view.robot_clip import RobotClip
from mgpt3_ros.view.server import start_server, stop_server
from tests.support.robots import tin_man, walking


@pytest.fixture
def server() -> Iterator[Any]:
    started = start_server()
    yield started
    stop_server(started)


def test_a_robot_is_shown_as_it_is_and_so_is_what_may_follow(server: Any, tmp_path: Path) -> None:
    robot = tin_man(tmp_path)
    human = walking(20)
    moved = retarget(robot, human, 20.0)
    scene = LiveScene(server, say=lambda _: None, stop=lambda: None, robot=robot)
    scene.show_body(moved.positions[7], moved.base_pos[7], moved.base_rot[7], human[7])
    turns = robot.facing[None]  # the base of this robot is turned as it stands, and no further
    poses = robot.kinematics.forward(moved.positions[7:8], turns, moved.base_pos[7:8])
    for mesh, link in scene._body._meshes:
        assert mesh.visible
        base = mesh.position - moved.base_pos[7]
        expected = poses.places[robot.kinematics.links[link]][0] - moved.base_pos[7]
        assert np.linalg.norm(base) == pytest.approx(np.linalg.norm(expected), abs=1e-6)
    motion = Motion(human.astype(np.float32), 20.0)
    scene.predict(moved.positions, moved.base_pos, moved.base_rot, motion)
    ghost = scene._stage.actors[GHOST]
    assert isinstance(ghost.clip, RobotClip)
    scene.show_prediction(0.5)
    assert GHOST in scene._stage.actors
    scene.show_prediction(2.0)  # it is over
    assert GHOST not in scene._stage.actors


def test_a_humans_joints_are_where_they_were_told() -> None:
    human = walking(2)[0]
    pose = pose_of(human)
    found = pose.position - vectors_to_ros(human) - [0.0, 0.0, SOLE]
    assert np.abs(found).max() < 0.08  # bones of the default body
    assert pose.feet[0] == pytest.approx(pose.position[JOINT_INDEX['left_foot']])
