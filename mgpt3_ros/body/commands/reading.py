# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The grammar of commands: from symbols to what is meant.

    command  = clause {joint clause}            joint: then, a mark, or "and" before a verb
    clause   = [subject] (relation | no motion | action) ["while" action]
    relation = again | continue | faster | ...
    no motion = stop word | "not" anything      a negation never becomes motion
    action   = verb, noun or direction, with limbs, sides and quantities in any order

What has no verb that is known, asks, tells a story, or depends on an *if* is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mgpt3_ros.body.commands.clause_actions import (
    HEADS,
    REST,
    Clause,
    action_of,
    counted,
    further_action,
    head_of,
    raises_limb,
    said_in,
    text_of,
    value_of,
)
from mgpt3_ros.body.commands.confidence import UnknownActionError, also_known
from mgpt3_ros.body.commands.lexing import symbols_of
from mgpt3_ros.body.commands.meaning import ARMS, LEGS, Action, Part, Relation, Rest
from mgpt3_ros.body.commands.words import Symbol
from mgpt3_ros.model.errors import TextError
from mgpt3_ros.model.language.prompts import clean_text
from mgpt3_ros.model.language.splitting import without_steps

_OPENS = (*HEADS, 'not', 'avoid', 'relative', 'light', 'keep', 'start')
_TO = ('to', 'toward', 'up to', 'into')
_PLACES = ('on', 'in', 'at', 'from', 'with', 'for', 'to', 'into', 'as')  # begin no command
_BACKWARD = Symbol('direction', 'back', 'back')
# "-5", "minus two", but not "mid-5".
_NEGATIVE = re.compile(r'(?<!\w)([-\u2212])\s?[\d.]+|\b(?:minus|negative)\s+\w+', re.IGNORECASE)


def understand(text: str, also: Sequence[str] = ()) -> tuple[Part, ...]:
    """What a command asks for, one part after the other.

    Args:
        text: the command.
        also: labels of further actions that the checkpoint draws (``MotionGPT3.known_actions``);
            they are asked for in the command's own words, and of numbers only a time is kept.

    Raises:
        TextError: it is not within what is known; the message says what is not.
    """
    text = clean_text(without_steps(text))
    _require_positive(text)
    symbols = symbols_of(text)
    parts: list[Part] = []
    joint, pending = 'then', None
    for joined, clause in _clauses(symbols):
        for part in _read(clause, also):
            if pending is not None:
                part, pending = _together(pending, part), None
            parts = _joined(parts, part, joint if not parts else joined)
        if clause and clause[0].kind == 'while' and parts:
            pending = parts.pop()  # "while walking, wave"
    if pending is not None or not parts:
        raise TextError(f'I do not understand {text.strip()!r}')
    return tuple(parts)


def _require_positive(text: str) -> None:
    """Raise a TextError for a number below zero: which way to go, words say."""
    for found in _NEGATIVE.finditer(text):
        before = text[: found.start()].rstrip()
        if found.group(1) and before[-1:].isdigit():  # "2 - 3 metres"
            continue
        raise TextError(f'{found.group().strip()!r} is below zero: say the way in words')


def _clauses(symbols: Sequence[Symbol]) -> Iterator[tuple[str, Clause]]:
    """The clauses, each with what joins it to the one before."""
    joint, clause = 'then', Clause()
    for at, symbol in enumerate(symbols):
        parts = symbol.kind in ('then', 'end')
        if symbol.kind in ('pause', 'and'):
            parts = _opens(symbols[at + 1 :])
        if not parts:
            clause.append(symbol)
            continue
        if clause:
            yield joint, clause
            joint, clause = symbol.kind, Clause()
        elif symbol.kind == 'then':
            joint = 'then'
    if clause:
        yield joint, clause


def _opens(symbols: Sequence[Symbol]) -> bool:
    """Whether a clause begins here: a verb comes, perhaps after words without weight."""
    for symbol in symbols:
        if symbol.kind in ('function', 'speed', 'degree', 'number', 'count', 'first'):
            continue
        return symbol.kind in _OPENS
    return False


def _joined(parts: list[Part], part: Part, joint: str) -> list[Part]:
    """The parts with one more, which may go together with the last."""
    last = parts[-1] if parts else None
    if isinstance(last, Action) and isinstance(part, Action):
        if (
            last == Action('walk')
            and part.name.startswith('walk-turn')
            and (part.duration_s is None or joint == 'and')
        ):
            return [*parts[:-1], part]  # walking on in another direction is one way of walking
        if joint == 'and' and last.name == 'bye' and part.name.startswith('wave'):
            return parts
        if joint == 'and' and last.name.startswith('raise') and part.name.startswith('wave'):
            return [*parts[:-1], replace(part, name=last.name.replace('raise-up', 'wave'))]
        if joint == 'and' and _apart(last, part):
            return [*parts[:-1], _together(last, part)]
    return [*parts, part]


def _apart(one: Action, other: Action) -> bool:
    """Whether one moves the legs alone and the other the arms alone."""
    if one.arms is not None or other.arms is not None:
        return False
    return (one.name in LEGS and other.name in ARMS) or (one.name in ARMS and other.name in LEGS)


