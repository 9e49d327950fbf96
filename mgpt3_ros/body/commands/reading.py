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
from typing import Any

from mgpt3_ros.body.commands.confidence import require_known
from mgpt3_ros.body.commands.lexing import symbols_of
from mgpt3_ros.body.commands.meaning import ARMS, LEGS, Action, Part, Relation, Rest
from mgpt3_ros.body.commands.words import QUESTIONS, Symbol
from mgpt3_ros.model.errors import TextError
from mgpt3_ros.model.language.prompts import clean_text

Clause = list[Symbol]

_LEGS = ('walk', 'go', 'run', 'jog', 'sprint', 'back', 'sidestep')
_TURNS = ('turn', 'spin', 'bend')
_ARMS = ('raise', 'lift', 'wave', 'greet', 'shake', 'bye', 'guide', 'show')
_REST = ('stop', 'stand', 'hold')
_HEADS = (*_LEGS, *_TURNS, *_ARMS, *_REST, 'bow', 'other')
_OPENS = (*_HEADS, 'not', 'avoid', 'relative', 'light', 'keep', 'start')
_PLACES = ('on', 'in', 'at', 'from', 'with', 'for', 'to', 'into', 'as')  # begin no command
_QUANTITIES = ('distance', 'steps', 'angle', 'count', 'duration', 'rate', 'number', 'degree')
_UNSAID = (
    *(*_QUANTITIES, 'speed', 'relative', 'until', 'first', 'start', 'keep', 'endless', 'pause'),
    'vague',
)
_MOST_BEFORE = 4  # unknown words before the verb; with more somebody tells a story
_LITTLE_M, _LITTLE_DEG = 0.5, 30.0
_BACKWARD = Symbol('direction', 'back', 'back')
# "-5", "minus two", but not "mid-5".
_NEGATIVE = re.compile(r'(?<!\w)([-\u2212])\s?[\d.]+|\b(?:minus|negative)\s+\w+', re.IGNORECASE)
_SPEEDS = {'sprint': 'fast', 'jog': 'slow'}


def understand(text: str) -> tuple[Part, ...]:
    """What a command asks for, one part after the other.

    Raises:
        TextError: it is not within what is known; the message says what is not.
    """
    text = clean_text(text)
    _require_positive(text)
    symbols = symbols_of(text)
    parts: list[Part] = []
    joint, pending = 'then', None
    for joined, clause in _clauses(symbols):
        for part in _read(clause):
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


