# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a robot's YAML says: which link follows which of the human's, and how it stands."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from mgpt3_ros.model.config import from_dict, load_yaml
from mgpt3_ros.model.errors import RobotError

# Links that may follow, by the human joint that carries the human's: thigh, shank, foot, upper
# arm, forearm, hand; the chest and the head.
LIMBS = ('hip', 'knee', 'ankle', 'shoulder', 'elbow', 'wrist')
SIDES = ('left', 'right')
FOLLOWED = (*(f'{side}_{limb}' for side in SIDES for limb in LIMBS), 'spine3', 'head')
_LARGEST_ANGLE = 2 * math.pi  # [rad]; a stand pose beyond is in degrees


@dataclass(frozen=True)
class Sole:
    """The part of a foot that stands on the floor.

    link: that it belongs to. box: (x_min, x_max, y_min, y_max, z) [m] in that link's frame as it
    stands, x forward: its edges, and how high it lies.
    """

    link: str
    box: tuple[float, ...]


@dataclass(frozen=True)
class Limits:
    """Limits over those of the URDF; by a joint's name, or a pattern of names such as ``*_elbow``.

    margin: [rad] that is kept from the position limits. position: (lower, upper) [rad]. velocity:
    [rad/s]. effort: [N m].
    """

    margin: float = 0.01
    position: dict[str, tuple[float, ...]] = field(default_factory=dict)
    velocity: dict[str, float] = field(default_factory=dict)
    effort: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class RobotConfig:
    """A robot's YAML.

    urdf: a path, beside the YAML or absolute, or ``package://PACKAGE/PATH``.
    description: in a line, with the licence of the model.
    models: how its model is had, such as a PyPI package.
    base_link: the link whose pose is the robot's; None for the URDF's root.
    fixed_base: whether that stays where it is, such as a torso on a table.
    faces: the direction in its frame that is forward.
    stand: joint angles [rad] in which it stands upright with straight legs and hanging arms, the
        human's zero pose; others are 0. It may lie beyond limits.
    follows: link of the robot by the human joint that carries the followed one, of ``FOLLOWED``.
    hold: joints that are not commanded, and where they stay [rad]; names may be patterns.
    soles: 'left' and 'right'.
    limits: over the URDF's.
    controllers: joint names by the controller that moves them; none: one for all.
    """

    urdf: str
    description: str = ''
    models: str = ''
    base_link: str | None = None
    fixed_base: bool = False
    faces: tuple[float, ...] = (1.0, 0.0, 0.0)
    stand: dict[str, float] = field(default_factory=dict)
    follows: dict[str, str] = field(default_factory=dict)
    hold: dict[str, float] = field(default_factory=dict)
    soles: dict[str, Sole] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    controllers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what, names in (('follows', FOLLOWED), ('soles', SIDES)):
            unknown = sorted(set(getattr(self, what)) - set(names))
            if unknown:
                raise RobotError(f'{what}: there is no {unknown[0]!r}; known: {", ".join(names)}')
        if len(self.faces) != 3 or math.hypot(*self.faces[:2]) < 0.9:
            raise RobotError(
                f'faces: {list(self.faces)} must be a level direction, such as [1, 0, 0]'
            )
        for side, sole in self.soles.items():
            box = sole.box
            if len(box) != 5 or box[0] >= box[1] or box[2] >= box[3]:
                raise RobotError(
                    f'soles.{side}.box: {list(box)} must be [x_min, x_max, y_min, y_max, z] in m'
                )
        self._check_angles()

    def _check_angles(self) -> None:
        angles = {**self.stand, **self.hold}
        for name, (lower, *rest) in self.limits.position.items():
            if len(rest) != 1 or lower > rest[0]:
                raise RobotError(f'limits.position.{name}: give [lower, upper] in rad')
            angles |= {f'{name} (lower)': lower, f'{name} (upper)': rest[0]}
        for name, value in angles.items():
            if abs(value) > _LARGEST_ANGLE:
                raise RobotError(
                    f'{name}: {value:g} rad is more than a whole turn: angles are in radians, '
                    f'{math.radians(value):.4f} if this is in degrees'
                )
        for what in ('velocity', 'effort'):
            for name, value in getattr(self.limits, what).items():
                if not 0 < value < math.inf:
                    raise RobotError(f'limits.{what}.{name}: {value:g} must be above 0')


def load_robot_config(path: Path) -> RobotConfig:
    """Read a robot's YAML.

    Raises:
        ConfigError: it is missing, no YAML, has an unknown key or a wrong type.
        RobotError: a value that no robot has, such as degrees.
    """
    try:
        return from_dict(RobotConfig, load_yaml(path))
    except RobotError as error:
        raise RobotError(f'{path}: {error}') from error
