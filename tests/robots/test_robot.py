# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot's YAML: what is wrong with it is said, and the robots that come along are whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgpt3_ros.model.errors import ConfigError, RobotError
from mgpt3_ros.robots import Robot, robot_names
from mgpt3_ros.robots.checks import check_robot
from mgpt3_ros.robots.config import load_robot_config
from mgpt3_ros.robots.packages import config_file, resolve
from tests.support.robots import MINE, known, tin_man, write_tin_man

FOLLOWS: dict[str, str] = MINE['follows']  # type: ignore[assignment]
SOLES: dict[str, Any] = MINE['soles']  # type: ignore[assignment]

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    'an unknown key': ({'colour': 'red'}, "unknown key 'colour'"),
    'a missing URDF': ({'urdf': 'gone.urdf'}, 'there is no file'),
    'a package that is not here': ({'urdf': 'package://gone/a.urdf'}, 'is not installed'),
    'an unknown link': ({'follows': FOLLOWS | {'head': 'helmet'}}, "there is no link 'helmet'"),
    'an unknown human joint': ({'follows': {'tail': 'chest'}}, "there is no 'tail'; known: "),
    'degrees': ({'stand': {'left_elbow_joint': -90}}, '-1.5708 if this is in degrees'),
    'degrees in hold': ({'hold': {'head_joint': 45.0}}, 'angles are in radians'),
    'an unknown joint': ({'hold': {'tail_joint': 0}}, "there is no joint 'tail_joint'"),
    'a stand of nobody': ({'stand': {'wing_*': 0.1}}, "there is no joint 'wing_*'"),
    'a joint in no controller': (
        {'controllers': {'arms': ['*_shoulder_*']}},
        'is in no controller; each joint needs one',
    ),
    'a joint in two': (
        {'controllers': {'all': ['*'], 'arms': ['*_elbow_joint']}},
        'is in 2 controllers',
    ),
    'a held joint in a controller': (
        {'hold': {'head_joint': 0.1}},
        "'head_joint' is held or follows another joint",
    ),
    'a sole without a link': (
        {'soles': SOLES | {'left': {'link': 'shoe', 'box': [0, 1, 0, 1, 0]}}},
        "soles.left: there is no link 'shoe'",
    ),
    'a box that is none': (
        {'soles': SOLES | {'left': {'link': 'head', 'box': [1, 0, 0, 1, 0]}}},
        'must be [x_min, x_max, y_min, y_max, z]',
    ),
    'a direction that is none': ({'faces': [0, 0, 1]}, 'must be a level direction'),
    'no speed': ({'limits': {'velocity': {'head_joint': 0}}}, 'must be above 0'),
    'an unknown base': ({'base_link': 'hips'}, "there is no link 'hips' to be the base_link"),
    'a base that moves': ({'base_link': 'chest'}, 'moved by the joint'),
}


@pytest.mark.parametrize('case', REFUSED)
def test_what_is_wrong_is_said(case: str, tmp_path: Path):
    config, said = REFUSED[case]
    with pytest.raises((RobotError, ConfigError)) as caught:
        tin_man(tmp_path, config)
    assert said in str(caught.value)


def test_limits_that_are_nonsense_are_said(tmp_path: Path):
    with pytest.raises(RobotError, match='velocity limit is 50000 rad/s in the URDF'):
        tin_man(tmp_path, velocity=5e4)
    stated = tin_man(tmp_path, {'limits': {'velocity': {'*': 3.0}}}, velocity=5e4)
    assert (stated.velocity_limits == 3.0).all()
    narrow = {'limits': {'position': {'head_joint': [0.2, 0.3]}, 'margin': 0.0}}
    robot = tin_man(tmp_path, narrow)
    row = robot.position_limits[robot.joint_names.index('head_joint')]
    assert row.tolist() == [0.2, 0.3]
    assert robot.stand[robot.joint_names.index('head_joint')] == 0.2


