# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Phrases for each action, and the forms that a verb takes in them.

``wordings.yaml`` composes phrases from lists of words, ``sentences.yaml`` holds what all kinds of
people would say. Verbs stay marked in a phrase ("*raise* {their} hand") until it is put as a
command or as a statement.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from mgpt3_ros.model.config import load_yaml
from mgpt3_ros.training.data.clip import action_side


@cache
def wordings() -> dict[str, Any]:
    """``wordings.yaml``, and ``sentences.yaml`` as its ``sentences``.

    The others are actions, words, styles, manners, requests, subjects and held_out.
    """
    folder = Path(__file__).parent
    sentences = load_yaml(folder / 'sentences.yaml')
    return {**load_yaml(folder / 'wordings.yaml'), 'sentences': sentences}


def normalised(text: str) -> str:
    """A text in lower case, without full stops, commas and question marks."""
    return ' '.join(re.sub('[.,?]', ' ', text.lower()).split())


def held_out(text: str) -> bool:
    """Whether a text holds a prompt that training never sees."""
    return _held_out().search(normalised(text)) is not None


@cache
def _held_out() -> re.Pattern[str]:
    return re.compile('|'.join(rf'\b{re.escape(text)}\b' for text in wordings()['held_out']))


_CHOICE = re.compile(r'\(([^()]*\|[^()]*)\)')
_WORD = re.compile(r'{(\w+)}')
ACTIONS, SENTENCES = KINDS = ('actions', 'sentences')


@cache
def _templates(action: str, kind: str) -> tuple[tuple[tuple[str, ...], ...], ...]:
    """An action's lines, each as a row of alternatives: one of each, joined, makes a phrase."""
    side = action_side(action)
    general = action if side is None else action.replace(side, 'SIDE')
    words: dict[str, list[str]] = wordings()['words']
    found = []
    for line in wordings()[kind].get(general, []):
        row: list[tuple[str, ...]] = []
        for index, piece in enumerate(_CHOICE.split(line)):
            if index % 2:  # words in a choice stay marked: draw_phrase and phrases fill them
                row.append(tuple(piece.split('|')))
                continue
            for text in re.split(r'({\w+})', piece):
                named = text[1:-1] if text.startswith('{') else ''
                row.append(tuple(words.get(named, (text,))))
        found.append(tuple(row))
    return tuple(found)


@cache
def phrases(action: str) -> tuple[str, ...]:
    """All phrases of an action, verbs still marked; empty for an unknown one."""
    side = action_side(action) or ''
    drawn = (
        ''.join(choice).replace('{side}', side)
        for row in (*_templates(action, ACTIONS), *_templates(action, SENTENCES))
        for choice in product(
            *([text for one in piece for text in _fillings(one)] for piece in row)
        )
    )
    return tuple(dict.fromkeys(drawn))


def _fillings(text: str) -> list[str]:
    """A text with each word of the lists that it names."""
    words: dict[str, list[str]] = wordings()['words']
    named = next((match for match in _WORD.finditer(text) if match[1] in words), None)
    if named is None:
        return [text]
    return [f for word in words[named[1]] for f in _fillings(text.replace(named[0], word, 1))]


def pick(texts: Sequence[str], rng: np.random.Generator) -> str:
    """One of some texts, each as likely as the others."""
    return texts[int(rng.integers(len(texts)))]


def draw_phrase(action: str, rng: np.random.Generator, kind: str = ACTIONS) -> str | None:
    """One phrase of an action, verbs still marked; None for an unknown action.

    A line with many choices is drawn more often than one with few, by the square root of them.
    What is held out is not drawn.

    Args:
        action: its name.
        rng: source of chance.
        kind: one of ``KINDS``: composed of word lists, or whole sentences.
    """
    if not _templates(action, kind):
        return None
    while held_out(command(phrase := _draw_phrase(action, rng, kind))):
        pass
    return phrase


