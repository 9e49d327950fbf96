# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What instructions in free words ask for."""

from __future__ import annotations

import pytest

from mgpt3_ros.model.language.instructions import (
    Instruction,
    about_what_is_seen,
    read_instruction,
)


@pytest.mark.parametrize(
    ('prompt', 'asked'),
    [
        ('Show me how a man sneezes', Instruction('generate', 'a man sneezes')),
        ('a person walks for 3 seconds', Instruction('generate', '', (), 3.0)),
        ('Please animate someone who waves', Instruction('generate', 'someone who waves')),
        ('What would it look like if he ran?', Instruction('generate', 'he ran')),
        ('{motion}: what happens?', Instruction('caption')),
        ('Say what {motion} and {motion} show', Instruction('caption')),
        ('Go on from {motion} for 4 seconds', Instruction('predict', duration_s=4.0)),
        ('What follows on {motion}?', Instruction('predict')),
        ('Go from {motion} to {motion}', Instruction('inbetween')),
        ('{motion} {motion} in 2.5 s', Instruction('inbetween', duration_s=2.5)),
        ('How long does {motion} take?', Instruction('length')),
        ('How long does a kick take?', Instruction('duration', 'a kick')),
        ('Is {motion} a jump or a kick?', Instruction('choice', '', ('Is a jump', 'a kick'))),
        ('What can you do?', Instruction('known')),
        ('Where is the station?', Instruction('talk')),
    ],
)
def test_what_is_asked_is_read(prompt: str, asked: Instruction) -> None:
    read = read_instruction(prompt)
    if asked.duration_s is not None and asked.task == 'generate':
        assert (read.task, read.duration_s) == (asked.task, asked.duration_s)
    else:
        assert read == asked


def test_motions_and_words_are_the_kinds_of_answers() -> None:
    assert read_instruction('Show me a bow').kind == 'motion'
    assert read_instruction('{motion} and what next?').kind == 'motion'
    assert read_instruction('What is {motion}?').kind == 'text'
    assert read_instruction('How long is a bow?').kind == 'text'


@pytest.mark.parametrize(
    ('prompt', 'seen'),
    [
        ('What is this person doing?', True),
        ('What comes next, for two seconds?', True),
        ('Show me a bow', False),
        ('How long would a bow take?', False),
        ('What is the capital of France?', False),
    ],
)
def test_a_prompt_may_speak_of_the_motion_that_is_seen(prompt: str, seen: bool) -> None:
    assert about_what_is_seen(prompt) is seen
