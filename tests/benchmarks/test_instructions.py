# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The hundred instructions, and how answers to them are judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from benchmarks import instructions
from benchmarks.instructions import IN_WORDS, Clips, right
from mgpt3_ros.model.language.instructions import read_instruction
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.responding import CANNOT, Answer
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.evaluation.classifier import ActionClassifier
from tests.support.tiny import swinging_motion

LISTED = yaml.safe_load(Path(instructions.__file__).with_name('instructions.yaml').read_text())
CLIPS = Clips([Clip('a', swinging_motion(0, 60), ('walk',), 'val', 'x', 'walk')])


class _Named(ActionClassifier):
    """Sees in all motions what it is told to."""

    def __init__(self, name: str) -> None:
        self.name = name

    def predict(self, motions: object) -> list[str]:
        return [self.name]


def test_a_hundred_instructions_ask_for_the_right_kind_of_answer() -> None:
    kinds = [
        (read_instruction(prompt).kind == 'text') == (task in IN_WORDS)
        for task, groups in LISTED.items()
        for prompts in groups.values()
        for prompt in prompts
    ]
    assert len(kinds) == 100
    assert sum(kinds) >= 95


@pytest.mark.parametrize(
    ('task', 'name', 'text', 'is_right'),
    [
        ('caption', 'walk', 'a man walks.', True),
        ('caption', 'walk', 'a man runs.', False),
        ('choice', 'walk', 'walking: a man walks.', True),
        ('choice', 'walk', 'running: a man walks.', False),
        ('duration', 'walk', 'about 2.5 seconds.', True),
        ('duration', 'walk', 'about 9.0 seconds.', False),
        ('length', 'any', '3.0 seconds.', True),
        ('length', 'any', '2.0 seconds.', False),
        ('talk', 'none', CANNOT, True),
        ('talk', 'none', 'Paris', False),
    ],
)
def test_words_are_judged(task: str, name: str, text: str, is_right: bool) -> None:
    seen = [Motion(swinging_motion(0, 60))]
    assert right(task, name, Answer('text', text), seen, CLIPS, _Named('')) is is_right


def test_motions_are_judged() -> None:
    joints = np.asarray(swinging_motion(0, 60))
    seen, after = Motion(joints[:40]), Motion(joints[40:])
    answer = Answer('motion', '', after)
    assert right('predict', '1', answer, [seen], CLIPS, _Named(''))
    assert not right('predict', '2', answer, [seen], CLIPS, _Named(''))
    far = Answer('motion', '', after.transform(translation=(1, 0, 0)))
    assert not right('predict', '1', far, [seen], CLIPS, _Named(''))
    assert right('generate', 'bow', answer, [], CLIPS, _Named('bow'))
    assert not right('generate', 'walk', answer, [], CLIPS, _Named('bow'))
