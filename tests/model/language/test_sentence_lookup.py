# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the pretrained encoder finds among known sentences: side, number and negation survive."""

from __future__ import annotations

import pytest

from mgpt3_ros.model.checkpoints.checkpoint import find_checkpoint
from mgpt3_ros.model.language.known_actions import load_known_actions
from mgpt3_ros.model.language.known_prompts import knowledge_of
from mgpt3_ros.model.language.pretrained import MINILM, NO_ENCODER, installed
from mgpt3_ros.model.language.sentence_encoder import SentenceEncoder
from mgpt3_ros.model.language.sentence_lookup import SentenceLookup, side_of
from mgpt3_ros.model.language.understanding import understood

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not installed(MINILM), reason=NO_ENCODER),
]
KNOWN = load_known_actions(find_checkpoint('stream'))
LABELS = [action.label for action in KNOWN]
# Of each prompt without a side what comes before it.
SIDED = (
    'lash out with the SIDE foot',
    'hoof it with your SIDE boot',
    'clout the sandbag, SIDE fist first',
    'sock him one with a SIDE hook',
    'shove your SIDE mitt skyward',
    'flap the SIDE paw at grandpa',
)


@pytest.fixture(scope='module')
def lookup() -> SentenceLookup:
    return SentenceLookup(SentenceEncoder.load())


def test_free_words_find_the_action(lookup: SentenceLookup) -> None:
    for text, sentence in (
        ('do some kung fu', 'a person does kung fu'),
        ('boot the ball with your left', 'a kick with the left foot'),
        ('make hand signs like the referee', 'a person makes the signs of a referee'),
    ):
        found = understood(text, KNOWN, lambda: lookup)
        assert found is not None, text
        assert found.sentence == sentence, text


@pytest.mark.parametrize('side', ['left', 'right'])
@pytest.mark.parametrize('text', SIDED)
def test_the_side_survives(lookup: SentenceLookup, text: str, side: str) -> None:
    said = text.replace('SIDE', side)
    found = lookup.nearest(said, LABELS, sure=True)
    assert found is None or side_of(found.sentence) == side
    other = {'left': 'right', 'right': 'left'}[side]
    assert found is None or other not in found.sentence


def test_the_number_survives(lookup: SentenceLookup) -> None:
    for text in ('do kung fu twice', 'boot the ball three times', 'do 4 karate moves'):
        assert understood(text, KNOWN, lambda: lookup) is None, text
    timed = understood('do some kung fu for 3 seconds', KNOWN, lambda: lookup)
    assert timed is not None
    assert timed.sentence.endswith(' for 3 seconds')


def test_the_negation_survives(lookup: SentenceLookup) -> None:
    for text in ('do not sit on the settee', "don't boot the ball", 'never do kung fu'):
        assert understood(text, KNOWN, lambda: lookup) is None, text


def test_what_is_near_to_no_listed_action_is_not_understood(lookup: SentenceLookup) -> None:
    for text in ('crawl along on all fours', 'what is the capital of France', 'xyzzy plugh'):
        assert lookup.nearest(text, LABELS) is None, text
    found = lookup.nearest('crawl along on all fours', ['crawl'])
    assert found is not None
    assert found.label == 'crawl'


def test_what_comes_near_is_told_of_words_that_no_rule_reads(lookup: SentenceLookup) -> None:
    for text, label in (
        ('please rise for the king', 'stand-up'),
        ('clap your hands', 'wave-both-hands'),
    ):
        told = knowledge_of(text, LABELS, lookup.nearness)
        assert label in told.nearest, told
