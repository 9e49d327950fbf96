# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint says that it can do: the list, its file, and the command."""

from __future__ import annotations

import json
import shutil

import pytest

from mgpt3_ros.cli.main import main
from mgpt3_ros.model.checkpoints.checkpoint import find_checkpoint
from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.language.known_actions import (
    FILE,
    KnownAction,
    load_known_actions,
    save_known_actions,
)
from mgpt3_ros.model.motiongpt3 import MotionGPT3

BOW = KnownAction('bow', ('a person bows.', 'take a bow'), 0.9, 30)


def test_a_list_comes_back_as_it_was(tmp_path):
    save_known_actions(tmp_path, [BOW])
    assert load_known_actions(tmp_path) == (BOW,)


def test_a_damaged_list_is_told(tmp_path):
    (tmp_path / FILE).write_text('[{"label": "bow"}]')
    with pytest.raises(CheckpointError, match='cannot be read'):
        load_known_actions(tmp_path)


def test_the_shipped_checkpoint_has_one_and_keeps_it(tmp_path):
    model = MotionGPT3.from_pretrained(device='cpu')
    known = model.known_actions()
    # Not all that it can tell it can do: a waved goodbye comes out as another wave.
    assert {action.label for action in known} == set(model.recogniser.labels) - {'stand', 'bye'}
    assert all(0.5 <= action.shown <= 1.0 and action.draws >= 20 for action in known)
    model.save_pretrained(tmp_path)
    assert MotionGPT3.from_pretrained(tmp_path, device='cpu').known_actions() == known


def test_the_command_lists_them(capsys):
    assert main(['actions']) == 0
    assert 'a person bows.' in capsys.readouterr().out
    assert main(['actions', '--json']) == 0
    assert {'label', 'examples', 'shown', 'draws'} <= json.loads(capsys.readouterr().out)[0].keys()


def test_a_checkpoint_that_was_not_measured_says_so(tmp_path, capsys):
    folder = tmp_path / 'copy'
    shutil.copytree(find_checkpoint(None), folder, ignore=shutil.ignore_patterns(FILE))
    assert main(['actions', '--checkpoint', str(folder)]) == 2
    assert 'no list of what it knows' in capsys.readouterr().err