def test_an_unknown_name_lists_the_known(tmp_path: Path):
    with pytest.raises(RobotError, match='known are g1, gr1, icub, romeo, talos'):
        Robot.from_name_or_file('hal')
    with pytest.raises(RobotError, match='there is no robot'):
        Robot.from_name_or_file(tmp_path / 'gone.yaml')


def test_packages_are_found_in_workspaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    place = tmp_path / 'install' / 'share' / 'tin_description' / 'urdf'
    place.mkdir(parents=True)
    (place / 'tin.urdf').write_text('', encoding='utf-8')
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path / 'install'))
    found = resolve('package://tin_description/urdf/tin.urdf', Path())
    assert found == place / 'tin.urdf'


def test_a_good_mapping_has_no_problem(tmp_path: Path):
    robot = tin_man(tmp_path)
    assert check_robot(robot).problems == ()
    assert robot.has_legs
    assert sum(map(len, robot.controllers.values())) == len(robot.joint_names) == 26


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    'a bent stand': ({'stand': {'left_knee_joint': 1.2}}, 'left shank leans'),
    'an arm held out': ({'stand': {'*_shoulder_roll_joint': 1.5}}, 'upper arm leans'),
    'sides swapped': (
        {
            'follows': {
                name: link.replace('left', 'X').replace('right', 'left').replace('X', 'right')
                for name, link in FOLLOWS.items()
            }
        },
        'sides are swapped',
    ),
    'faces backward': ({'faces': [-1, 0, 0]}, 'knee bends forward'),
    'half a pair': (
        {'follows': {k: v for k, v in FOLLOWS.items() if k != 'right_wrist'}},
        'left_wrist is followed and right_wrist is not',
    ),
    'a shared link': ({'follows': FOLLOWS | {'head': 'chest'}}, 'one link, one follower'),
    'soles askew': (
        {'soles': SOLES | {'left': {'link': 'left_ankle_roll', 'box': [0, 0.1, 0, 0.1, -0.1]}}},
        'mm apart in height',
    ),
    'a sole above': (
        {
            'soles': {
                side: {'link': f'{side}_ankle_roll', 'box': [-0.1, 0.1, -0.1, 0.1, 0.06]}
                for side in ('left', 'right')
            }
        },
        'lies above its ankle',
    ),
    'nobody follows': ({'follows': {}, 'soles': {}}, 'follows is empty'),
}


@pytest.mark.parametrize('case', WRONG)
def test_a_mapping_that_does_not_fit_is_said(case: str, tmp_path: Path):
    config, said = WRONG[case]
    problems = check_robot(tin_man(tmp_path, config)).problems
    assert any(said in problem for problem in problems), problems


@pytest.mark.parametrize('name', robot_names())
def test_the_robots_that_come_along_fit(name: str):
    robot = known(name)
    assert check_robot(robot).problems == ()
    assert robot.has_legs
    assert len(robot.controllers) >= 5
    assert (robot.velocity_limits < 100).all()
    assert (np.diff(robot.position_limits) > 0).all()


def test_their_files_are_whole_also_without_models():
    assert set(robot_names()) == {'g1', 'gr1', 'icub', 'romeo', 'talos'}
    for name in robot_names():
        config = load_robot_config(config_file(name))
        assert 'pip install' in config.models
        assert config.urdf.startswith('package://')
        assert len(config.controllers) >= 5


def test_another_file_may_stand_anywhere(tmp_path: Path):
    """A robot that is not in the list: its YAML names a URDF beside it."""
    path = write_tin_man(tmp_path)
    assert Robot.from_name_or_file(path).name == 'tin'
    assert Robot.from_name_or_file(str(path)).urdf.path == tmp_path / 'tin.urdf'


def test_a_missing_mesh_is_a_remark_and_no_more(tmp_path: Path):
    extra = (
        '<link name="hat"><visual><geometry><mesh filename="package://gone/hat.stl"/></geometry>'
        '</visual></link><joint name="hat_joint" type="fixed"><parent link="head"/>'
        '<child link="hat"/></joint>'
    )
    found = check_robot(tin_man(tmp_path, extra=extra))
    assert found.problems == ()
    assert any('1 meshes are not found (package://gone/hat.stl' in one for one in found.remarks)
