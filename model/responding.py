# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Instructions in free words, answered by words or by a motion, with a checkpoint of either form.

What is asked is read by rules (``language.instructions``); captions, motions, forecasts and
lengths are the model's. ``python -m benchmarks.instructions`` measures it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mgpt3_ros.model.errors import TextError
from mgpt3_ros.model.language.action_lookup import found_actions, matches, words_of
from mgpt3_ros.model.language.confidence import names_action
from mgpt3_ros.model.language.instructions import PLACE, Instruction, Task
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.sampling import SamplingOptions

if TYPE_CHECKING:
    from mgpt3_ros.model.motiongpt3 import MotionGPT3

HORIZON_S, GAP_S = 2.0, 1.0  # of a forecast and an in-between for which nobody states a time
CANNOT = (
    'I cannot answer that: I draw motions of one person, and say what a motion shows, which of '
    'two actions it is, how long it takes and what may follow'
)


@dataclass(frozen=True)
class Answer:
    """What an instruction is answered by.

    kind: 'text', 'motion', or 'both' of an instruction in several parts. text: the words; of a
    motion alone, what it was drawn from. motion: None of an answer in words. task: what was asked
    for, first. decided_by: who decided the kind: 'rules', or 'model' where a checkpoint of stage
    ``instruct`` writes the token that begins a motion, or what no rule reads.
    """

    kind: Literal['text', 'motion', 'both']
    text: str
    motion: Motion | None = None
    task: Task = 'talk'
    decided_by: Literal['rules', 'model'] = 'rules'

    def __str__(self) -> str:
        return self.text


def check_places(prompt: str, motions: int) -> None:
    """Refuse a prompt that says nothing, or has other places than there are motions.

    Raises:
        TextError: it does.
    """
    places = prompt.count(PLACE)
    if places != motions:
        raise TextError(
            f'the prompt has {places} places {{motion}} for {motions} motions: give one for each'
        )
    if not prompt.replace(PLACE, '').strip() and not motions:
        raise TextError('the prompt is empty')


def answer(
    model: MotionGPT3, asked: Instruction, motions: Sequence[Motion], sampling: SamplingOptions
) -> Answer:
    """Do what an instruction asks.

    Args:
        model: of either form.
        asked: the instruction; one that is about motions comes with them.
        motions: that stand in it, in their order.
        sampling: how a motion is drawn.

    Raises:
        MotionGPT3Error: as the calls of ``MotionGPT3`` that serve it.
    """
    if asked.task == 'generate':
        motion = model.generate(asked.text, asked.duration_s, sampling=sampling)
        text = motion.info.get('understood_as', asked.text)
        return Answer('motion', text, motion, asked.task)
    if asked.task == 'predict':
        motion = model.predict(motions[0], asked.duration_s or HORIZON_S, sampling=sampling)
        return Answer('motion', 'what may follow', motion, asked.task)
    if asked.task == 'inbetween':
        seconds = asked.duration_s or GAP_S
        motion = model.inbetween(motions[0], motions[1], seconds, sampling=sampling)
        return Answer('motion', 'what may lie between', motion, asked.task)
    return Answer('text', _in_words(model, asked, motions, sampling), None, asked.task)


def _in_words(
    model: MotionGPT3, asked: Instruction, motions: Sequence[Motion], sampling: SamplingOptions
) -> str:
    if asked.task == 'caption':
        said = [str(model.caption(motion)) for motion in motions]
        return said[0] if len(said) == 1 else '; '.join(said)
    if asked.task == 'length':
        return f'{motions[0].duration_s:.1f} seconds.'
    if asked.task == 'duration':
        drawn = model.generate(asked.text, judge=False, sampling=sampling)
        return f'about {drawn.duration_s:.1f} seconds.'
    if asked.task == 'choice':
        return _chosen(model, asked.choices, motions[0])
    if asked.task == 'known' and model.known_actions():
        return '; '.join(action.examples[0].rstrip('.') for action in model.known_actions())
    return CANNOT


def _chosen(model: MotionGPT3, choices: Sequence[str], motion: Motion) -> str:
    """Which of two alternatives a motion shows: by its caption, else by the recogniser."""
    labels = [_label(choice) for choice in _completed(choices)]
    caption = str(model.caption(motion))
    named = [label is not None and names_action(caption, label) for label in labels]
    if sum(named) == 1:
        return f'{_said(choices[named.index(True)])}: {caption}'
    if model.recogniser is not None and None not in labels:
        found = model.recogniser.probabilities(motion.resample(20.0).joints)
        shares = [
            sum(
                p for p, own in zip(found, model.recogniser.labels, strict=True) if _is(own, label)
            )
            for label in labels
        ]
        if max(shares) > 0:
            return f'{_said(choices[int(np.argmax(shares))])}: {caption}'
    return f'neither, as far as I see: {caption}'


def _is(own: str, label: str | None) -> bool:
    return label is not None and matches(label, own)


def _completed(choices: Sequence[str]) -> list[str]:
    """Alternatives of which one says only what differs ("walk forward or backward")."""
    first, second = choices
    if not found_actions(words_of(second)):
        verbs = words_of(first)
        found = found_actions(verbs)
        if found:
            second = f'{verbs[found[0].begin]} {second}'
    return [first, second]


def _label(choice: str) -> str | None:
    found = found_actions(words_of(choice))
    return found[0].label if found else None


def _said(choice: str) -> str:
    """A choice without the words that ask."""
    words = choice.split()
    while words and words[0].lower() in ('is', 'does', 'are', 'it', 'this', 'would', 'you', 'say'):
        words.pop(0)
    return ' '.join(words)
