# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`mgpt3 view` as a program, and what is said where it or a page cannot be had."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip('viser', reason='the extra view is not installed')

from mgpt3_ros.cli import main as cli
from mgpt3_ros.model.motion import Motion
from tests.support.permissions import respect_permissions
from tests.support.robots import write_tin_man
from tests.support.tiny import swinging_motion

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, '-m', 'mgpt3_ros.cli.main')


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    path = tmp_path / 'walk.npz'
    Motion(swinging_motion(1, frames=20), 20.0, {'text': 'walk'}).save(path)
    return path


def started(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_without_a_browser_it_says_where_the_page_is(walk: Path, tmp_path: Path) -> None:
    nothing = tmp_path / 'bin'
    nothing.mkdir()
    hidden = {'PATH': str(nothing), 'BROWSER': '', 'DISPLAY': '', 'WAYLAND_DISPLAY': ''}
    with started('view', str(walk), '--port', '0', **hidden) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        address = re.search(r'http://127\.0\.0\.1:\d+', process.stdout.readline())
        assert address
        said = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = ''.join(process.communicate(timeout=60))
    assert said == f'no browser was found: open {address[0]} in one\n'
    assert process.returncode == 0
    assert rest == ''


@pytest.mark.parametrize('suffix', ['.html', '.mp4', '.png', '.glb', '.vrma', '.npz'])
def test_no_permission_to_write_is_said(suffix: str, walk: Path, tmp_path: Path) -> None:
    locked = tmp_path / 'locked'
    locked.mkdir()
    locked.chmod(0o555)
    path = locked / f'a{suffix}'
    done = subprocess.run(
        [*PROGRAM, 'render', str(walk), '-o', str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=respect_permissions,
    )
    assert done.returncode == cli.MISUSED
    assert done.stderr.splitlines()[-1].endswith(
        f'{path} cannot be written: no permission, or a folder of that name; give another'
    )
    assert 'Traceback' not in done.stderr
    assert list(locked.iterdir()) == []


def test_it_says_what_is_wrong_before_it_serves(
    walk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'text.npz').write_text('a person walks')
    still = np.repeat(swinging_motion(1, frames=1), 3700, axis=0)
    Motion(still, 1.0).save(tmp_path / 'long.npz')
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        port = str(other.getsockname()[1])
        for arguments, said in (
            ([str(tmp_path / 'text.npz')], 'cannot be read as a motion'),
            ([str(tmp_path / 'none.npz')], 'none.npz'),
            ([str(tmp_path / 'long.npz'), '--port', '0'], 'up to 3600 s are shown: cut it'),
            ([str(walk), '--port', port], f'port {port} of 127.0.0.1 is in use'),
            (['--port', '99999'], 'give a number from 0 to 65535'),
            (['--robot', 'no_such_robot'], 'no_such_robot'),
            (['--robot-only'], 'give --robot too'),
        ):
            assert cli.main(['view', '--no-browser', *arguments]) == cli.MISUSED
            noted = capsys.readouterr().err.splitlines()
            assert said in noted[-1]
            assert noted[-1].startswith('mgpt3: ')


def test_a_robots_yaml_reaches_the_page(
    walk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mgpt3_ros.view import panel

    seen: list[Any] = []

    def kept(server: Any, studio: Any, motions: Any, robot: Any) -> Any:
        seen.append((motions, robot))
        raise KeyboardInterrupt

    monkeypatch.setattr(panel, 'Panel', kept)
    robot = write_tin_man(tmp_path)
    options = ['--robot', str(robot), '--robot-only']
    assert cli.main(['view', str(walk), '--port', '0', *options]) == cli.INTERRUPTED
    ((motion,), shown) = seen[0]
    assert motion.info['text'] == 'walk'
    assert shown.robot.name == 'tin'
    assert shown.instead


def test_a_page_of_a_robot_is_written(walk: Path, tmp_path: Path) -> None:
    robot, sizes = str(write_tin_man(tmp_path)), {}
    for name, options in (('human', []), ('both', ['--robot', robot])):
        path = tmp_path / f'{name}.html'
        assert cli.main(['render', str(walk), *options, '-o', str(path)]) == 0
        sizes[name] = path.stat().st_size
    assert sizes['both'] > sizes['human'] + 5000