def _together(one: Part, other: Part) -> Action:
    """Two actions at once: the legs of the one, the arms of the other.

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
    raise TextError(f'"{one}" and "{other}" cannot be done at once: say one after the other')


def _read(clause: Clause) -> Iterator[Part]:
    """The parts of a clause, one or none."""
    kinds = [symbol.kind for symbol in clause]
    if 'while' in kinds:
        at = kinds.index('while')
        first, second = list(_read(clause[:at])), list(_read(clause[at + 1 :]))
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
    if clause[0].kind == 'after' and _head(clause) is None:
        yield _delay(clause)
        return
    if clause[0].words in _PLACES and _head(clause) is None and not _raises(clause):
        return  # where and when, before what to do
    part = _no_motion(clause) or replace(_action(clause), unmet=unmet)
    goes_on = any(symbol.value == 'continue' for symbol in clause)
    endless = told or goes_on or bool({'keep', 'endless'} & set(kinds))
    if 'endless' in kinds and isinstance(part, Action) and part.name not in LEGS:
        raise TextError(f'I cannot judge how long: {_text(clause)!r}')
    yield _endless(part) if endless and isinstance(part, Action) else part


def _endless(action: Action) -> Action:
    """The action without an end, where no number gives it one."""
    numbers = (action.distance_m, action.steps, action.angle_deg, action.count, action.duration_s)
    return replace(action, endless=all(number is None for number in numbers))


def _delay(clause: Clause) -> Part:
    """What is done first where something comes after some steps, metres or seconds."""
    if _value(clause, 'duration') is not None:
        return Rest(_value(clause, 'duration'))
    if _value(clause, 'steps') is None and _value(clause, 'distance') is None:
        raise TextError(f'I cannot judge when that is: {_said(clause)!r}')
    return _counted(Action('walk'), clause)


def _raises(clause: Clause) -> bool:
    """Whether a limb and a way up are named."""
    return {'limb', 'up'} <= {symbol.kind for symbol in clause}


def _value(clause: Clause, kind: str) -> Any:
    """The value of the first symbol of a kind; None where there is none."""
    return next((symbol.value for symbol in clause if symbol.kind == kind), None)


def _no_motion(clause: Clause) -> Part | None:
    """Rest, where a clause asks for it or denies a motion; None where it asks for one."""
    kinds = [symbol.kind for symbol in clause]
    if 'avoid' in kinds[:1]:
        return Rest()
    if 'not' in kinds:
        denied = kinds[kinds.index('not') + 1 :]
        return Relation('continue') if 'stop' in denied else Rest(_value(clause, 'duration'))
    head = _head(clause)
    if head is None or head.kind not in _REST or ('limb' in kinds and head.kind != 'stop'):
        return None
    finish = next((s for s in clause if s.kind == 'relative' and s.value == 'finish'), None)
    if finish is not None:
        return Relation('finish')
    if head.kind == 'stand' and any(kind in ('unknown', 'up', 'other') for kind in kinds):
        raise TextError(f'I do not know how to {_said(clause)!r}')
    return Rest(_value(clause, 'duration'))


def _head(clause: Clause) -> Symbol | None:
    """The verb or noun that says what to do."""
    return next((symbol for symbol in clause if symbol.kind in _HEADS), None)


def _action(clause: Clause) -> Action:
    """The action of a clause.

    Raises:
        TextError: there is none that is known.
    """
    head = _head(clause)
    _require_command(clause, head)
    kinds = [symbol.kind for symbol in clause]
    raises = _raises(clause)
    kind = head.kind if head is not None else ''
    if kind == 'bend' and not {'side', 'to_side'} & set(kinds):
        action, arms = Action('bow'), None
    elif kind in _LEGS or kind in _TURNS or not kind:
        raised = Action(f'raise-up-{_hand(clause)}') if raises else None
        if raised is not None and kind in ('', 'go'):
            action, arms = raised, None  # "left arm up", "the arm goes up"
        else:
            action, arms = _on_foot(clause, head), raised
    else:
        action, arms = Action(_gesture(clause, head, raises)), None
    words = _said(clause) if 'unknown' in kinds else ''
    said = ' '.join(symbol.words for symbol in clause if symbol.kind not in ('pause', 'first'))
    action = replace(_counted(action, clause), said=said, words=words, arms=arms)
    return require_known(action)


def _require_command(clause: Clause, head: Symbol | None) -> None:
    """Raise a TextError for what is no command, or for a verb that is not known."""
    text = _text(clause)
    if any(symbol.kind == 'if' for symbol in clause):
        raise TextError(f'I cannot judge when or how long: {text!r}')
    if any(text == words or text.startswith(f'{words} ') for words in QUESTIONS):
        raise TextError(f'{text!r} is no command')
    if text.split()[0] in ('i', 'we', 'my', 'our'):
        raise TextError(f'{text!r} is no command')
    before = clause if head is None else clause[: clause.index(head)]
    unknown = [symbol.words for symbol in before if symbol.kind == 'unknown']
    if head is not None and head.kind == 'other':
        raise TextError(f'I do not know how to {head.value}')
    if any(symbol.kind == 'part' for symbol in clause):
        raise TextError(f'I do not know how to {_said(clause)!r}')
    story = len(unknown) > _MOST_BEFORE
    if story or (unknown and head is None and not _raises(clause)):
        raise TextError(f'I do not know how to {text!r}')


def _on_foot(clause: Clause, head: Symbol | None) -> Action:
    """Walking, running and turning, by verb, direction and side."""
    kind = head.kind if head is not None else ''
    word = head.words if head is not None else ''
    limbs = any(symbol.kind == 'limb' for symbol in clause)
    directions = [symbol.value for symbol in clause if symbol.kind == 'direction']
    side = next((s.value for s in clause if s.kind == 'side' and s.value != 'both'), None)
    side = None if limbs else side
    to_side = next((symbol.value for symbol in clause if symbol.kind == 'to_side'), None)
    round_deg = 360.0 if kind == 'spin' else 180.0
    angles = {'around': round_deg, 'circle': 360.0, 'whole': 360.0}
    angle = next((angles[d] for d in directions if d in angles), _value(clause, 'angle'))
    way = _value(clause, 'distance') or _value(clause, 'steps')
    curves = any(symbol.kind == 'turn' for symbol in clause)  # "walk in a curve"
    turns = kind in _TURNS or curves or (angle is not None and kind in ('', 'walk', 'go', *_LEGS))
    if kind == 'back' or ('back' in directions and not turns):
        return Action('walk-back')
    sideways = kind == 'sidestep' or 'sideways' in directions or word.startswith(('step', 'move'))
    sideways = sideways or to_side is not None or (not kind and way is not None)
    if not turns and (side or to_side) and sideways:
        return Action(f'walk-{side or to_side}')
    if not turns and kind == 'sidestep':
        return Action('walk-right')
    if turns or side or to_side:
        return _turn(clause, side or to_side or 'left', angle)
    if not kind and not directions and way is None:
        raise TextError(f'I do not know how to {_said(clause)!r}')
    run = kind in ('run', 'jog', 'sprint')
    return Action('run' if run else 'walk')


def _turn(clause: Clause, side: str, angle: float | None) -> Action:
    number = _value(clause, 'number')
    if angle is None and number is not None and number > 4:
        angle = number  # "turn left ninety"
    if angle is None and any(symbol.kind == 'degree' for symbol in clause):
        angle = _LITTLE_DEG
    return Action(f'walk-turn-{side}', angle_deg=angle)


def _gesture(clause: Clause, head: Symbol | None, raises: bool) -> str:
    """The name of what arms or the whole body do."""
    assert head is not None
    kinds = [symbol.kind for symbol in clause]
    if head.kind == 'bye':
        return 'bye'
    if 'bow' in kinds:  # "greet them with a bow"
        return 'bow'
    shakes = head.kind == 'shake' and 'limb' in kinds
    if 'wave' in kinds or head.kind == 'greet' or shakes:
        return f'wave-{_hand(clause)}'
    if head.kind == 'guide' or (head.kind == 'show' and 'way' in kinds):
        return 'guide'
    if head.kind == 'raise' and (head.value or 'limb' in kinds):
        return f'raise-up-{f"{head.value}-hands" if head.value else _hand(clause)}'
    if raises:
        return f'raise-up-{_hand(clause)}'
    raise TextError(f'I do not know how to {_said(clause)!r}')


def _hand(clause: Clause) -> str:
    """left-hand, right-hand or both-hands; the right one where none is named."""
    sides = {symbol.value for symbol in clause if symbol.kind == 'side'}
    many = any(symbol.kind == 'limb' and symbol.value == 'both' for symbol in clause)
    if 'both' in sides or len(sides) == 2 or (many and not sides):
        return 'both-hands'
    return f'{sides.pop() if sides else "right"}-hand'


def _counted(action: Action, clause: Clause) -> Action:
    """An action with the quantities that stand in its clause."""
    head = _head(clause)
    kind = head.kind if head is not None else ''
    for measure in ('distance', 'steps', 'angle', 'count', 'duration', 'rate'):
        if _value(clause, measure) == 0:
            raise TextError(f'it asks for no motion: {_text(clause)!r}')
    steps, distance = _value(clause, 'steps'), _value(clause, 'distance')
    if steps is None and head is not None and head.words == 'step' and distance is None:
        steps = 1
    little = any(symbol.kind == 'degree' for symbol in clause)
    turns = action.name.startswith('walk-turn')
    moves = action.name in LEGS and not turns
    if moves and little and distance is None and steps is None:
        distance = _LITTLE_M
    count = _value(clause, 'count')
    if count is None and head is not None and head in clause[1:]:
        before = clause[clause.index(head) - 1]  # "three bows"
        count = before.value if before.kind == 'number' and not moves and not turns else None
    angle = action.angle_deg
    if angle is not None and count is not None:
        angle, count = angle * count, None
    speed: Any = _value(clause, 'speed') or _SPEEDS.get(kind)
    relative = _value(clause, 'relative')
    speed = relative if relative in ('faster', 'slower') else speed
    return replace(
        action,
        distance_m=distance,
        steps=None if steps is None else max(round(steps), 1),
        angle_deg=angle,
        count=None if count is None else max(round(count), 1),
        speed=_value(clause, 'rate') or speed,
        duration_s=_value(clause, 'duration'),
    )


def _text(clause: Clause) -> str:
    return ' '.join(symbol.words for symbol in clause)


def _said(clause: Clause) -> str:
    """The words of a clause without its quantities."""
    words = [symbol.words for symbol in clause if symbol.kind not in _UNSAID]
    return ' '.join(words) or _text(clause)
