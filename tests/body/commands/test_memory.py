# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from mgpt3_ros.body.commands.meaning import Rest, described
from mgpt3_ros.body.commands.memory import Memory, same_as_before
from mgpt3_ros.body.commands.reading import understand
from mgpt3_ros.model.errors import TextError


def after(*commands: str) -> str:
    """What the last of some commands comes to mean."""
    memory = Memory()
    for command in commands:
        parts = memory.resolved(understand(command))
        memory.remember(parts)
    return described(parts)


@pytest.mark.parametrize(
    ('commands', 'meaning'),
    [
        (('bow twice', 'again'), 'bow 2 times'),
        (('bow twice', 'again', 'do that again'), 'bow 2 times'),
        (('walk two meters', 'continue'), 'walk'),
        (('walk slowly', 'stop', 'keep going'), 'walk slow'),
        (('walk', 'faster'), 'walk fast'),
        (('walk slowly', 'faster'), 'walk normal'),
        (('walk slowly', 'faster', 'faster'), 'walk fast'),
        (('walk', 'slower'), 'walk slow'),
        (('walk at 0.5 m/s', 'faster'), 'walk 0.65 m/s'),
        (('turn left 45 degrees', 'the other way'), 'walk-turn-right 45 deg'),
        (('raise your left arm', 'now the other side'), 'raise-up-right-hand'),
        (
            ('wave while raising your left arm', 'the other way'),
            'wave-left-hand + raise-up-right-hand',
        ),
        (('walk two meters', 'undo'), 'walk-back 2 m'),
        (('walk 2 m, then turn left 9°', 'go back'), 'walk-turn-right 9 deg; walk-back 2 m'),
        (('walk, then bow', 'again'), 'walk; bow'),
        (('walk', "don't stop"), 'walk'),
    ],
)
def test_words_about_what_was_before(commands, meaning):
    assert after(*commands) == meaning


@pytest.mark.parametrize(
    ('commands', 'reason'),
    [
        (('again',), 'nothing was done before'),
        (('stop', 'faster'), 'nothing was done before'),
        (('bow', 'the other way'), 'cannot be said of: bow'),
        (('wave', 'undo'), 'cannot be said of'),
    ],
)
def test_what_they_cannot_speak_of_is_said(commands, reason):
    with pytest.raises(TextError, match=reason):
        after(*commands)


def test_a_command_that_repeats_what_is_done_on_foot():
    assert same_as_before(understand('turn left!'), understand('please turn left'))
    assert not same_as_before(understand('turn left'), understand('turn right'))
    assert not same_as_before(understand('bow'), understand('bow'))
    assert not same_as_before((Rest(),), understand('stop'))
