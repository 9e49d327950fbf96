# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from mgpt3_ros.model.config import load_yaml
from mgpt3_ros.training.evaluation.measures import Share, recognition
from mgpt3_ros.training.evaluation.retrieval import RetrievalShare
from scripts.model_card import Target, targets, write_card
from tests.support.tiny import tiny_model

ROOT = Path(__file__).resolve().parents[2]
FOUND = recognition(
    ['wave-left-hand', 'wave-right-hand', 'walk', 'walk'],
    ['wave-right-hand', 'wave-right-hand', 'walk', 'run'],
)
WANTED = ['wave-left-hand', 'wave-right-hand', 'walk', 'walk']
FIGURES = {
    'reconstruction MPJPE, all [mm]': 27.04,
    'real motion': recognition(WANTED, WANTED),
    'generated': FOUND,
    'captions': recognition(WANTED, WANTED),
    'paraphrases': FOUND,
    'blind prompts': FOUND,
    'foot slide in place, generated [m/s]': 0.01,
    'foot slide locomotion, real [m/s]': 0.1,
    'foot slide locomotion, generated [m/s]': 0.2,
    'jitter, generated over real': 0.95,
    'spread within an action, generated over real': 1.2,
    'predicted duration, median error [s]': 0.3,
    'retrieval': RetrievalShare(0.8, 0.6, 0.7, 0.85, 40, 3),
    'CMU captions': {'000133': ('someone runs.', 'a person jogs.')},
}


def test_the_table_has_a_row_for_every_figure() -> None:
    lines = write_card(tiny_model(), FIGURES, 'measure it', {}).splitlines()
    assert '| reconstruction MPJPE, all [mm] | 27 |' in lines
    assert f'| generated: right action | {Share(2, 4)} |' in lines
    assert '| generated: mean over actions | 0.500 |' in lines
    assert '| generated: wrong side | 1 of 2 |' in lines
    assert '| text finds its motion: generated | 0.600, of real 0.750 [0.700, 0.850] |' in lines


def test_the_card_says_licence_configuration_command_and_figures() -> None:
    about = load_yaml(ROOT / 'scripts' / 'card_default.yaml')
    card = write_card(tiny_model(), FIGURES, 'measure it', about)
    assert card.startswith('# tiny\n')
    for part in (
        'CC BY-NC 4.0', 'mocap.cs.cmu.edu', 'NSF EIA-0196217', 'mgpt3 train all', 'measure it',
        'vocabulary\n300', 'flow', 'someone runs.', 'a person jogs.', 'What it cannot do',
    ):  # fmt: skip
        assert part in card, part


def test_the_card_of_any_checkpoint_says_what_its_configuration_says() -> None:
    card = write_card(tiny_model(), FIGURES, 'measure it', {'made_by': 'train it\n'})
    assert 'train it\n```\n' in card
    assert 'Licence of the weights: ' + tiny_model().licence in card
    for foreign in ('CC BY-NC', 'Bandai', 'What it cannot do', 'small size'):
        assert foreign not in card


def test_the_shipped_card_was_written_so() -> None:
    """But for the figures, which nobody can write without the data."""
    about = load_yaml(ROOT / 'scripts' / 'card_default.yaml')
    card = (ROOT / 'models' / 'default' / 'MODEL_CARD.md').read_text(encoding='utf-8')
    assert set(about) == {'about', 'data', 'made_by', 'limits'}
    for text in about.values():
        assert text in card


def test_targets_are_met_or_not() -> None:
    met = {target.name: target.met for target in targets(FIGURES)}
    assert met['reconstruction MPJPE [mm]']
    assert met['captions, right side']
    assert met['jitter, generated over real']
    assert not met['action, generated over real']
    assert not met['wrong side of sided prompts']
    assert not met['foot slide in locomotion, generated over real']
    assert not met['spread within an action, generated over real']
    assert not met['retrieval R@3, generated over real']
    assert len(met) == 14


def test_targets_are_said_in_words() -> None:
    found = [Target('a', 1.0, high=2), Target('b', 1.0, low=2), Target('c', 1, 0.9, 1.15)]
    assert [target.wanted for target in found] == ['at most 2', 'at least 2', '0.9 to 1.15']
    lines = write_card(tiny_model(), FIGURES, 'measure it', {}).splitlines()
    assert '| reconstruction MPJPE [mm] | 27 | at most 28 | yes |' in lines
    assert '| wrong side of sided prompts | 0.5 | at most 0.01 | NO |' in lines
