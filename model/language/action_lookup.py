# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which action a prompt asks for, looked up by its words, and what in it no rule explains.

The rules are those of ``action_words.yaml``. They know more actions than any checkpoint draws, so
that "dance" is not taken for something else, and are read by
:mod:`mgpt3_ros.model.language.known_prompts`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mgpt3_ros.model.config import load_yaml

FILE = Path(__file__).with_name('action_words.yaml')
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_SIDES = {'left': 'left', 'leftward': 'left', 'lefthanded': 'left'}
_SIDES |= {'right': 'right', 'rightward': 'right', 'righthanded': 'right'}
_BOTH = {'both', 'two', 'hands', 'arms', 'fists'}
_GREETING = ('hello', 'hi', 'goodbye')


@dataclass(frozen=True)
class Found:
    """An action that words name.

    label: as data sets have it; a side that nobody said stays SIDE or HAND. alien: what it would
    be done to, which nobody does it to ("run the dishwasher"); '' for none. begin: the word.
    """

    label: str
    alien: str
    begin: int


@dataclass(frozen=True)
class _Rule:
    label: str
    verbs: frozenset[str]
    needs: tuple[frozenset[str], ...]
    phrases: tuple[tuple[str, ...], ...]
    objects: frozenset[str]


def words_of(text: str) -> list[str]:
    """The words of a text in small letters; hyphens part them, but for "right-handed"."""
    text = text.lower().replace('\u2019', "'")
    text = re.sub(r'\b(left|right)-handed\b', r'\1handed', text)
    return _WORD.findall(text)


def stems(word: str) -> set[str]:
    """What a form of a verb or noun may be a form of."""
    found = {word}
    for suffix in ('s', 'es', 'ed', 'ing', "'s", 'd', 'er'):
        if word.endswith(suffix) and len(word) > len(suffix) + 1:
            base = word[: -len(suffix)]
            found |= {base, base + 'e'}
            if len(base) > 2 and base[-1] == base[-2]:
                found.add(base[:-1])
            if base.endswith('i'):
                found.add(base[:-1] + 'y')
    return found


def found_actions(words: list[str]) -> list[Found]:
    """All actions that words name, the surest first: by the order of the rules."""
    forms = [stems(word) for word in words]
    found = []
    for rule in _rules():
        at = _named_at(rule, words, forms)
        if at is not None:
            label = _with_side(rule.label, words, forms)
            found.append(Found(label, _alien(rule, words, forms, at), at))
    return found


def unexplained(words: list[str]) -> list[str]:
    """The words that name no action, and none of its circumstances."""
    return [word for word in words if not (word.isdecimal() or stems(word) & _explained())]


@cache
def matches(label: str, known: str) -> bool:
    """Whether a known label is what is asked for; a side that nobody said may be any."""
    pattern = re.escape(label).replace('SIDE', '(left|right)')
    return re.fullmatch(pattern.replace('HAND', '(left|right|both)-hands?'), known) is not None


def _named_at(rule: _Rule, words: list[str], forms: list[set[str]]) -> int | None:
    """Where a rule's verb or phrase begins in the words; None where it does not fit."""
    for phrase in rule.phrases:
        for at in range(len(words) - len(phrase) + 1):
            if tuple(words[at : at + len(phrase)]) == phrase:
                return at
    everything = set().union(*forms) if forms else set()
    for at, form in enumerate(forms):
        if not form & rule.verbs:
            continue
        others = set().union(*(f for n, f in enumerate(forms) if n != at), set())
        # A word that is the verb itself may also be what it needs ("turn", "retreat").
        own = everything if words[at] in ('turn', 'turns', 'turning', 'veer', 'curve') else others
        if all(need & own for need in rule.needs):
            return at
    return None


def _with_side(label: str, words: list[str], forms: list[set[str]]) -> str:
    said = {_SIDES[word] for word in words if word in _SIDES}
    both = bool(_BOTH & set(words)) or len(said) == 2
    if 'HAND' in label:
        hand = 'both-hands' if both else f'{said.pop()}-hand' if said else 'HAND'
        return label.replace('HAND', hand)
    if 'SIDE' in label and len(said) == 1:
        return label.replace('SIDE', said.pop())
    return label


def _alien(rule: _Rule, words: list[str], forms: list[set[str]], at: int) -> str:
    """What stands directly behind a verb and is no circumstance and none of its objects."""
    if not forms[at] & rule.verbs:
        return ''
    for word, form in zip(words[at + 1 :], forms[at + 1 :], strict=True):
        if word in listed('articles') or word.isdecimal():
            continue
        if word in listed('prepositions') or form & rule.objects or word.endswith('ly'):
            return ''
        return '' if form & _explained() else word
    return ''


def _all_of(words: str, classes: dict[str, set[str]]) -> frozenset[str]:
    """Words, with those of a class in place of its name."""
    return frozenset().union(*(classes.get(word, {word}) for word in words.split()))


@cache
def listed(name: str) -> frozenset[str]:
    """The words of a list of ``action_words.yaml``."""
    return frozenset(_tables()[name].split())


@cache
def _tables() -> dict[str, Any]:
    return load_yaml(FILE)


@cache
def _rules() -> tuple[_Rule, ...]:
    tables = _tables()
    classes = {name: set(words.split()) for name, words in tables['classes'].items()}
    classes['greeting'] = set(_GREETING)
    rules = []
    for name, row in tables['actions'].items():
        needs = [_all_of(need, classes) for need in row.get('with', [])]
        phrases = tuple(tuple(p.split()) for p in row.get('phrases', '').split(',') if p.strip())
        objects = _all_of(row.get('objects', ''), classes)
        verbs = frozenset(row.get('verbs', '').split())
        rules.append(_Rule(_label(name), verbs, tuple(needs), phrases, objects))
    return tuple(rules)


# Rules that say the same action in another way.
_SAME = {
    'wave-plain': 'wave-HAND',
    'kick-out-SIDE': 'kick-SIDE',
    'punch-hook-SIDE': 'punch-SIDE',
    'raise-up-plain-HAND': 'raise-up-HAND',
    'raise-hands-HAND': 'raise-up-HAND',
    'bow-lean': 'bow',
    'stand-rise': 'stand-up',
    'sit-seat': 'sit-down',
    'jump-long': 'jump-forward',
    'walk-retreat': 'walk-back',
    'walk-turn-hang-SIDE': 'walk-turn-SIDE',
    'walk-aside-SIDE': 'walk-SIDE',
    'walk-go': 'walk',
}


def _label(name: str) -> str:
    return _SAME.get(name, name)


@cache
def _explained() -> frozenset[str]:
    tables = _tables()
    words = set(listed('plain')) | set(_GREETING) | set(_SIDES) | _BOTH
    for row in tables['classes'].values():
        words |= set(row.split())
    for row in tables['actions'].values():
        words |= set(row.get('verbs', '').split())
    return frozenset(words)
