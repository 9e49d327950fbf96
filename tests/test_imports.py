# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Imports point one way: nodes -> model <- training, and only the nodes know ROS."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROS = {'rclpy', 'launch', 'launch_ros', 'tf2_ros', 'ament_index_python', 'builtin_interfaces'}
# room: (folder, dotted name, what it must not import)
ROOMS = {
    'nodes': ('mgpt3_ros', 'mgpt3_ros', {'mgpt3_ros.training'}),
    'model': ('model', 'mgpt3_ros.model', {'mgpt3_ros.training', 'ROS'}),
    'training': ('training', 'mgpt3_ros.training', {'ROS'}),
}


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob('*.py'))


def imported(path: Path, package: str) -> list[tuple[int, str]]:
    """All (line, absolute dotted name) that a file imports, wherever in it."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            names += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ''
            if node.level:  # from . import x, from ..y import x
                start = package.split('.')[: len(package.split('.')) - node.level + 1]
                base = '.'.join([*start, base] if base else start)
            names.append((node.lineno, base))
            names += [(node.lineno, f'{base}.{alias.name}') for alias in node.names]
    return names


def is_ros(name: str) -> bool:
    top = name.split('.')[0]
    return top in ROS or top.endswith(('_msgs', '_srvs'))


def breaches(room: str) -> list[str]:
    folder, dotted, forbidden = ROOMS[room]
    found = []
    for path in sources(folder):
        inner = path.parent.relative_to(ROOT / folder).parts
        for line, name in imported(path, '.'.join([dotted, *inner])):
            inside = [ban for ban in forbidden if name == ban or name.startswith(ban + '.')]
            if inside or ('ROS' in forbidden and is_ros(name)):
                found.append(f'{path.relative_to(ROOT)}:{line} imports {name}')
    return found


@pytest.mark.parametrize('room', ROOMS)
def test_a_room_keeps_to_itself(room: str):
    assert sources(ROOMS[room][0]), f'no source of {room} found: this test would hold nothing'
    assert breaches(room) == []


def test_the_reader_of_imports_sees_every_form(tmp_path: Path):
    path = tmp_path / 'a.py'
    path.write_text(
        'import a.b\nfrom c import d\nfrom . import e\nfrom ..f import g\ndef h():\n    import i\n'
    )
    names = [name for _, name in imported(path, 'mgpt3_ros.model.network.vae')]
    assert {'a.b', 'c.d', 'mgpt3_ros.model.network.vae.e', 'mgpt3_ros.model.f.g', 'i'} <= set(
        names
    )


def test_no_bare_import_of_a_room():
    # `import model` works where the tree's root is on the path, and breaks once installed.
    found = []
    for folder in ('mgpt3_ros', 'model', 'training', 'tests', 'benchmarks', 'launch'):
        for path in sources(folder):
            for line, name in imported(path, folder.replace('/', '.')):
                if name.split('.')[0] in ('model', 'training') and path.parts[-2] != 'launch':
                    found.append(f'{path.relative_to(ROOT)}:{line} imports {name}')
    assert found == []


@pytest.mark.parametrize('room', ['model', 'training'])
def test_every_module_imports_without_ros(room: str, tmp_path: Path):
    """From outside the tree, in a process of its own, with rclpy made impossible."""
    folder, dotted, _ = ROOMS[room]
    modules = [
        '.'.join([dotted, *path.relative_to(ROOT / folder).with_suffix('').parts])
        for path in sources(folder)
        if path.name != '__main__.py'  # it would run
    ]
    modules = [name.removesuffix('.__init__') for name in modules]
    code = (
        'import importlib, sys\n'
        'sys.modules["rclpy"] = None  # any import of it fails\n'
        f'for name in {modules!r}:\n'
        '    importlib.import_module(name)\n'
        'loaded = [name for name in sys.modules if name.startswith("mgpt3_ros.training")]\n'
        f'assert {room == "training"} or not loaded, loaded\n'
    )
    paths = [str(ROOT), os.environ.get('PYTHONPATH', '')]
    env = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))}
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
