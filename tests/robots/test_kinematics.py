# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Forward kinematics against pinocchio, another program, on all robots and on a made-up one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.robots import Robot, robot_names
from tests.support.robots import known, tin_man


def random_positions(robot: Robot, frames: int, seed: int) -> np.ndarray:
    lower, upper = np.clip(robot.position_limits, -3, 3).T
    return np.random.default_rng(seed).uniform(lower, upper, (frames, len(lower)))


def farthest_from_pinocchio(robot: Robot) -> float:
    """The largest difference of any link's place [m] or rotation to pinocchio's."""
    pin = pytest.importorskip('pinocchio')
    model = pin.buildModelFromUrdf(str(robot.urdf.path))
    data = model.createData()
    positions = random_positions(robot, 5, seed=1)
    poses = robot.kinematics.forward(positions)
    base = model.getFrameId(robot.base_link)
    worst = 0.0
    for frame, row in enumerate(positions):
        values = pin.neutral(model)
        for joint in robot.urdf.joints:
            if joint.type == 'fixed' or joint.type == 'continuous':
                continue
            index = model.joints[model.getJointId(joint.name)].idx_q
            values[index] = robot.kinematics.value_of(joint, row[None])[0]
        pin.framesForwardKinematics(model, data, values)
        origin = data.oMf[base].inverse()
        for link in robot.kinematics.links:
            place = origin * data.oMf[model.getFrameId(link)]
            worst = max(
                worst,
                np.abs(place.translation - poses.places[link][frame]).max(),
                np.abs(place.rotation - poses.rotations[link][frame]).max(),
            )
    return worst


@pytest.mark.parametrize('name', robot_names())
def test_links_are_where_pinocchio_has_them(name: str):
    assert farthest_from_pinocchio(known(name)) < 1e-9


def test_the_made_up_robot_agrees_too(tmp_path: Path):
    assert farthest_from_pinocchio(tin_man(tmp_path)) < 1e-9


def test_axes_and_pivots_are_the_derivatives(tmp_path: Path):
    """A point moves by axis x (point - pivot) per radian: finite differences."""
    robot = tin_man(tmp_path)
    positions = random_positions(robot, 1, seed=2)
    poses = robot.kinematics.forward(positions)
    for link in ('left_ankle_roll', 'right_hand_yaw', 'head'):
        for column in robot.kinematics.chain(link):
            more = positions.copy()
            more[0, column] += 1e-6
            moved = robot.kinematics.forward(more).places[link][0] - poses.places[link][0]
            arm = poses.places[link][0] - poses.pivots[0, column]
            np.testing.assert_allclose(
                moved / 1e-6, np.cross(poses.axes[0, column], arm), atol=1e-5
            )
    assert len(robot.kinematics.chain('left_ankle_roll')) == 6
