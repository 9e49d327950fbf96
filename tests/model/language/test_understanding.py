# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What prompts are drawn from, without a sentence encoder."""

from __future__ import annotations

import pytest

from mgpt3_ros.model.language.known_actions import KnownAction
from mgpt3_ros.model.language.sentence_lookup import side_of
from mgpt3_ros.model.language.understanding import (
    FILE,
    known_sentences,
    other_than_words,
    taught,
    understood,
)
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data import known_sentences as made

KNOWN = (
    KnownAction('walk', ('a person walks.',), 0.9, 10),
    KnownAction('kick-left', ('a person kicks with the left leg.',), 0.8, 10),
    KnownAction('kick-right', ('a person kicks with the right leg.',), 0.9, 10),
)


def test_rules_find_the_action_of_which_few_wordings_were_read() -> None:
    found = understood('boot the gruffalo with your left foot', KNOWN)
    assert found is not None
    assert (found.label, found.sentence) == ('kick-left', 'a person kicks with the left leg')
    timed = understood('boot the gruffalo with your right foot for 2 seconds', KNOWN)
    assert timed is not None
    assert timed.sentence == 'a person kicks with the right leg for 2 seconds'


@pytest.mark.parametrize(
    'text',
    [
        'walk like a gruffalo',  # of which training has read what everybody says
        'kick with the left leg',  # plain words
        'do not boot the gruffalo',
        'boot the gruffalo three times',
        'sneeze',
        ' ',
    ],
)
def test_all_else_stays_as_it_is(text: str) -> None:
    assert understood(text, KNOWN) is None


def test_one_whose_actions_nobody_measured_understands_nothing_else() -> None:
    assert understood('boot the gruffalo with your left foot', ()) is None


def test_counted_and_denied_things_no_sentence_says() -> None:
    assert other_than_words('raise two hands for 5 seconds')
    assert other_than_words('one kick')
    assert not other_than_words('two kicks')
    assert not other_than_words('kick 2 times')
    assert not other_than_words("don't kick")


@pytest.mark.parametrize(
    ('text', 'side'),
    [
        ('kick with the left leg', 'left'),
        ('a right-handed punch', 'right'),
        ('raise the left and the right arm', 'both'),
        ('wave your arms', 'both'),
        ('two fists', 'both'),
        ('sit down', None),
    ],
)
def test_sides_are_read(text: str, side: str | None) -> None:
    assert side_of(text) == side


def test_the_known_sentences_are_what_the_wordings_give() -> None:
    assert FILE.read_text(encoding='utf-8') == made.content()
    assert {'walk', 'bow'} <= taught()
    assert 'sit-down' not in taught()
    assert all(sentences for sentences in known_sentences()['sentences'].values())


@pytest.mark.slow
def test_a_motion_says_what_it_was_understood_as() -> None:
    model = MotionGPT3.from_pretrained('stream', device='cpu', encoder='off')
    text = 'boot the gruffalo with your left foot'
    drawn = model.generate(text, 2.0, generator=noise_source(0))
    said = drawn.info['understood_as']
    assert said in {action.examples[0].rstrip('.') for action in model.known_actions()}
    assert (side_of(said), drawn.info['text']) == ('left', text)
    same = model.generate(said, 2.0, as_is=True, generator=noise_source(0))
    assert (drawn.joints == same.joints).all()
    plain = model.generate(text, 2.0, as_is=True, generator=noise_source(0))
    assert 'understood_as' not in plain.info
    assert not (drawn.joints == plain.joints).all()
    whole = model.generate_sequence(f'{text}, then walk', 2.0, generator=noise_source(0))
    assert [part['text'] for part in whole.info['parts']] == [text, 'walk']
