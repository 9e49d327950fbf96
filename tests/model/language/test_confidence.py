# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The two parts of a motion's confidence, of the shipped checkpoints."""

from __future__ import annotations

import pytest
import torch

from mgpt3_ros.model.language.confidence import confidence_of, doubt, least, names_action
from mgpt3_ros.model.language.known_actions import KnownAction
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from tests.support.tiny import tiny_model

KNOWN = (
    KnownAction('walk', ('a person walks.',), 0.9, 10),
    KnownAction('bow', ('a person bows.',), 1.0, 10),
)


def test_the_parts_are_kept_apart() -> None:
    right = confidence_of('bow', KNOWN, 'a man bows politely.')
    assert right['prompt'] > 0.9
    assert right['shown'] is True
    assert doubt(right) == ''
    wrong = confidence_of('bow', KNOWN, 'a man walks.')
    assert wrong['prompt'] == right['prompt']
    assert wrong['shown'] is False
    assert "the model sees 'a man walks.'" in doubt(wrong)
    unknown = confidence_of('dance', KNOWN, 'a man walks.')
    assert unknown['prompt'] < 0.5
    assert unknown['shown'] is None
    assert 'I do not know dance; it knows: ' in doubt(unknown)
    assert confidence_of('bow', KNOWN)['shown'] is None


def test_of_several_actions_the_most_doubted_counts() -> None:
    good, unseen = (confidence_of('bow', KNOWN, c) for c in ('he bows.', 'he walks.'))
    unknown = confidence_of('fly', KNOWN)
    assert least([good, unseen]) == unseen
    assert least([good, unseen, unknown]) == unknown


def test_sides_that_were_asked_for_must_be_shown() -> None:
    assert names_action('a person kicks with the left leg.', 'kick-SIDE')
    assert names_action('a person kicks with the left leg.', 'kick-left')
    assert not names_action('a person kicks with the left leg.', 'kick-right')


def test_a_model_whose_actions_nobody_measured_has_none() -> None:
    model = tiny_model()
    assert model.confidence('walk') is None
    assert 'confidence' not in model.generate('walk', 1.0).info


@pytest.mark.slow
@pytest.mark.parametrize('checkpoint', [None, 'stream'])
def test_a_shipped_model_says_how_sure_it_is(checkpoint: str | None) -> None:
    model = MotionGPT3.from_pretrained(checkpoint)
    noise = torch.Generator().manual_seed(0)
    motion = model.generate('a person walks forward', 3.0, generator=noise)
    assert motion.info['confidence']['prompt'] > 0.9
    assert motion.info['confidence']['shown'] is True
    prompt_alone = model.generate('juggle', 1.0, judge=False, generator=noise).info['confidence']
    assert prompt_alone['prompt'] < 0.5
    assert prompt_alone['caption'] == ''
    several = model.generate_sequence('bow, then juggle', 1.0, generator=noise)
    assert several.info['confidence'] == {**prompt_alone}


def test_a_caption_may_name_what_else_is_done() -> None:
    walk = KnownAction('walk', ('walk forward',), 0.9, 30)
    turns = confidence_of('walk forward', [walk], 'a person walks and turns right.')
    assert turns['shown'] is True
    assert confidence_of('walk forward', [walk], 'a person waves.')['shown'] is False
