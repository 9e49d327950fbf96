# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 ask``: where files stand in a prompt, and both kinds of answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgpt3_ros.cli.ask import placed
from mgpt3_ros.cli.main import main
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.motion import Motion


def test_files_stand_where_their_names_do(tmp_path: Path) -> None:
    one, two = Path('one.npz'), Path('two.npz')
    assert placed('What is this?', [one]) == ('What is this? {motion}', [one])
    assert placed('After FILE?', [one]) == ('After {motion}?', [one])
    both = placed('FILE1 ... FILE2: fill in', [one, two])
    assert both == ('{motion} ... {motion}: fill in', [one, two])
    own = tmp_path / 'walk.npz'
    own.touch()
    assert placed(f'What is this? {own}', []) == ('What is this? {motion}', [own])
    with pytest.raises(MotionError, match='speaks of 2 files, and 1 are given'):
        placed('FILE1 and FILE2', [one])


def test_an_answer_is_a_motion_or_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bow = tmp_path / 'bow.npz'
    assert main(['ask', 'Show me a bow', '-o', str(bow), '--seed', '1']) == 0
    assert capsys.readouterr().out.startswith('a motion of ')
    assert Motion.load(bow).info['text'] == 'a bow'
    assert main(['ask', f'How long is {bow}?']) == 0
    assert capsys.readouterr().out == f'{Motion.load(bow).duration_s:.1f} seconds.\n'
    assert main(['ask', 'What comes next for 1 second?', str(bow)]) == 0
    assert 'a motion of 1.00 s' in capsys.readouterr().out
    assert main(['ask', 'FILE1 or FILE2?', str(bow)]) == 2