def _draw_phrase(action: str, rng: np.random.Generator, kind: str) -> str:
    rows = _templates(action, kind)
    row = rows[int(np.searchsorted(_cumulative(action, kind), rng.random()))]

    def word(match: re.Match[str]) -> str:
        words: dict[str, list[str]] = wordings()['words']
        return pick(words[match[1]], rng) if match[1] in words else match[0]

    text = _WORD.sub(word, ''.join(pick(piece, rng) for piece in row))
    return text.replace('{side}', action_side(action) or '')


@cache
def _cumulative(action: str, kind: str) -> np.ndarray:
    counts = [math.prod(map(len, row)) for row in _templates(action, kind)]
    weights = np.cumsum(np.sqrt(counts))
    return weights / weights[-1]


def command(phrase: str) -> str:
    """The imperative: "*raise* {their} hand" -> "raise your hand"."""
    text = phrase.replace('{their}', 'your').replace('{they}', 'you')
    return re.sub(r'\*([^*]+)\*', r'\1', text)


def statement(phrase: str, subject: str, progressive: bool = False) -> str:
    """The third person: "a person raises their hand", or "... is raising their hand"."""
    verbs = re.findall(r'\*([^*]+)\*', phrase)
    if not verbs:
        return phrase.replace('{their}', 'the').replace('{they}', 'they')
    count = 0

    def conjugate(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        after_they = phrase[: match.start()].rstrip().endswith('{they}')
        if after_they or not progressive:
            return third_person(match[1])
        return f'is {progressive_form(match[1])}' if count == 1 else progressive_form(match[1])

    text = re.sub(r'\*([^*]+)\*', conjugate, phrase)
    own = {'he': 'his', 'she': 'her', 'a man': 'his', 'the man': 'his'}
    own |= {'a woman': 'her', 'the woman': 'her'}
    pronoun = {'his': 'he', 'her': 'she'}.get(own.get(subject, ''), 'he')
    text = text.replace('{their}', own.get(subject, 'their')).replace('{they}', pronoun)
    return f'{subject} {text}'


def third_person(verb: str) -> str:
    """Raise -> raises, wave -> waves, go -> goes, say -> says, hurry -> hurries."""
    head, _, last = verb.rpartition(' ')
    if last.endswith(('s', 'sh', 'ch', 'x', 'z', 'o')):
        last += 'es'
    elif last.endswith('y') and last[-2] not in 'aeiou':
        last = last[:-1] + 'ies'
    else:
        last += 's'
    return f'{head} {last}'.strip()


_DOUBLED = {
    *('get', 'run', 'jog', 'put', 'step', 'sidestep', 'bid', 'cut', 'flag'),
    *('trot', 'plod', 'flap'),
}


def progressive_form(verb: str) -> str:
    """Raise -> raising, run -> running, say -> saying, tiptoe -> tiptoeing."""
    head, _, last = verb.rpartition(' ')
    if last in _DOUBLED:
        last += last[-1]
    elif last.endswith('e') and not last.endswith(('ee', 'oe')):
        last = last[:-1]
    return f'{head} {last}ing'.strip()


_SUBJECT = re.compile(
    r'^(?:a|the|this) (?:person|man|woman|figure|human|guy|character|sim)(?: is)? |'
    r'^(?:someone|somebody|he|she|they)(?: is| are)? ',
    re.IGNORECASE,
)


def as_command(caption: str) -> str:
    """Put "a person walks forward." as "walk forward"; what has another form stays as it is."""
    match = _SUBJECT.match(caption)
    if not match:
        return caption
    verb, space, rest = caption[match.end() :].rstrip('. ').partition(' ')
    base = base_form(verb)
    if base is None:
        return caption
    rest = re.sub(r'\b(?:his|her|their)\b', 'your', rest)
    return base + space + rest


_BASE_ENDINGS = (
    *(('ies', 'y'), ('shes', 'sh'), ('ches', 'ch')),
    *(('sses', 'ss'), ('oes', 'o'), ('xes', 'x')),
)


def base_form(verb: str) -> str | None:
    """Walks -> walk, waves -> wave, hurries -> hurry; None for what is no third person."""
    for ending, base in _BASE_ENDINGS:
        if verb.endswith(ending):
            return verb[: -len(ending)] + base
    if verb.endswith('s') and not verb.endswith('ss') and len(verb) > 3:
        return verb[:-1]
    return None
