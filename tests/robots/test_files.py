# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of robots' motion come back as they were, and those of others are read with care."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.robots import Robot, load_robot_motion, retarget, save_robot_motion
from mgpt3_ros.robots.files import is_robot_file
from mgpt3_ros.robots.retargeting import RobotMotion
from tests.support.robots import tin_man, walking


@pytest.fixture(scope='module')
def robot(tmp_path_factory: pytest.TempPathFactory) -> Robot:
    return tin_man(tmp_path_factory.mktemp('tin'))


@pytest.fixture(scope='module')
def motion(robot: Robot) -> RobotMotion:
    return retarget(robot, walking(20), 30.0)


@pytest.mark.parametrize('suffix', ['.csv', '.npz'])
def test_a_file_comes_back(suffix: str, robot: Robot, motion: RobotMotion, tmp_path: Path):
    path = tmp_path / f'walk{suffix}'
    save_robot_motion(path, robot, motion)
    again = load_robot_motion(path, robot)
    assert is_robot_file(path)
    assert again.fps == 30.0
    np.testing.assert_allclose(again.positions, motion.positions, atol=1e-7)
    np.testing.assert_allclose(again.base_pos, motion.base_pos, atol=1e-7)
    np.testing.assert_allclose(again.base_rot, motion.base_rot, atol=1e-7)


def test_the_rows_are_those_of_mujoco(robot: Robot, motion: RobotMotion, tmp_path: Path):
    save_robot_motion(tmp_path / 'walk.csv', robot, motion)
    rows = np.loadtxt(tmp_path / 'walk.csv', delimiter=',')
    first = (tmp_path / 'walk.csv').read_text(encoding='utf-8').splitlines()[0]
    assert first.startswith('# robot=tin fps=30 base=pelvis columns=x,y,z,qw,qx,qy,qz,waist_yaw')
    np.testing.assert_allclose(rows[:, 3], motion.base_rot[:, 3], atol=1e-7)
    np.testing.assert_allclose(rows[:, 7:], motion.positions, atol=1e-7)


def test_named_columns_may_stand_in_any_order(robot: Robot, motion: RobotMotion, tmp_path: Path):
    path = tmp_path / 'walk.csv'
    save_robot_motion(path, robot, motion)
    head, *_ = path.read_text(encoding='utf-8').splitlines()
    rows = np.loadtxt(path, delimiter=',')
    names = head.split('columns=')[1].split(',')
    order = np.random.default_rng(0).permutation(len(names))
    columns = ','.join(names[i] for i in order)
    np.savetxt(path, rows[:, order], delimiter=',', header=f'fps=30 columns={columns}')
    again = load_robot_motion(path, robot)
    np.testing.assert_allclose(again.positions, motion.positions, atol=1e-6)


def test_a_file_without_a_head_needs_its_rate(robot: Robot, motion: RobotMotion, tmp_path: Path):
    path = tmp_path / 'walk.csv'
    save_robot_motion(path, robot, motion)
    rows = np.loadtxt(path, delimiter=',')
    np.savetxt(path, rows, delimiter=',')
    with pytest.raises(RobotError, match='does not state its frames per second'):
        load_robot_motion(path, robot)
    again = load_robot_motion(path, robot, 30.0)
    np.testing.assert_allclose(again.positions, motion.positions, atol=1e-6)


def test_what_is_wrong_is_said(robot: Robot, motion: RobotMotion, tmp_path: Path):
    path = tmp_path / 'walk.csv'
    rows = np.concatenate(
        [motion.base_pos, motion.base_rot[:, [3, 0, 1, 2]], motion.positions], axis=1
    )
    turned_about_z = np.tile([0.0, 0.0, 0.8, 0.6], (len(rows), 1))
    wrong = {
        'too few columns': (rows[:, :-1], 'names none; tin has 33'),
        'degrees': (np.concatenate([rows[:, :7], 60 + rows[:, 7:]], 1), 'are these degrees'),
        'x, y, z, w': (
            np.concatenate([rows[:, :3], turned_about_z, rows[:, 7:]], 1),
            'seem to be',
        ),
        'no unit': (rows * np.r_[1, 1, 1, 2, 2, 2, 2, np.ones(26)], 'no unit quaternions'),
        'not finite': (np.where(rows == rows[3, 9], np.nan, rows), 'not finite'),
        'one frame': (rows[:1], 'are no motion'),
    }
    for table, said in wrong.values():
        np.savetxt(path, table, delimiter=',')
        with pytest.raises(RobotError) as caught:
            load_robot_motion(path, robot, 30.0)
        assert said in str(caught.value)
        assert str(path) in str(caught.value)
    path.write_text('a,b\n', encoding='utf-8')
    with pytest.raises(RobotError, match='cannot be read as a motion of tin'):
        load_robot_motion(path, robot, 30.0)
    with pytest.raises(RobotError, match='there is no motion file'):
        load_robot_motion(tmp_path / 'gone.csv', robot)
    with pytest.raises(RobotError, match=r'saved as \.csv or \.npz'):
        save_robot_motion(tmp_path / 'walk.txt', robot, motion)


def test_files_of_another_robot_are_refused(robot: Robot, motion: RobotMotion, tmp_path: Path):
    save_robot_motion(tmp_path / 'walk.npz', robot, motion)
    other = tin_man(tmp_path, {'hold': {'waist_roll_joint': 0.0}, 'controllers': {}})
    again = load_robot_motion(tmp_path / 'walk.npz', other)  # one joint less is none too few
    assert 'waist_roll_joint' not in again.joint_names
    save_robot_motion(tmp_path / 'less.npz', other, again)
    with pytest.raises(RobotError, match="no column 'waist_roll_joint'"):
        load_robot_motion(tmp_path / 'less.npz', robot)
