# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Robots on the command line: ``mgpt3 robot``, and files of robots in other commands."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.cli import main as cli
from mgpt3_ros.model.motion import Motion
from tests.support.robots import tin_man, walking, write_tin_man


@pytest.fixture
def robot(tmp_path: Path) -> str:
    """A robot that is not in the list: all that it needs is its YAML and its URDF."""
    return str(write_tin_man(tmp_path))


@pytest.fixture
def walk(tmp_path: Path) -> str:
    path = tmp_path / 'human.npz'
    Motion(walking(40).astype(np.float32)).save(path)
    return str(path)


def test_the_list_names_each_robot_and_how_it_is_had(capsys: pytest.CaptureFixture[str]):
    assert cli.main(['robot', 'list']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ['g1', 'gr1', 'icub', 'romeo', 'talos']
    assert all('joints' in line or 'pip install' in line for line in lines)


def test_a_mapping_is_checked(robot: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(['robot', 'check', robot]) == 0
    assert 'tin: 26 joints in 2 controllers' in capsys.readouterr().out
    bent = write_tin_man(tmp_path, {'stand': {'left_knee_joint': 1.2}})
    assert cli.main(['robot', 'check', str(bent)]) == 1
    assert 'left shank leans' in capsys.readouterr().out
    assert cli.main(['robot', 'check', 'hal']) == 2
    assert 'known are g1, gr1, icub' in capsys.readouterr().err


def test_a_motion_is_checked(robot: str, walk: str, capsys: pytest.CaptureFixture[str]):
    assert cli.main(['robot', 'check', walk, '--robot', robot]) == 0
    said = capsys.readouterr().out
    assert 'no position limit is broken' in said
    assert 'standing soles within' in said
    simulated = importlib.util.find_spec('mujoco') is not None
    assert ('verdict: ' in said) == simulated
    assert ('pip install "mgpt3_ros[sim]"' in said) != simulated
    assert cli.main(['robot', 'check', walk]) == 2
    assert 'say of which robot, --robot NAME' in capsys.readouterr().err


def test_a_picture_shows_both(robot: str, walk: str, tmp_path: Path):
    cv2 = pytest.importorskip('cv2')
    path = tmp_path / 'tin.png'
    assert cli.main(['robot', 'show', robot, '--motion', walk, '-o', str(path)]) == 0
    picture = cv2.imread(str(path))
    upper, lower = np.vsplit(picture, 2)
    for half in (upper, lower):  # left limbs are blue, right ones orange (OpenCV: BGR)
        blue = (half[..., 0] > 150) & (half[..., 2] < 80)
        orange = (half[..., 2] > 150) & (half[..., 0] < 80)
        assert blue.sum() > 500
        assert orange.sum() > 500


def test_words_become_a_robots_file_and_the_file_words(
    robot: str, checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = [str(tmp_path / name) for name in ('walk.csv', 'walk.npz', 'walk.bvh')]
    drawn = ['generate', 'a man walks', '--duration', '2', '--checkpoint', checkpoint]
    drawn += ['--seed', '1', '--robot', robot]
    assert cli.main([*drawn, *(part for path in out for part in ('-o', path))]) == 0
    rows = np.loadtxt(out[0], delimiter=',')
    assert rows.shape[1] == 7 + 26
    with np.load(out[1]) as data:
        assert str(data['joint_names'][0]) == 'waist_yaw_joint'
        np.testing.assert_allclose(data['positions'], rows[:, 7:], atol=1e-6)
    assert Motion.load(out[2]).num_frames == 40  # the human's
    capsys.readouterr()
    assert cli.main(['caption', *out[:2], '--robot', robot, '--checkpoint', checkpoint]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second


def test_what_is_missing_is_said_before_anything_is_drawn(
    checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    asked = ['generate', 'walk', '-o', str(tmp_path / 'a.csv'), '--checkpoint', checkpoint]
    assert cli.main(asked) == 2
    assert 'a .csv holds the motion of a robot: give --robot too' in capsys.readouterr().err
    (tmp_path / 'b.csv').write_text('1,2\n', encoding='utf-8')
    assert cli.main(['caption', str(tmp_path / 'b.csv'), '--checkpoint', checkpoint]) == 2
    assert '--robot NAME' in capsys.readouterr().err


def test_a_data_set_is_made_of_robots_files(
    robot: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    from mgpt3_ros.robots import retarget, save_robot_motion

    folder = tmp_path / 'takes'
    folder.mkdir()
    tin = tin_man(tmp_path)
    for number in range(3):
        motion = retarget(tin, walking(50 + number), 20.0)
        path = folder / f'walk{number}.{"npz" if number else "csv"}'
        save_robot_motion(path, tin, motion)
        (folder / f'walk{number}.txt').write_text('a robot walks.\n', encoding='utf-8')
    out = tmp_path / 'set'
    assert cli.main(['data', 'build', str(folder), '-o', str(out), '--robot', robot]) == 0
    assert '0 left out' in capsys.readouterr().out
    assert len(list((out / 'new_joint_vecs').glob('walk*.npy'))) == 3
    assert cli.main(['data', 'check', str(folder), '--robot', robot]) == 0
    assert '3 motions, 0 problems' in capsys.readouterr().out
