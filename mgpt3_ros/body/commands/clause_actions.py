# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The action that one clause of a command asks for: which it is, and with which numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mgpt3_ros.body.commands.confidence import UnknownActionError, require_known
from mgpt3_ros.body.commands.meaning import LEGS, Action
from mgpt3_ros.body.commands.words import QUESTIONS, Symbol
from mgpt3_ros.model.errors import TextError
from mgpt3_ros.model.language.durations import stated_duration

Clause = list[Symbol]

REST = ('stop', 'stand', 'hold')
_LEGS = ('walk', 'go', 'run', 'jog', 'sprint', 'back', 'sidestep')
_TURNS = ('turn', 'spin', 'bend')
_ARMS = ('raise', 'lift', 'wave', 'greet', 'shake', 'bye', 'guide', 'show')
HEADS = (*_LEGS, *_TURNS, *_ARMS, *REST, 'bow', 'other')
_QUANTITIES = ('distance', 'steps', 'angle', 'count', 'duration', 'rate', 'number', 'degree')
_UNSAID = (
    *(*_QUANTITIES, 'speed', 'relative', 'until', 'first', 'start', 'keep', 'endless', 'pause'),
    'vague',
)
_MOST_BEFORE = 4  # unknown words before the verb; with more somebody tells a story
_LITTLE_M, _LITTLE_DEG = 0.5, 30.0
_SPEEDS = {'sprint': 'fast', 'jog': 'slow'}


def action_of(clause: Clause) -> Action:
    """The action of a clause.

    Raises:
        TextError: there is none that is known.
    """
    head = head_of(clause)
    _require_command(clause, head)
    kinds = [symbol.kind for symbol in clause]
    raises = raises_limb(clause)
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
    words = said_in(clause) if 'unknown' in kinds else ''
    said = ' '.join(symbol.words for symbol in clause if symbol.kind not in ('pause', 'first'))
    action = replace(counted(action, clause), said=said, words=words, arms=arms)
    return require_known(action)


def further_action(label: str, clause: Clause) -> Action:
    """An action that nothing here can shape: the model is asked in the command's own words."""
    lost = [symbol.words for symbol in clause if symbol.kind in _QUANTITIES[:4]]
    return Action(
        label,
        said=text_of(clause),
        words=stated_duration(text_of(clause))[1],
        duration_s=value_of(clause, 'duration'),
        unmet=' '.join(lost),
    )


def _require_command(clause: Clause, head: Symbol | None) -> None:
    """Raise a TextError for what is no command, or for a verb that is not known."""
    text = text_of(clause)
    if any(symbol.kind == 'if' for symbol in clause):
        raise TextError(f'I cannot judge when or how long: {text!r}')
    if any(text == words or text.startswith(f'{words} ') for words in QUESTIONS):
        raise TextError(f'{text!r} is no command')
    if text.split()[0] in ('i', 'we', 'my', 'our'):
        raise TextError(f'{text!r} is no command')
    before = clause if head is None else clause[: clause.index(head)]
    unknown = [symbol.words for symbol in before if symbol.kind == 'unknown']
    if head is not None and head.words == 'moves' and unknown:  # "do karate moves": a noun
        raise UnknownActionError(f'I do not know how to {text!r}')
    if head is not None and head.kind == 'other':
        raise UnknownActionError(f'I do not know how to {head.value}')
    if any(symbol.kind == 'part' for symbol in clause):
        raise UnknownActionError(f'I do not know how to {said_in(clause)!r}')
    story = len(unknown) > _MOST_BEFORE
    if story or (unknown and head is None and not raises_limb(clause)):
        raise UnknownActionError(f'I do not know how to {text!r}')


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
    angle = next((angles[d] for d in directions if d in angles), value_of(clause, 'angle'))
    way = value_of(clause, 'distance') or value_of(clause, 'steps')
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
        raise UnknownActionError(f'I do not know how to {said_in(clause)!r}')
    run = kind in ('run', 'jog', 'sprint')
    return Action('run' if run else 'walk')


def _turn(clause: Clause, side: str, angle: float | None) -> Action:
    number = value_of(clause, 'number')
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
    raise UnknownActionError(f'I do not know how to {said_in(clause)!r}')


def _hand(clause: Clause) -> str:
    """left-hand, right-hand or both-hands; the right one where none is named."""
    sides = {symbol.value for symbol in clause if symbol.kind == 'side'}
    many = any(symbol.kind == 'limb' and symbol.value == 'both' for symbol in clause)
    if 'both' in sides or len(sides) == 2 or (many and not sides):
        return 'both-hands'
    return f'{sides.pop() if sides else "right"}-hand'


def counted(action: Action, clause: Clause) -> Action:
    """An action with the quantities that stand in its clause."""
    head = head_of(clause)
    kind = head.kind if head is not None else ''
    for measure in ('distance', 'steps', 'angle', 'count', 'duration', 'rate'):
        if value_of(clause, measure) == 0:
            raise TextError(f'it asks for no motion: {text_of(clause)!r}')
    steps, distance = value_of(clause, 'steps'), value_of(clause, 'distance')
    if steps is None and head is not None and head.words == 'step' and distance is None:
        steps = 1
    little = any(symbol.kind == 'degree' for symbol in clause)
    turns = action.name.startswith('walk-turn')
    moves = action.name in LEGS and not turns
    if moves and little and distance is None and steps is None:
        distance = _LITTLE_M
    count = value_of(clause, 'count')
    if count is None and head is not None and head in clause[1:]:
        before = clause[clause.index(head) - 1]  # "three bows"
        count = before.value if before.kind == 'number' and not moves and not turns else None
    angle = action.angle_deg
    if angle is not None and count is not None:
        angle, count = angle * count, None
    speed: Any = value_of(clause, 'speed') or _SPEEDS.get(kind)
    relative = value_of(clause, 'relative')
    speed = relative if relative in ('faster', 'slower') else speed
    return replace(
        action,
        distance_m=distance,
        steps=None if steps is None else max(round(steps), 1),
        angle_deg=angle,
        count=None if count is None else max(round(count), 1),
        speed=value_of(clause, 'rate') or speed,
        duration_s=value_of(clause, 'duration'),
    )


def head_of(clause: Clause) -> Symbol | None:
    """The verb or noun that says what to do."""
    return next((symbol for symbol in clause if symbol.kind in HEADS), None)


def value_of(clause: Clause, kind: str) -> Any:
    """The value of the first symbol of a kind; None where there is none."""
    return next((symbol.value for symbol in clause if symbol.kind == kind), None)


def raises_limb(clause: Clause) -> bool:
    """Whether a limb and a way up are named."""
    return {'limb', 'up'} <= {symbol.kind for symbol in clause}


def text_of(clause: Clause) -> str:
    """The words of a clause."""
    return ' '.join(symbol.words for symbol in clause)


def said_in(clause: Clause) -> str:
    """The words of a clause without its quantities."""
    words = [symbol.words for symbol in clause if symbol.kind not in _UNSAID]
    return ' '.join(words) or text_of(clause)
