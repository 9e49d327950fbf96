# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A conversation as a language model was taught to read it: ChatML, the template of SmolLM2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.language.instructions import PLACE
from mgpt3_ros.model.language.tokenizer import MotionTokenizer

BEGIN, END = '<|im_start|>', '<|im_end|>'
# What SmolLM2-135M-Instruct was told first in its own training (its chat template).
SYSTEM = 'You are a helpful AI assistant named SmolLM, trained by Hugging Face'

SEEN = '(a video)'  # what the language model reads where the user shows a motion


@dataclass(frozen=True)
class Turn:
    """What one side said."""

    role: Literal['system', 'user', 'assistant']
    text: str


def without_places(text: str) -> str:
    """A text as the language model reads it, with :data:`SEEN` for each of its motions."""
    return ' '.join(text.replace(PLACE, f' {SEEN} ').split())


def talks(tokenizer: MotionTokenizer) -> bool:
    """Whether a vocabulary has the marks of turns, as that of a model that was taught to talk."""
    return None not in (tokenizer.token_id(BEGIN), tokenizer.token_id(END))


def chat_ids(tokenizer: MotionTokenizer, turns: Sequence[Turn]) -> list[int]:
    """Token ids of a conversation, ready for the assistant's answer.

    It begins with :data:`SYSTEM` unless ``turns`` begin with other words of the system.

    Raises:
        CheckpointError: the vocabulary has no marks of turns: it is of no such language model.
    """
    begin, end = tokenizer.token_id(BEGIN), tokenizer.token_id(END)
    if begin is None or end is None:
        raise CheckpointError(
            f'the tokenizer has no {BEGIN} and {END}: this language model was not taught to talk'
        )
    told = [*turns] if turns and turns[0].role == 'system' else [Turn('system', SYSTEM), *turns]
    line = tokenizer.encode('\n')
    ids: list[int] = []
    for turn in told:
        ids += [begin, *tokenizer.encode(f'{turn.role}\n{turn.text}'), end, *line]
    return [*ids, begin, *tokenizer.encode('assistant\n')]
