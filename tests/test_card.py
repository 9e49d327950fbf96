# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from mgpt3_ros.training.card import table, write_card
from mgpt3_ros.training.evaluation.measures import Share, recognition
from tests.tiny import tiny_model

FIGURES = {
    'reconstruction MPJPE, all [mm]': 27.04,
    'generated': recognition(
        ['wave-left-hand', 'wave-right-hand', 'walk', 'walk'],
        ['wave-right-hand', 'wave-right-hand', 'walk', 'run'],
    ),
    'CMU captions': {'000133': ('someone runs.', 'a person jogs.')},
}


def test_the_table_has_a_row_for_every_figure() -> None:
    lines = table(FIGURES).splitlines()
    assert '| reconstruction MPJPE, all [mm] | 27 |' in lines
    assert f'| generated: right action | {Share(2, 4)} |' in lines
    assert '| generated: mean over actions | 0.500 |' in lines
    assert '| generated: wrong side | 1 of 2 |' in lines


def test_the_card_says_licence_configuration_command_and_figures() -> None:
    model = tiny_model()
    card = write_card(model, FIGURES, 'measure it', 'train it')
    assert card.startswith('# tiny\n')
    for part in (
        'CC BY-NC 4.0', 'mocap.cs.cmu.edu', 'NSF EIA-0196217', 'train it', 'measure it',
        'vocabulary\n300', 'flow', 'someone runs.', 'a person jogs.', 'What it cannot do',
    ):  # fmt: skip
        assert part in card, part