def _one_arm_each(one: Action, other: Action) -> bool:
    """Whether one moves the left arm alone and the other the right arm alone."""
    names = sorted((one.name, other.name), key=lambda name: '-right-' in name)
    free = one.arms is None and other.arms is None and set(names) <= set(ARMS)
    return free and '-left-' in names[0] and '-right-' in names[1]


def _together(one: Part, other: Part) -> Action:
    """Two actions at once: the legs of the one and the arms of the other, or an arm of each.

    Raises:
        TextError: both need the same limbs.
    """
    if isinstance(one, Action) and isinstance(other, Action):
        turns = [part for part in (one, other) if part.name.startswith('walk-turn')]
        if len(turns) == 1 and Action('walk') in (one, other):
            return turns[0]  # "turn left while walking"
    if isinstance(one, Action) and isinstance(other, Action) and _apart(one, other):
        legs, arms = (one, other) if one.name in LEGS else (other, one)
        return replace(legs, said=f'{legs.said} and {arms.said}', arms=arms)
    if isinstance(one, Action) and isinstance(other, Action) and _one_arm_each(one, other):
        return replace(one, said=f'{one.said} and {other.said}', arms=other)
    raise TextError(f'"{one}" and "{other}" cannot be done at once: say one after the other')


def _read(clause: Clause, also: Sequence[str]) -> Iterator[Part]:
    """The parts of a clause, one or none."""
    kinds = [symbol.kind for symbol in clause]
    if 'while' in kinds:
        at = kinds.index('while')
        first, second = list(_read(clause[:at], also)), list(_read(clause[at + 1 :], also))
        if first and second:
            yield _together(first[-1], second[-1])
        else:
            yield from first or second
        return
    unmet, told = '', False
    for stop in ('until', 'without'):
        if stop in kinds:
            at = kinds.index(stop)
            rest = ' '.join(symbol.words for symbol in clause[at:])
            told = told or (stop == 'until' and 'stop' in kinds[at:])  # "until I say stop"
            unmet = rest if stop == 'until' and not told else unmet
            clause, kinds = clause[:at], kinds[:at]
    if any(kind in ('degree', 'distance', 'steps') for kind in kinds):  # "go back a little"
        clause = [_BACKWARD if symbol.value == 'back' else symbol for symbol in clause]
    weighty = [s for s in clause if s.kind not in ('function', 'pause', 'first', 'degree')]
    if not weighty:
        return
    if all(symbol.kind == 'relative' for symbol in weighty):
        yield Relation(weighty[0].value)
        return
    if clause[0].kind == 'after' and head_of(clause) is None:
        yield _delay(clause)
        return
    if clause[0].words in _PLACES and head_of(clause) is None and not raises_limb(clause):
        return  # where and when, before what to do
    try:
        part = _no_motion(clause) or replace(action_of(clause), unmet=unmet or _place_in(clause))
    except UnknownActionError:
        label = also_known(text_of(clause), also)
        if label is None:
            raise
        part = further_action(label, clause)
    goes_on = any(symbol.value == 'continue' for symbol in clause)
    endless = told or goes_on or bool({'keep', 'endless'} & set(kinds))
    if 'endless' in kinds and isinstance(part, Action) and part.name not in LEGS:
        raise TextError(f'I cannot judge how long: {text_of(clause)!r}')
    yield _endless(part) if endless and isinstance(part, Action) else part


def _place_in(clause: Clause) -> str:
    """Words of a place to go to that nobody knows here ("to the door"); '' where none are."""
    if not any(symbol.kind in ('walk', 'run', 'go', 'move') for symbol in clause):
        return ''
    for at, symbol in enumerate(clause):
        if symbol.words in _TO and any(after.kind == 'unknown' for after in clause[at + 1 :]):
            return said_in(clause[at:])
    return ''


def _endless(action: Action) -> Action:
    """The action without an end, where no number gives it one."""
    numbers = (action.distance_m, action.steps, action.angle_deg, action.count, action.duration_s)
    return replace(action, endless=all(number is None for number in numbers))


def _delay(clause: Clause) -> Part:
    """What is done first where something comes after some steps, metres or seconds."""
    if value_of(clause, 'duration') is not None:
        return Rest(value_of(clause, 'duration'))
    if value_of(clause, 'steps') is None and value_of(clause, 'distance') is None:
        raise TextError(f'I cannot judge when that is: {said_in(clause)!r}')
    return counted(Action('walk'), clause)


def _no_motion(clause: Clause) -> Part | None:
    """Rest, where a clause asks for it or denies a motion; None where it asks for one."""
    kinds = [symbol.kind for symbol in clause]
    if 'avoid' in kinds[:1]:
        return Rest()
    if 'not' in kinds:
        denied = kinds[kinds.index('not') + 1 :]
        return Relation('continue') if 'stop' in denied else Rest(value_of(clause, 'duration'))
    head = head_of(clause)
    if head is None or head.kind not in REST or ('limb' in kinds and head.kind != 'stop'):
        return None
    finish = next((s for s in clause if s.kind == 'relative' and s.value == 'finish'), None)
    if finish is not None:
        return Relation('finish')
    if head.kind == 'stand' and any(kind in ('unknown', 'up', 'other') for kind in kinds):
        raise UnknownActionError(f'I do not know how to {said_in(clause)!r}')
    return Rest(value_of(clause, 'duration'))
