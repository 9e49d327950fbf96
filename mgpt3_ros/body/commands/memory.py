# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What words such as "again", "faster" and "the other way" speak of: the last command's actions.

The memory is one command long: the last one whose actions were carried out. Stops and holds leave
it as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mgpt3_ros.body.commands.meaning import ARMS, LEGS, Action, Part, Relation, Rest, Speed
from mgpt3_ros.model.errors import TextError

_OTHER = {'walk': 'walk-back', 'walk-back': 'walk', 'run': 'walk-back'}
_FASTER: dict[object, Speed] = {'slow': 'normal', 'slower': 'normal'}
_SLOWER: dict[object, Speed] = {'fast': 'normal', 'faster': 'normal'}
_SPEED_STEP = 1.3  # of a speed in numbers


class Memory:
    """The actions of the last command."""

    def __init__(self) -> None:
        self._last: tuple[Action, ...] = ()

    @property
    def last(self) -> tuple[Action, ...]:
        """The actions of the last command; empty where there was none."""
        return self._last

    def remember(self, parts: Sequence[Part]) -> None:
        """Keep the actions of a command that is carried out."""
        actions = tuple(part for part in parts if isinstance(part, Action))
        self._last = actions or self._last

    def resolved(self, parts: Sequence[Part]) -> tuple[Part, ...]:
        """The parts with actions in place of words about what was before.

        "finish" stays: it speaks of what is being done.

        Raises:
            TextError: there was nothing before, or nothing that this can be said of.
        """
        found: list[Part] = []
        for part in parts:
            if isinstance(part, Relation) and part.kind != 'finish':
                found += self._meant(part, [p for p in found if isinstance(p, Action)])
            else:
                found.append(part)
        return tuple(found)

    def _meant(self, relation: Relation, before: list[Action]) -> list[Part]:
        last = before[-1:] or list(self._last)
        if not last:
            raise TextError(f'"{relation}": nothing was done before')
        if relation.kind == 'again':
            return list(last)
        if relation.kind == 'continue':
            return [_going_on(last[-1])]
        if relation.kind == 'faster':
            return [_at_another_speed(action, _FASTER, 'fast', _SPEED_STEP) for action in last]
        if relation.kind == 'slower':
            return [_at_another_speed(action, _SLOWER, 'slow', 1 / _SPEED_STEP) for action in last]
        other = [_opposite(action) for action in last if action.name not in ('bow', 'guide')]
        if relation.kind == 'back':  # the last thing is taken back first
            other = [_opposite(action) for action in reversed(last) if action.name in LEGS]
        if not other:
            raise TextError(f'"{relation}" cannot be said of: {last[-1]}')
        return list(other)


def same_as_before(parts: Sequence[Part], before: Sequence[Part]) -> bool:
    """Whether a command asks for the one thing that was asked for before, on foot."""
    (part,) = parts if len(parts) == 1 else (Rest(),)
    return isinstance(part, Action) and part.name in LEGS and tuple(before) == (part,)


def _going_on(action: Action) -> Action:
    """The action without its numbers, but for the speed."""
    return replace(
        action, distance_m=None, steps=None, angle_deg=None, count=None, duration_s=None
    )


def _at_another_speed(
    action: Action, words: dict[object, Speed], word: Speed, factor: float
) -> Action:
    speed = action.speed
    if isinstance(speed, float):
        return replace(action, speed=speed * factor)
    return replace(action, speed=words.get(speed, word))


def _opposite(action: Action) -> Action:
    """The other side, or the other direction."""
    if 'left' in action.name or 'right' in action.name:
        name = action.name.replace('left', '\0').replace('right', 'left').replace('\0', 'right')
    elif action.name in _OTHER:
        name = _OTHER[action.name]
    else:
        raise TextError(f'{action.name} has no other side')
    arms = action.arms
    if arms is not None and action.name in ARMS:  # an arm of each
        arms = _opposite(arms)
    return replace(action, name=name, said='', words='', arms=arms)
