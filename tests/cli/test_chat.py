# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 chat``: lines in; words, motions and what cannot be answered out."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from mgpt3_ros.cli.main import main
from mgpt3_ros.model import conversation
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from tests.support.talking import talking_model


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(conversation, 'ANSWER_TOKENS', 8)
    (tmp_path / 'words').mkdir()
    talking_model(tmp_path / 'words').save_pretrained(tmp_path / 'model')
    return str(tmp_path / 'model')


def test_each_line_is_a_turn(
    checkpoint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    drawn = tmp_path / 'out' / 'motion_1.npz'
    lines = ['Who?', 'Why?', 'Show me a bow', f'How long is {drawn}?', 'a FILE?', '', 'Why?']
    monkeypatch.setattr(sys, 'stdin', io.StringIO('\n'.join(lines)))
    call = ['chat', '--checkpoint', checkpoint, '--folder', str(tmp_path / 'out'), '--seed', '1']
    assert main(call) == 0
    told = capsys.readouterr()
    said = told.out.splitlines()
    talk = MotionGPT3.from_pretrained(checkpoint, 'cpu').conversation()
    assert said[:2] == [talk.say('Who?').text, talk.say('Why?').text]
    assert said[2].startswith('a motion of ')
    assert said[2].endswith(str(drawn))
    assert said[3] == f'{Motion.load(drawn).duration_s:.1f} seconds.'
    assert 'speaks of 1 files, and 0 are given' in told.err
    assert said[4] == MotionGPT3.from_pretrained(checkpoint, 'cpu').respond('Why?').text
    assert len(said) == 5


def test_ask_moves_and_speaks(
    checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ['ask', 'Show me a bow, then tell me where it is usual', '--checkpoint', checkpoint]
    assert main([*call, '-o', str(tmp_path / 'bow.npz'), '--seed', '1']) == 0
    moved, said = capsys.readouterr().out.splitlines()
    assert moved.startswith('a motion of ')
    assert '(a bow), seed 1' in moved
    assert said
    assert Motion.load(tmp_path / 'bow.npz').num_frames > 8


def test_one_that_does_not_talk_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['chat', '--model', 'stream']) == 2
    assert 'was not taught to talk' in capsys.readouterr().err
    with pytest.raises(SystemExit):  # both name a checkpoint
        main(['ask', 'hi', '--model', 'default', '--checkpoint', 'x'])
