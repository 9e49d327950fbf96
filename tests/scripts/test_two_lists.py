# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of two lists of actions, and their place in a card."""

from __future__ import annotations

from mgpt3_ros.training.evaluation.measures import Share, recognition
from mgpt3_ros.training.evaluation.naturalness import Distance
from scripts.card_block import BEGIN, END, block_of, placed
from scripts.two_lists import ActionList, tables

WANTED = ['kick-left', 'kick-right', 'bow', 'bow']
LIST = ActionList(
    clips=4,
    actions=3,
    real=recognition(WANTED, WANTED),
    made=recognition(WANTED, ['kick-right', 'kick-right', 'bow', None]),
    captions=Share(3, 4),
    readable=Share(4, 4),
    free=recognition(WANTED, WANTED),
    refused=Share(1, 4),
    sunk=Share(0, 3),
    jitter=0.9,
    slide=(0.05, 0.06),
    floating_mm=(10.0, 11.0),
    spread=1.1,
)
UNTOLD = Distance(*[float('nan')] * 3)
NATURAL = {'walk': {'speed [m/s]': Distance(1.2, 1.4, 2.5), 'step length [m]': UNTOLD}}


def test_a_table_has_a_column_for_each_list() -> None:
    lines = tables({'old': LIST, 'new': LIST}, NATURAL, 'measure it').splitlines()
    assert '| measure | old | new |' in lines
    assert f'| drawn: right action | {Share(2, 4)} | {Share(2, 4)} |' in lines
    assert '| drawn over real | 0.50 | 0.50 |' in lines
    assert '| wrong side | 1 of 2 | 1 of 2 |' in lines
    assert '| refused as impossible | 1 of 4 | 1 of 4 |' in lines
    assert '| walk | speed [m/s] | 1.20 | 1.40 | 2.5 |' in lines
    assert any(
        line.startswith('| walk | step length [m] |') and 'not told' in line for line in lines
    )
    assert 'measure it' in lines
    rows = [number for number, line in enumerate(lines) if line.startswith('| ')]
    assert rows[1] - rows[0] == 2  # no gap within a table


def test_what_a_card_says_besides_stays() -> None:
    first = placed('# a model\n\nIts licence.\n', 'figures of one day')
    assert first == f'# a model\n\nIts licence.\n\n{BEGIN}\nfigures of one day\n{END}\n'
    more = first.replace(END, f'{END}\n\n## Limits')
    assert block_of(more) == 'figures of one day'
    assert block_of('# a model') == ''
    again = placed(more, 'figures of the next')
    assert again == more.replace('figures of one day', 'figures of the next')
