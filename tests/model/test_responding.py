# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Instructions, answered by the shipped checkpoints in words or by a motion."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mgpt3_ros.model.errors import TextError
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.responding import CANNOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module', params=['default', 'stream'])
def model(request: pytest.FixtureRequest) -> MotionGPT3:
    name = request.param
    return MotionGPT3.from_pretrained(None if name == 'default' else name)


@pytest.fixture(scope='module')
def walk(model: MotionGPT3) -> Motion:
    noise = torch.Generator().manual_seed(1)
    return model.generate('a person walks forward', 3.0, judge=False, generator=noise)


def test_motions_are_drawn(model: MotionGPT3, walk: Motion) -> None:
    shown = model.respond('Show me how someone bows')
    assert (shown.kind, shown.task, shown.decided_by) == ('motion', 'generate', 'rules')
    assert shown.motion is not None
    assert shown.motion.info['text'] == 'someone bows'
    assert shown.motion.info['confidence']['prompt'] > 0.9
    after = model.respond('What comes next after {motion}, for two seconds?', [walk]).motion
    assert after is not None
    assert after.duration_s == 2.0
    assert np.linalg.norm(after.joints[0] - walk.joints[-1], axis=-1).mean() < 0.1
    there = walk.transform(translation=(0, 0, 6))
    gap = model.respond(
        '{motion} ... {motion}: fill the two seconds between', [walk, there]
    ).motion
    assert gap is not None
    assert gap.duration_s == 2.0
    assert np.linalg.norm(gap.joints[-1] - there.joints[0], axis=-1).mean() < 0.2


def test_words_are_written(model: MotionGPT3, walk: Motion) -> None:
    said = model.respond('What is this person doing? {motion}', [walk])
    assert (said.kind, said.motion) == ('text', None)
    assert said.text == model.caption(walk)
    assert str(said) == said.text
    chosen = model.respond('Is this walking or running? {motion}', [walk])
    assert chosen.text.startswith('walking: ')
    assert model.respond('How long is {motion}?', [walk]).text == '3.0 seconds.'
    assert model.respond('How long would a deep bow take?').text.startswith('about ')
    assert 'a person bows' in model.respond('What can you do?').text
    assert model.respond('Who invented the telephone?').text == CANNOT


def test_a_prompt_must_have_a_place_for_each_motion(model: MotionGPT3, walk: Motion) -> None:
    with pytest.raises(TextError, match=r'1 places \{motion\} for 2 motions'):
        model.respond('{motion}?', [walk, walk])
    with pytest.raises(TextError, match='empty'):
        model.respond(' ')
