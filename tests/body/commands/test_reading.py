# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What sentences mean: those of sentences.yaml, which were written before the rules."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from mgpt3_ros.body.commands.meaning import described
from mgpt3_ros.body.commands.reading import understand
from mgpt3_ros.body.commands.words import LEXICON, UNITS
from mgpt3_ros.model.config import load_yaml
from mgpt3_ros.model.errors import TextError

SENTENCES = load_yaml(Path(__file__).parent / 'sentences.yaml')


def meaning(sentence: str) -> str:
    try:
        return described(understand(sentence))
    except TextError:
        return 'refused'


@pytest.mark.parametrize('kind', SENTENCES)
def test_sentences_mean_what_they_must(kind):
    wrong = {
        said: (meaning(said), wanted)
        for said, wanted in SENTENCES[kind].items()
        if meaning(said) != wanted
    }
    assert wrong == {}


def test_whatever_is_said_is_understood_or_refused():
    chance = Random(0)
    known = [*LEXICON, *UNITS, 'seven', '2.5', 'two', 'hundred', ',', '.', '1/2', 'a']
    for number in range(600):
        if number % 2:
            said = ' '.join(chance.choices(known, k=chance.randint(1, 9)))
        else:
            said = ''.join(chr(chance.randrange(32, 0x3000)) for _ in range(chance.randint(1, 60)))
        assert meaning(said)


def test_a_refusal_says_what_is_not_known():
    with pytest.raises(TextError, match='do not know how to squat'):
        understand('squat down')
    with pytest.raises(TextError, match='cannot be done at once'):
        understand('bow while walking')
    with pytest.raises(TextError, match='the text is empty'):
        understand('  ')


@pytest.mark.parametrize(
    ('sentence', 'expected'),
    [
        ('wave while raising your left arm', 'wave-right-hand + raise-up-left-hand'),
        (
            'raise your right arm while waving with your left hand',
            'raise-up-right-hand + wave-left-hand',
        ),
        ('wave with both hands while raising your left arm', 'refused'),
        ('wave your left hand while raising your left arm', 'refused'),
    ],
)
def test_arms_of_two_actions_are_moved_at_once_where_they_are_two(sentence, expected):
    assert meaning(sentence) == expected


@pytest.mark.parametrize(
    ('plan', 'plain'),
    [
        ('1. Walk forward. 2. Wave with both hands.', 'walk forward, then wave with both hands'),
        ('1) walk forward 2) wave', 'walk forward, then wave'),
        ('1. walk forward\n2. wave', 'walk forward, then wave'),
        ('(1) Walk forward. (2) Wave.', 'walk forward, then wave'),
        ('Step 1: walk forward. Step 2: wave.', 'walk forward, then wave'),
        ('- walk forward\n- wave', 'walk forward, then wave'),
        ('* walk forward\n* wave', 'walk forward, then wave'),
        ('walk forward\nwave', 'walk forward, then wave'),
        ('First, walk forward. Second, wave.', 'walk forward, then wave'),
        ('First walk forward. Secondly wave. Thirdly bow.', 'walk forward, then wave, then bow'),
        ('Walk forward. OK. Wave.', 'walk forward, then wave'),
        ('Sure! Here is the plan. Walk forward. Wave.', 'walk forward, then wave'),
        ('walk approx. 3 steps forward', 'walk three steps forward'),
        ('walk max. 2 m', 'walk two meters'),
        ('Walk for 3 sec. Wave.', 'walk for three seconds, then wave'),
        ('Stop. Wave.', 'stop, then wave'),
    ],
)
def test_a_plan_in_steps_is_its_steps(plan: str, plain: str) -> None:
    assert meaning(plan) == meaning(plain)
    assert meaning(plan) != 'refused'
