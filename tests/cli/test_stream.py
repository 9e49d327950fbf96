# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 stream``: lines in, one motion out."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.cli import main as cli
from mgpt3_ros.cli import stream
from mgpt3_ros.model.motion import Motion
from tests.support.streams import moving, save_calm_model, small_model
from tests.support.tiny import save_tiny_model


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_calm_model(tmp_path_factory.mktemp('stream')))


def piped(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, 'stdin', io.StringIO(text))


def test_each_line_lasts_as_it_states_or_as_asked(monkeypatch, tmp_path, checkpoint, capsys):
    piped(monkeypatch, 'walk forward\nwave for 2 seconds\n\nstop\n')
    path = tmp_path / 'all.npz'
    call = ['stream', '--checkpoint', checkpoint, '--duration', '0.8', '--seed', '3']
    assert cli.main([*call, '-o', str(path), '-o', str(tmp_path / 'all.bvh')]) == 0
    motion = Motion.load(path)
    assert len(motion.joints) == 16 + 40 + 16 + 16
    parts = motion.info['parts']
    assert [(part['text'], part['start_s']) for part in parts] == [
        ('walk forward', 0.0),
        ('wave', 0.8),
        ('', 2.8),
    ]
    assert (tmp_path / 'all.bvh').stat().st_size > 1000
    assert '4.40 s of motion, seed 3' in capsys.readouterr().out
    steps = np.linalg.norm(np.diff(motion.joints, axis=0), axis=-1)
    assert steps.max() < 0.2  # [m]: no jump where one line takes over from another


def test_it_goes_on_from_a_motion(monkeypatch, tmp_path, checkpoint):
    seen = moving(1, 30)[0].numpy() + np.array([3.0, 0.0, -2.0], dtype=np.float32)
    Motion(seen, 20.0).save(tmp_path / 'seen.npz')
    piped(monkeypatch, 'walk\n')
    path = tmp_path / 'on.npz'
    call = ['stream', '--checkpoint', checkpoint, '--start', str(tmp_path / 'seen.npz')]
    assert cli.main([*call, '--duration', '0.4', '-o', str(path)]) == 0
    first = Motion.load(path).joints[0]
    assert np.linalg.norm(first - seen[-1], axis=-1).max() < 0.2


def test_an_interrupt_writes_what_there_is(monkeypatch, tmp_path, checkpoint, capsys):
    class Interrupted(io.StringIO):
        def __next__(self) -> str:
            line = self.readline()
            if not line:
                raise KeyboardInterrupt
            return line

    monkeypatch.setattr(sys, 'stdin', Interrupted('walk\n'))
    path = tmp_path / 'part.npz'
    assert cli.main(['stream', '--checkpoint', checkpoint, '-o', str(path)]) == 0
    assert len(Motion.load(path).joints) == 80
    assert 'interrupted' in capsys.readouterr().err


def test_no_line_writes_nothing(monkeypatch, tmp_path, checkpoint, capsys):
    piped(monkeypatch, '')
    path = tmp_path / 'none.npz'
    assert cli.main(['stream', '--checkpoint', checkpoint, '-o', str(path)]) == 2
    assert not path.exists()
    assert 'no line' in capsys.readouterr().err


def test_what_is_typed_counts_at_once_and_an_empty_line_stands():
    live = small_model().stream(None)
    told: list[str | None] = []

    def lines() -> Iterator[str]:
        yield 'walk\n'
        yield '\n'
        yield 'wave for 9 seconds\n'

    for chunk in stream._typed(live, lines()):
        told.append(chunk.info.get('text'))
    assert told == ['walk', None, 'wave']


def test_a_checkpoint_of_the_clip_form_is_refused(monkeypatch, tmp_path: Path, capsys):
    piped(monkeypatch, 'walk\n')
    call = ['stream', '--checkpoint', str(save_tiny_model(tmp_path / 'clip')), '-o', 'a.npz']
    assert cli.main(call) == 2
    assert 'stream form' in capsys.readouterr().err
