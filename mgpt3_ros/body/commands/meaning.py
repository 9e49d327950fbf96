# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a command can mean: actions with their numbers, rest, and words about what was before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Relative = Literal['again', 'continue', 'faster', 'slower', 'opposite', 'back', 'finish']
Speed = Literal['slow', 'normal', 'fast', 'faster', 'slower']

LEGS = ('walk', 'run', 'walk-back', 'walk-left', 'walk-right', 'walk-turn-left', 'walk-turn-right')
ARMS = (
    *('raise-up-left-hand', 'raise-up-right-hand', 'raise-up-both-hands'),
    *('wave-left-hand', 'wave-right-hand', 'wave-both-hands', 'bye', 'guide'),
)
WHOLE_BODY = ('bow',)


@dataclass(frozen=True)
class Action:
    """One action, with the numbers that the command gives; None where it gives none.

    name: as the data sets name it (``LEGS``, ``ARMS`` or ``WHOLE_BODY``).
    said: the command's words for it. words: what of them the model is asked with; '' for the
    sentence that it knows the action by.
    distance_m [m], steps, angle_deg [degrees, positive to the side of the name], count, speed
    (a word, or [m/s]), duration_s [s].
    arms: what the arms do meanwhile. endless: it goes on until the next command.
    unmet: words of the command that nothing here can keep, such as "until the wall".
    """

    name: str
    said: str = field(default='', compare=False)
    words: str = field(default='', compare=False)
    distance_m: float | None = None
    steps: int | None = None
    angle_deg: float | None = None
    count: int | None = None
    speed: Speed | float | None = None
    duration_s: float | None = None
    arms: Action | None = None
    endless: bool = False
    unmet: str = field(default='', compare=False)

    def __str__(self) -> str:
        numbers = (
            (self.distance_m, 'm'),
            (self.steps, 'step' if self.steps == 1 else 'steps'),
            (self.angle_deg, 'deg'),
            (self.count, 'time' if self.count == 1 else 'times'),
            (self.speed, '' if isinstance(self.speed, str) else 'm/s'),
            (self.duration_s, 's'),
        )
        said = [_said(value, unit) for value, unit in numbers if value is not None]
        arms = [f'+ {self.arms}'] if self.arms is not None else []
        endless = ['endlessly'] if self.endless else []
        return ' '.join([self.name, *said, *arms, *endless])


@dataclass(frozen=True)
class Rest:
    """To come to rest, and to stay so for ``duration_s`` [s]; None: until the next command."""

    duration_s: float | None = None

    def __str__(self) -> str:
        return 'stop' if self.duration_s is None else f'hold {_said(self.duration_s, "s")}'


@dataclass(frozen=True)
class Relation:
    """A word about what was done before."""

    kind: Relative

    def __str__(self) -> str:
        return self.kind


Part = Action | Rest | Relation


def counts_from_there(action: Action) -> bool:
    """Whether legs shall go so far, so many steps or so long, or turn: from where they are."""
    numbers = action.distance_m, action.steps, action.duration_s
    turns = action.name.startswith('walk-turn')
    return action.name in LEGS and (turns or any(number is not None for number in numbers))


def described(parts: Sequence[Part]) -> str:
    """A line that says what a command means, part after part."""
    return '; '.join(map(str, parts))


def _said(value: float | str, unit: str) -> str:
    if isinstance(value, str):
        return value
    digits = 0 if unit == 'deg' else 2
    text = f'{value:.{digits}f}'
    return f'{text.rstrip("0").rstrip(".") if digits else text} {unit}'
