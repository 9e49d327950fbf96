# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.conversations import conversations, held, main
from mgpt3_ros.model import conversation
from tests.support.streams import save_calm_model
from tests.support.talking import talking_model


def test_there_are_ten_and_what_is_asked_about_was_drawn() -> None:
    ten = conversations()
    assert len(ten) == 10
    assert not any('{motion}' in said[0] for said in ten)


def test_both_sides_are_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, 'ANSWER_TOKENS', 8)
    model = talking_model(tmp_path)
    lines = held(model, ['Show me a bow', 'How long is {motion}?', '?' * 3000], 0)
    assert lines[0] == '> Show me a bow'
    assert lines[1].startswith('  a motion of ')
    assert lines[1].endswith('decided by rules')
    drawn_s = float(lines[1].split()[3])
    assert lines[2:4] == ['> How long is {motion}?', f'  {drawn_s:.1f} seconds.']
    assert lines[-1].startswith('  (the prompt has ')


def test_one_that_does_not_talk_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['--checkpoint', str(save_calm_model(tmp_path))]) == 2
    assert 'was not taught to talk' in capsys.readouterr().err
