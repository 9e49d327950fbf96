# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes urdf/human.urdf, the 63-joint human, from the same constants as the joint angles.

``python -m scripts.human_urdf urdf/human.urdf``

Frames follow REP-103: at zero every link has x forward, y left, z up. The root is ``base_link``,
at the pelvis; it is empty, since dynamics libraries want no inertia there. A ball joint ``J`` is
three revolute joints ``J_x|_y|_z`` in the order of ``human.axis_order``; the two links between
them (``J_y_link`` ...) are massless, the link after the last is ``J`` itself. The joint values are
those of ``joint_angles.BodyAngles``. Looks and weights stand in human.yaml, the XML around the
numbers in human.urdf.j2.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.config import load_yaml
from mgpt3_ros.model.kinematics.human import (
    ANGLE_LIMITS,
    ANGLE_NAMES,
    JOINT_INDEX,
    VELOCITY_LIMITS,
    ZERO_OFFSETS,
    axis_order,
)
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES, PARENTS
from scripts.templates import render

Vector = Sequence[float] | NDArray[np.float64]

BASE_LINK = 'base_link'
BODY_MASS = 70.0  # [kg]
EFFORT = 300.0  # [N m]: URDF asks for a number; a strong person's knee or hip

_LOOKS = load_yaml(Path(__file__).with_name('human.yaml'))


@dataclass(frozen=True)
class Shape:
    """A visible primitive of a link, in its frame: ``size`` as URDF gives it [m]."""

    kind: str  # box: size x, y, z; cylinder: radius, length; sphere: radius
    size: tuple[float, ...]
    centre: Vector
    colour: str
    direction: Vector = (0.0, 0.0, 1.0)  # of a cylinder's axis

    @property
    def rpy(self) -> tuple[float, float, float]:
        """The turn [rad] of its own z axis to ``direction``."""
        x, y, z = self.direction
        return 0.0, np.arctan2(np.hypot(x, y), z), np.arctan2(y, x)

    def half_extent(self) -> NDArray[np.float64]:
        """Half the size (3,) [m] of the box along the link's axes that holds the shape."""
        if self.kind == 'box':
            return np.array(self.size) / 2
        if self.kind == 'sphere':
            return np.full(3, self.size[0])
        radius, length = self.size
        along = np.abs(self.direction)
        return along * length / 2 + np.sqrt(np.maximum(1 - along**2, 0)) * radius


def human_urdf() -> str:
    """The robot description as XML text."""
    return render(
        'human.urdf.j2',
        base_link=BASE_LINK,
        colours=_LOOKS['colours'],
        effort=EFFORT,
        links=[_link(name) for name in JOINT_NAMES],
        text=_text,
    )


def _link(name: str) -> dict[str, Any]:
    """A link, with the inertia of a homogeneous ellipsoid in the box around all its shapes."""
    shapes, mass = _shapes(name), BODY_MASS * _LOOKS['mass_share'][name.split('_')[-1]]
    low = np.min([np.asarray(s.centre) - s.half_extent() for s in shapes], axis=0)
    high = np.max([np.asarray(s.centre) + s.half_extent() for s in shapes], axis=0)
    square = np.square((high - low) / 2)
    return {
        'name': name,
        'joints': [] if name == JOINT_NAMES[0] else _ball_joint(name),
        'shapes': shapes,
        'mass': mass,
        'centre': (low + high) / 2,
        'moments': mass / 5 * (square.sum() - square),
    }


def _ball_joint(name: str) -> list[dict[str, Any]]:
    """The three revolute joints from the parent's link to a link."""
    index, axes = JOINT_INDEX[name], axis_order(name)
    links = [JOINT_NAMES[PARENTS[index]], *(f'{name}_{axis}_link' for axis in axes[:-1]), name]
    numbers = [ANGLE_NAMES.index(f'{name}_{axis}') for axis in axes]
    return [
        {
            'name': ANGLE_NAMES[number],
            'origin': np.zeros(3) if place else ZERO_OFFSETS[index],
            'parent': links[place],
            'child': links[place + 1],
            'axis': [axes[place] == axis for axis in 'xyz'],
            'lower': ANGLE_LIMITS[number][0],
            'upper': ANGLE_LIMITS[number][1],
            'velocity': VELOCITY_LIMITS[number],
        }
        for place, number in enumerate(numbers)
    ]


