# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""launch/robot.launch.py: a robot, what moves it, and what stands for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mgpt3_ros.robots import Robot
from tests.support.robots import write_tin_man

ROOT = Path(__file__).resolve().parents[2]
FILE = 'robot.launch.py'


@pytest.fixture
def named(launched, tmp_path):
    """A function that runs the launch file for the tin man, and its path."""
    path = str(write_tin_man(tmp_path))

    def execute(**arguments: str):
        return {node.executable: node for node in launched(FILE, robot=path, **arguments).nodes}

    return execute, path


def test_arguments_are_described(launched, tmp_path):
    declared = launched(FILE, robot=str(write_tin_man(tmp_path))).declared
    assert {'robot', 'sim', 'playback', 'caption', 'rviz', 'rviz_config'} <= set(declared)
    assert 'joint_profile' not in declared
    assert declared['robot'].default_value == 'g1'
    assert all(argument.description.endswith('.') for argument in declared.values())


def test_words_move_the_robot_and_playback_stands_for_it(named):
    execute, path = named
    nodes = execute()
    assert set(nodes) == {'generate_node', 'playback_node', 'robot_state_publisher'}
    for name in ('generate_node', 'playback_node'):
        assert nodes[name].parameters == [str(ROOT / 'config' / 'robot.yaml')]
        assert nodes[name].overrides == {'joint_profile': path}
    text = nodes['robot_state_publisher'].parameters[-1]['robot_description'].value
    assert text == Robot.from_name_or_file(path).urdf.path.read_text()


def test_all_executables_are_installed(named):
    execute, _ = named
    ours = set(re.findall(r"'(\w+) = mgpt3_ros", (ROOT / 'setup.py').read_text()))
    nodes = execute(sim='true', caption='true', rviz='true')
    assert set(nodes) == {'motion_server', 'sim_node', 'robot_state_publisher', 'rviz2'}
    assert {'motion_server', 'sim_node', 'retarget_node'} <= ours


def test_nothing_stands_for_a_real_robot(named):
    execute, _ = named
    assert 'playback_node' not in execute(playback='false')


def test_without_robot_state_publisher_it_starts_all_the_same(named, monkeypatch):
    from ament_index_python import packages

    execute, _ = named
    monkeypatch.setattr(packages, 'INSTALLED', ['mgpt3_ros'])
    assert set(execute()) == {'generate_node', 'playback_node'}
    with pytest.raises(RuntimeError, match='rviz:=true needs the package rviz2'):
        execute(rviz='true')


def test_a_robot_that_is_not_there_is_said_before_anything_starts(launched):
    with pytest.raises(RuntimeError, match="robot:=hal: there is no robot 'hal'"):
        launched(FILE, robot='hal')
