# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import stream
from tests.support.streams import moving, small_model


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp('small') / 'checkpoint'
    small_model().save_pretrained(folder)
    return str(folder)


def test_a_step_is_timed(checkpoint: str, capsys: pytest.CaptureFixture[str]):
    assert stream.main(['speed', '--checkpoint', checkpoint, '--repeats', '2']) == 0
    said = capsys.readouterr().out
    assert 'words to first frames' in said
    assert 'of its 0.4 s' in said


def test_each_minute_is_told_of(checkpoint: str, capsys: pytest.CaptureFixture[str]):
    options = ['--checkpoint', checkpoint, '--bodies', '2', '--minutes', '1']
    assert stream.main(['endless', *options]) == 0
    said = capsys.readouterr().out
    for name in ('walking', 'standing', 'random commands'):
        assert f'{name}, minute 1: root height [m]' in said


def test_a_body_that_does_not_move_is_frozen():
    still = np.repeat(moving(2, 1).numpy(), 60, axis=1)
    row = stream._minute(still)
    assert row['frozen'] == 1.0
    assert row['pace [m/s]'] == 0.0
    assert stream._minute(moving(2, 60).numpy())['frozen'] == 0.0


def test_actions_count_alike_in_their_mean():
    assert stream.by_action(['a', 'a', 'a', 'b'], ['a', 'a', 'a', 'a']) == 0.5


def test_the_fifteen_and_a_goodbye_are_the_old_actions():
    old = stream.old_actions()
    assert {'walk', 'walk-turn-left', 'raise-up-right-hand', 'bow', 'bye'} <= old
    assert not old & {'kick', 'punch', 'dance', 'call'}


def test_text_and_commands_need_data(checkpoint: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        stream.main(['text', '--checkpoint', checkpoint])
    assert '--data' in capsys.readouterr().err


def test_a_checkpoint_of_whole_clips_is_refused():
    from mgpt3_ros.model.errors import MotionError

    shipped = Path(__file__).resolve().parents[2] / 'models' / 'default'
    with pytest.raises(MotionError, match='stream form'):
        stream.main(['speed', '--checkpoint', str(shipped)])
