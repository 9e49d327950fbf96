# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 data``: data sets of own motions, and mistakes that are found in them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mgpt3_ros.cli import main as cli
from mgpt3_ros.training.data.humanml3d import load_humanml3d
from tests.support.captures import write_captures


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    return write_captures(tmp_path / 'captures')


def test_the_command_builds_and_checks(
    captures: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = str(tmp_path / 'out')
    (captures / 'b.txt').unlink()
    assert cli.main(['data', 'build', str(captures), '-o', out, '--val', '0.2']) == 0
    said = capsys.readouterr()
    assert said.out == f'{out}: 2 train, 1 val, 1 test; 1 left out\n'
    assert 'left out b.npy: no caption: write a line or more into b.txt\n' in said.err
    assert cli.main(['data', 'check', out]) == 0
    assert capsys.readouterr().out == f'{out}: 4 motions, 0 problems in 0 files\n'
    (train,) = load_humanml3d(out, splits=('train',)).clips
    assert train == 'train'
    (Path(out) / 'texts' / 'a.txt').unlink()
    assert cli.main(['data', 'check', out]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        'texts/a.txt: missing: the motion has no caption',
        f'{out}: 4 motions, 1 problems in 1 files',
    ]


def test_wrong_requests_are_refused(
    captures: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert cli.main(['data', 'check', str(tmp_path / 'nowhere')]) == 2
    assert 'there is no folder' in capsys.readouterr().err
    shutil.rmtree(captures)
    captures.mkdir()
    assert cli.main(['data', 'build', str(captures), '-o', str(tmp_path / 'out')]) == 2
    assert 'has no motion file' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(['data', 'build', str(captures), '-o', 'out', '--val', '0.9'])
