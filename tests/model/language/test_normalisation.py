# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from mgpt3_ros.model.config import load_yaml
from mgpt3_ros.model.language.normalisation import normalised, words_of
from mgpt3_ros.model.language.prompts import PromptConfig
from mgpt3_ros.model.pipelines.tasks import wording

SENTENCES = load_yaml(Path(__file__).parents[2] / 'body' / 'commands' / 'sentences.yaml')


@pytest.mark.parametrize(
    'said',
    [
        'Walk forward.',
        'WALK FORWARD!!!',
        'walk forwards',
        '  walk\tforward ',
        'please walk forward',
        'um, walk forward, please',
        'Okay, walk forward now',
        'could you walk forward, please?',
        'I want you to walk forward',
        'hey robot: walk forward. Thank you!',
    ],
)
def test_ways_to_write_the_same_command(said):
    assert normalised(said) == 'walk forward'


@pytest.mark.parametrize(
    ('said', 'normal'),
    [
        ('walk 2m', 'walk two meters'),
        ('walk 2 metres', 'walk two meters'),
        ('walk 2,5 m', 'walk 2.5 meters'),
        ('walk 1 1/2 m', 'walk 1.5 meters'),
        ('walk 1½ m', 'walk 1.5 meters'),
        ('go 1,000 cm', 'go 1000 centimeters'),
        ('walk 2-3 m', 'walk two to three meters'),
        ('turn 90°', 'turn 90 degrees'),
        ('at 0.5 m/s', 'at 0.5 meters per second'),
        ('Don\u2019t move!', 'do not move'),
        ('side-step left', 'sidestep left'),
        ('ok', 'ok'),
        ('前に歩いて', '前に歩いて'),
        ('💃', ''),
    ],
)
def test_numbers_units_and_contractions(said, normal):
    assert normalised(said) == normal


@pytest.mark.parametrize('kind', SENTENCES)
def test_the_normal_form_is_its_own_and_has_no_case_and_no_marks(kind):
    for said in SENTENCES[kind]:
        once = normalised(said)
        assert normalised(once) == once
        assert normalised(said.upper()) == once
        assert normalised(f'{said} !') == once


def test_marks_stay_where_clauses_are_told_apart():
    assert words_of('Walk, then bow. Wave!') == ['walk', ',', 'then', 'bow', '.', 'wave']


def test_training_and_use_ask_with_the_normal_form_unless_the_model_is_the_authors():
    assert wording('generate', PromptConfig(), 'Walk forward!')[0] == 'walk forward'
    assert wording('generate', PromptConfig(), '💃')[0] == '💃'
    theirs = PromptConfig(normalise=False)
    assert wording('generate', theirs, 'Walk forward!')[0] == 'Walk forward!'
