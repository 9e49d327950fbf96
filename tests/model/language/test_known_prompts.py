# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Prompts within what a checkpoint knows, and others."""

from __future__ import annotations

import pytest

from mgpt3_ros.model.checkpoints.checkpoint import find_checkpoint
from mgpt3_ros.model.language.action_lookup import found_actions, matches, unexplained, words_of
from mgpt3_ros.model.language.known_actions import load_known_actions
from mgpt3_ros.model.language.known_prompts import BOUND, knowledge_of

STREAM = [action.label for action in load_known_actions(find_checkpoint('stream'))]
DEFAULT = [action.label for action in load_known_actions(find_checkpoint(None))]


@pytest.mark.parametrize(
    ('text', 'label'),
    [
        ('a person kicks with the left foot', 'kick-left'),
        ('wave', 'wave-HAND'),
        ('he strolls ahead', 'walk'),
        ('walk backwards for 3 seconds', 'walk-back'),
        ('raise both arms above your head', 'raise-up-both-hands'),
        ('have a seat', 'sit-down'),
        ('stand up from the chair', 'stand-up'),
        ('curve to the right as you walk', 'walk-turn-right'),
        ('throws a punch with his right fist', 'punch-right'),
        ('parry with the right arm', 'block-right'),
        ('dance', 'dance'),
        ('run the dishwasher', 'run'),
    ],
)
def test_the_action_is_looked_up_by_its_words(text: str, label: str) -> None:
    assert found_actions(words_of(text))[0].label == label


def test_what_it_would_be_done_to_is_told() -> None:
    assert found_actions(words_of('run the dishwasher'))[0].alien == 'dishwasher'
    assert found_actions(words_of('kick the ball'))[0].alien == ''
    assert found_actions(words_of('walk to the dishwasher'))[0].alien == ''
    assert unexplained(words_of('walk to the dishwasher')) == ['dishwasher']


def test_a_side_that_nobody_said_may_be_any() -> None:
    assert matches('kick-SIDE', 'kick-left')
    assert matches('wave-HAND', 'wave-both-hands')
    assert not matches('kick-left', 'kick-right')
    assert not matches('walk', 'walk-back')


@pytest.mark.parametrize('text', ['sit down', 'kick with the left leg', 'walk, then sit down'])
def test_a_list_decides_what_is_known(text: str) -> None:
    there, here = knowledge_of(text, STREAM), knowledge_of(text, DEFAULT)
    assert there.known
    assert there.reason == ''
    assert not here.known
    assert here.reason.startswith('I do not know ')
    assert here.command  # it asks for a motion, if for one that is not known


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('eine Person geht vorwärts', 'not English'),
        ('человек машет рукой', 'not English'),
        ('what time is it', 'asks or tells'),
        ('do you know how to walk?', 'asks or tells'),
        ('Berlin', 'none of its words'),
        ('asdf qwer zxcv', 'none of its words'),
    ],
)
def test_what_is_no_command_is_told_from_what_is_not_known(text: str, reason: str) -> None:
    judged = knowledge_of(text, STREAM)
    assert judged.probability < BOUND
    assert not judged.command
    assert reason in judged.reason


def test_what_comes_near_is_named() -> None:
    assert knowledge_of('punch with the left hand', STREAM).nearest[0] == 'punch-right'
    assert knowledge_of('jump', STREAM).nearest[0] == 'jump-forward'
    assert len(knowledge_of('Berlin', STREAM).nearest) == 3


def test_the_least_known_action_counts() -> None:
    judged = knowledge_of('walk forward, then juggle three balls', STREAM)
    assert judged.probability < BOUND
    assert 'juggle' in judged.reason