def _shapes(name: str) -> list[Shape]:
    """What a link looks like: limbs are capsules along their bone, the trunk lies across."""
    bones = [ZERO_OFFSETS[i] for i, parent in enumerate(PARENTS) if parent == JOINT_INDEX[name]]
    part = name.split('_')[-1]
    if part == 'pelvis':
        hips = np.mean(bones[:2], axis=0)
        return [
            *_across(hips * [1, 1, 0.75], 0.095, 0.13, 'trousers'),
            *_across(hips * [0.3, 1, 0] + [0.0, 0, 0.03], 0.092, 0.12, 'trousers'),
        ]
    if part == 'spine1':
        return [
            *_across(bones[0] * 0.0, 0.087, 0.12, 'shirt'),
            *_across(bones[0] * 0.5, 0.089, 0.13, 'shirt'),
        ]
    if part == 'spine2':
        return _across(bones[0] * 0.8, 0.096, 0.14, 'shirt')
    if part == 'spine3':
        collars = np.mean(bones[1:], axis=0)
        return [
            *_across(collars * [0.5, 1, 0.35] + [0.005, 0, 0], 0.104, 0.17, 'shirt'),
            *_across(np.array([0.005, 0, -0.01]) + collars, 0.085, 0.20, 'shirt'),
        ]
    if part == 'neck':
        return _capsule(np.array([0.0, 0, -0.05]), bones[0], 0.05, 'skin')
    if part == 'ankle':
        return _shoe(bones[0])
    return [shape for look in _LOOKS['shapes'][part] for shape in _seen(look, bones)]


def _seen(look: dict[str, Any], bones: list[NDArray[np.float64]]) -> list[Shape]:
    """The shapes of an entry in human.yaml."""
    if 'kind' in look:
        return [Shape(**look)]
    ends = [bones[0] * share for share in look['along']] if 'along' in look else None
    start, end = ends or [np.array(look[key], np.float64) for key in ('from', 'to')]
    return _capsule(start, end, look['radius'], look['colour'])


def _shoe(bone: NDArray[np.float64]) -> list[Shape]:
    """From the ankle to the ball, ``bone`` (3,) [m]; the sole lies on the floor."""
    forward, _, down = bone
    heel, height = 0.05, 0.055
    middle = ((forward - heel) / 2, 0.0, down + height / 2)
    return [
        Shape('sphere', (0.044,), (0.0, 0, -0.01), 'shoe'),
        Shape('box', (forward + heel, 0.080, height), middle, 'shoe'),
        *_capsule(np.array([0.0, 0, -0.01]), bone + np.array([0, 0, 0.02]), 0.036, 'shoe'),
    ]


def _capsule(start: NDArray, end: NDArray, radius: float, colour: str) -> list[Shape]:
    """A cylinder with round ends [m]."""
    bone = end - start
    length = float(np.linalg.norm(bone))
    return [
        Shape('sphere', (radius,), start, colour),
        Shape('cylinder', (radius, length), (start + end) / 2, colour, bone / length),
        Shape('sphere', (radius,), end, colour),
    ]


def _across(centre: NDArray, radius: float, width: float, colour: str) -> list[Shape]:
    """A capsule that lies from right to left."""
    half = np.array([0.0, width / 2, 0.0])
    return _capsule(centre - half, centre + half, radius, colour)


def _text(numbers: Vector) -> str:
    return ' '.join(f'{round(float(number), 5) + 0.0:g}' for number in numbers)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the description into the file named on the command line."""
    parser = argparse.ArgumentParser(description='Write the URDF of the 63-joint human.')
    parser.add_argument('path', type=Path, help='file to write, such as urdf/human.urdf')
    parser.parse_args(argv).path.write_text(human_urdf(), encoding='utf-8')


if __name__ == '__main__':
    main()
