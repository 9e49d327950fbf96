# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a steered body follows: a velocity, a pose to reach, a path.

A course is asked at each frame for the velocity (3,) that is wanted (ahead, left [m/s], turning
[rad/s]), and says how far [m] along its way the body has come. Places are (x, z) [m] and yaws
[rad] in the model's world.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mgpt3_ros.body.commands.meaning import Action
from mgpt3_ros.body.commands.shaping import SPEEDS, WORDS
from mgpt3_ros.body.steering.walker import Array, Walking
from mgpt3_ros.model.kinematics.heading import turn

SPEED = 1.0  # [m/s] of a body that goes somewhere

_ENDLESS_TURN = 0.7  # [rad/s] of one who keeps turning
_NEAR = 0.7  # [m]: from here on the body looks where it shall look in the end
_TURNS = 2.0  # [1/s]: how fast an error of the heading dies away
_COMES = 1.5  # [1/s]: and one of the place, near the goal
_SLOWING = 0.5  # [m/s^2]
_MET = 0.015, 0.03  # [m], [rad]: nearer is there
_AHEAD = 0.3  # [m] on the path that the body steers for
_LOOKS = 0.6  # [m] ahead of it is looked for curves
_WINDOW = 0.8  # [m] of the path on which the body may have come on


@dataclass(frozen=True)
class Velocity:
    """A velocity (3,) ahead, left [m/s] and turning [rad/s]."""

    velocity: Array

    def __call__(self, state: Walking) -> tuple[Array, float]:
        """The velocity itself."""
        return self.velocity, state.along


def steady(action: Action) -> Velocity:
    """The velocity at which an action of the legs goes on without an end."""
    slow, normal, fast = SPEEDS['walk' if action.name == 'run' else action.name]
    if isinstance(action.speed, float):
        speed = action.speed
    else:
        word = action.speed or ('fast' if action.name == 'run' else 'normal')
        speed = (slow, normal, fast)[WORDS[word]]
    rows = {
        **{'walk': (speed, 0, 0), 'run': (speed, 0, 0), 'walk-back': (-speed, 0, 0)},
        **{'walk-left': (0, speed, 0), 'walk-right': (0, -speed, 0)},
        'walk-turn-left': (speed, 0, _ENDLESS_TURN),
        'walk-turn-right': (speed, 0, -_ENDLESS_TURN),
    }
    return Velocity(np.array(rows[action.name], dtype=np.float64))


@dataclass(frozen=True)
class Goal:
    """A place (2,) and a yaw to reach; yaw None: any. speed [m/s] at most."""

    place: Array
    yaw: float | None = None
    speed: float = SPEED

    def __call__(self, state: Walking) -> tuple[Array, float]:
        """Straight there, facing the way while it is long."""
        off = self.place - state.place
        far = float(np.hypot(*off))
        yaw = state.yaw if self.yaw is None else self.yaw
        if far > _NEAR:
            yaw = float(np.arctan2(off[0], off[1]))
        error = _wrapped(yaw - state.yaw)
        if far < _MET[0] and abs(error) < _MET[1]:
            return np.zeros(3), state.along
        left, ahead = turn(off[0], off[1], -state.yaw)
        pace = min(self.speed, _COMES * far, np.sqrt(2 * _SLOWING * far))
        if far > _NEAR:  # who looks elsewhere turns first
            pace *= max(float(np.cos(error)), 0.0) ** 2
        way = np.array([ahead, left]) / max(far, 1e-9) * pace
        return np.array([*way, _TURNS * error]), state.along

    def ends(self, state: Walking) -> tuple[float, float]:
        """How far [m] and by how much [rad] a body that stands is off."""
        turned = 0.0 if self.yaw is None else abs(_wrapped(self.yaw - state.yaw))
        return float(np.hypot(*(self.place - state.place))), turned


@dataclass(frozen=True)
class Path:
    """Places (N, 2) to walk along, and the yaw at the end; None: as the path ends. N >= 2."""

    places: Array
    yaw: float | None = None
    speed: float = SPEED

    @property
    def length(self) -> float:
        """How long it is [m]."""
        return float(self._lengths()[-1])

    def __call__(self, state: Walking) -> tuple[Array, float]:
        """Along the path, facing along it; slower where it bends."""
        lengths = self._lengths()
        along = self._along(state, lengths)
        left_m = lengths[-1] - along
        if left_m < _AHEAD:
            end = self._facing(lengths, lengths[-1] - 0.05) if self.yaw is None else self.yaw
            return Goal(self.places[-1], end, self.speed)(state)[0], along
        off = self._at(lengths, along + _AHEAD) - state.place
        facing = self._facing(lengths, along + 0.5 * _AHEAD)
        bend = abs(_wrapped(self._facing(lengths, along + _LOOKS) - self._facing(lengths, along)))
        error = _wrapped(facing - state.yaw)
        pace = min(self.speed, float(np.sqrt(2 * _SLOWING * left_m)))
        pace *= max(float(np.cos(min(max(abs(error), bend), 1.25))), 0.3)
        left, ahead = turn(off[0], off[1], -state.yaw)
        way = np.array([ahead, left]) / max(float(np.hypot(*off)), 1e-9) * pace
        return np.array([*way, _TURNS * error]), along

    def ends(self, state: Walking) -> tuple[float, float]:
        """How far [m] and by how much [rad] a body that stands is off its end."""
        return Goal(self.places[-1], self.yaw).ends(state)

    def _lengths(self) -> Array:
        steps = np.linalg.norm(np.diff(self.places, axis=0), axis=1)
        return np.concatenate([[0.0], np.cumsum(steps)])

    def _at(self, lengths: Array, along: float) -> Array:
        return np.array([np.interp(along, lengths, column) for column in self.places.T])

    def _facing(self, lengths: Array, along: float) -> float:
        step = self._at(lengths, along + 0.05) - self._at(lengths, along - 0.05)
        return float(np.arctan2(step[0], step[1]))

    def _along(self, state: Walking, lengths: Array) -> float:
        """How far along the body is: the nearest point, a little further on than before."""
        ways = state.along + np.linspace(0.0, _WINDOW, 33)
        ways = ways[ways <= lengths[-1]] if (ways <= lengths[-1]).any() else lengths[-1:]
        offs = [float(np.hypot(*(self._at(lengths, way) - state.place))) for way in ways]
        return float(ways[int(np.argmin(offs))])


def _wrapped(angle: float) -> float:
    return float((angle + np.pi) % (2 * np.pi) - np.pi)
