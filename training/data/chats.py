# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversations that teach a model beside a language model when a motion begins: ``chats.yaml``.

What is learned after them is no text of ours: the token that begins a motion, or what the language
model itself answers.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from mgpt3_ros.model.config import from_dict, load_yaml
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.language.chat import Turn, without_places
from mgpt3_ros.model.language.vocabulary import MOTION
from mgpt3_ros.training.data.instructions import SHIPPED, Instructions, filled, load_instructions

Kind = Literal['moves', 'looks', 'talks', 'plain']
FILLS = {
    'moves': 5,
    'looks': 3,
    'talks': 3,
    'plain': 3,
    'dialogues': 4,
}  # of a text with words to fill in
# Wordings of the tasks of ``instructions.yaml``, and what they are answered by.
_OF_TASKS: dict[str, Kind] = {
    'generate': 'moves', 'predict': 'moves', 'inbetween': 'moves', 'caption': 'looks',
}  # fmt: skip
_PLACE = re.compile(r'\{(\w+)\}')


@dataclass(frozen=True)
class Chat:
    """A conversation that ends with what the user said, and what it is answered by."""

    kind: Kind
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Dialogue:
    """Turns of the user and the assistant, beginning and ending with the user's."""

    kind: str
    turns: tuple[str, ...]


@dataclass(frozen=True)
class ChatFile:
    """A file of conversations; see the head of ``chats.yaml``."""

    words: dict[str, tuple[str, ...]]
    moves: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()
    talks: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    dialogues: tuple[Dialogue, ...] = ()


def load_chats(source: str | Path, captions: Sequence[str], seed: int = 0) -> list[Chat]:
    """Conversations of a file, each text filled in a few ways; always the same ones.

    Args:
        source: of the file; ``'shipped'`` for the one that comes with the package, with the
            wordings of ``instructions.yaml`` added.
        captions: what is said of motions.
        seed: of the choice of words.

    Raises:
        ConfigError: the file is missing or wrong.
    """
    shipped = str(source) == SHIPPED
    file = Path(__file__).with_suffix('.yaml') if shipped else Path(source)
    texts = from_dict(ChatFile, load_yaml(file), str(file))
    words = {**texts.words, 'caption': tuple(captions), 'motion': ('{motion}',)}
    found: list[Chat] = []
    for kind in get_args(Kind):
        for text in getattr(texts, kind):
            told = _fills((text,), words, FILLS[kind], seed, file)
            found += [_chat(kind, turns) for turns in told]
    for dialogue in texts.dialogues:
        if dialogue.kind not in get_args(Kind) or len(dialogue.turns) % 2 == 0:
            raise ConfigError(
                f'{file}: a dialogue is of kind {dialogue.kind!r} with {len(dialogue.turns)} '
                f'turns; kinds are {", ".join(get_args(Kind))}, and the user has the last word'
            )
        told = _fills(dialogue.turns, words, FILLS['dialogues'], seed, file)
        found += [_chat(dialogue.kind, turns) for turns in told]
    if shipped:
        found += _of_instructions(load_instructions(SHIPPED), captions, seed)
    return list(dict.fromkeys(found))


def _of_instructions(
    instructions: Instructions, captions: Sequence[str], seed: int
) -> Iterable[Chat]:
    """Each wording of a task once, with a caption and a length."""
    for task in instructions.tasks.values():
        for prompt in task.prompts if task.trains in _OF_TASKS else ():
            rng = _chance(seed, prompt)
            caption = captions[int(rng.integers(len(captions)))]
            text = filled(prompt, caption, int(rng.integers(20, 200)))
            yield _chat(_OF_TASKS[task.trains], (text.replace(MOTION, '{motion}'),))


def _fills(
    texts: tuple[str, ...],
    words: dict[str, tuple[str, ...]],
    most: int,
    seed: int,
    file: Path,
) -> list[tuple[str, ...]]:
    """Texts of one conversation with their places filled in, up to ``most`` ways.

    The assistant speaks of what the user has named.
    """
    names = [name for text in texts for name in _PLACE.findall(text)]
    unknown = [name for name in names if not words.get(name)]
    if unknown:
        raise ConfigError(f'{file}: {{{unknown[0]}}} has no words; known: {", ".join(words)}')
    ways = 1 if set(names) <= {'motion'} else most
    rng = _chance(seed, *texts)
    return list(dict.fromkeys(_filled_once(texts, words, rng) for _ in range(ways)))


def _chance(seed: int, *texts: str) -> np.random.Generator:
    """A source of chance for one text: what is drawn for it no other text changes."""
    return np.random.default_rng([seed, *(zlib.crc32(text.encode()) for text in texts)])


def _filled_once(
    texts: tuple[str, ...], words: dict[str, tuple[str, ...]], rng: np.random.Generator
) -> tuple[str, ...]:
    drawn: dict[str, str] = {}
    turns = []
    for number, text in enumerate(texts):

        def word(match: re.Match[str], users: bool = number % 2 == 0) -> str:
            name = match[1]
            if users or name not in drawn:
                drawn[name] = words[name][int(rng.integers(len(words[name])))]
            return drawn[name]

        turns.append(_PLACE.sub(word, text))
    return tuple(turns)


def _chat(kind: Any, texts: Sequence[str]) -> Chat:
    roles: tuple[Literal['user', 'assistant'], ...] = ('user', 'assistant')
    turns = [Turn(roles[n % 2], without_places(text)) for n, text in enumerate(texts)]
    return Chat(kind, tuple(turns))
