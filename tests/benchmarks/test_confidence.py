# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The prompts that confidence is measured by, and how."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks.confidence import flagged, main, prompts
from mgpt3_ros.model.checkpoints.checkpoint import find_checkpoint
from mgpt3_ros.model.language.known_actions import load_known_actions
from mgpt3_ros.model.language.normalisation import normalised
from mgpt3_ros.model.language.pretrained import MINILM, NO_ENCODER, installed
from mgpt3_ros.training.data.packs import load_pack
from tests.support.mocap import FOLDER

MOTION52 = FOLDER.parent / 'motion52'


def test_there_are_eighty_of_either_kind() -> None:
    labels = [action.label for action in load_known_actions(find_checkpoint('stream'))]
    rows = prompts(labels)
    assert sum(known for *_, known in rows) == 80
    assert len({text for text, *_ in rows}) == 160


def test_unknown_prompts_below_what_nearly_all_known_ones_reach_are_found() -> None:
    scores = np.array([*np.arange(10, 30), 0, 5, 11, 40.0])
    known = np.arange(24) < 20
    assert flagged(scores, known) == 0.5  # one of twenty known ones may go: the bound is 11


WITH_ENCODER = pytest.mark.skipif(not installed(MINILM), reason=NO_ENCODER)


@pytest.mark.slow
@pytest.mark.parametrize(
    ('checkpoint', 'signal'),
    [
        ('stream', 'look-up'),
        pytest.param('stream', 'with nearness', marks=WITH_ENCODER),
        pytest.param('default', 'with nearness', marks=WITH_ENCODER),
    ],
)
def test_a_shipped_model_knows_what_it_knows(
    checkpoint: str, signal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['--checkpoint', checkpoint]) == 0
    said = re.findall(
        rf'{signal} +measuring area ([\d.]+), unknown found at 95 % kept ([\d.]+)',
        capsys.readouterr().out,
    )
    ((area, found),) = said
    assert float(area) >= 0.97
    assert float(found) >= 0.85


@pytest.mark.slow
@pytest.mark.skipif(not MOTION52.is_dir(), reason='no pack motion52')
def test_no_prompt_was_trained_on() -> None:
    captions = {normalised(c) for clip in load_pack(MOTION52).train for c in clip.captions}
    rows = prompts([])
    assert [text for text, *_ in rows if normalised(text) in captions] == []
