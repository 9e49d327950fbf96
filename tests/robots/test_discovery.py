# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot is known by the names of its joints, also where its model is not installed."""

from __future__ import annotations

import pytest

from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.robots import fitting_robot, robot_names
from tests.support.robots import known

# As their URDFs name them: some of each, so that the test needs no model.
G1 = [
    *(f'{side}_{joint}_joint' for side in ('left', 'right') for joint in (
        *('hip_pitch', 'hip_roll', 'hip_yaw', 'knee', 'ankle_pitch', 'ankle_roll'),
        *('shoulder_pitch', 'shoulder_roll', 'shoulder_yaw', 'elbow'),
        *('wrist_roll', 'wrist_pitch', 'wrist_yaw'),
    )),
    *('waist_yaw_joint', 'waist_roll_joint', 'waist_pitch_joint'),
]  # fmt: skip
ICUB = [
    *(f'torso_{axis}' for axis in ('pitch', 'roll', 'yaw')),
    *(f'neck_{axis}' for axis in ('pitch', 'roll', 'yaw')),
    *(f'{side}_{joint}' for side in 'lr' for joint in (
        *('hip_pitch', 'hip_roll', 'hip_yaw', 'knee', 'ankle_pitch', 'ankle_roll'),
        *('shoulder_pitch', 'shoulder_roll', 'shoulder_yaw', 'elbow', 'wrist_prosup'),
    )),
]  # fmt: skip


@pytest.mark.parametrize(('names', 'robot'), [(G1, 'g1'), (ICUB, 'icub')])
def test_names_tell_the_robot(names: list[str], robot: str):
    assert fitting_robot(names[::-1]) == robot
    assert fitting_robot([*names, 'left_hand_thumb_0_joint']) == robot
    assert fitting_robot(names[: len(names) // 2]) is None


def test_humans_and_nobody_are_no_robots():
    assert fitting_robot(make_profile('human_full', '').names) is None
    assert fitting_robot(make_profile('ros4hri', 'ann').names) is None
    assert fitting_robot([]) is None


@pytest.mark.parametrize('name', robot_names())
def test_each_robot_is_itself(name: str):
    assert fitting_robot(known(name).joint_names) == name
