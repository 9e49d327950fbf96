# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes urdf/human.urdf, the 63-joint human, from the same constants as the joint angles.

``python -m scripts.human_urdf urdf/human.urdf``

Frames follow REP-103: at zero every link has x forward, y left, z up. The root is ``base_link``,
at the pelvis; it is empty, since dynamics libraries want no inertia there. A ball joint ``J`` is
three revolute joints ``J_x|_y|_z`` in the order of ``human.axis_order``; the two links between
them (``J_y_link`` ...) are massless, the link after the last is ``J`` itself. The joint values are
those of ``joint_angles.BodyAngles``.
"""

from __future__ import annotations

import argparse
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.kinematics.human import (
    ANGLE_LIMITS,
    ANGLE_NAMES,
    JOINT_INDEX,
    VELOCITY_LIMITS,
    ZERO_OFFSETS,
    axis_order,
)
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES, PARENTS

Vector = Sequence[float] | NDArray[np.float64]

BASE_LINK = 'base_link'
BODY_MASS = 70.0  # [kg]
EFFORT = 300.0  # [N m]: URDF asks for a number; a strong person's knee or hip

# Shares of the body mass: Winter, Biomechanics and Motor Control of Human Movement, table 4.1;
# within trunk, head and foot divided by size.
_MASS_SHARE = {
    'pelvis': 0.142,
    'spine1': 0.070,
    'spine2': 0.069,
    'spine3': 0.196,
    'collar': 0.010,
    'neck': 0.013,
    'head': 0.068,
    'hip': 0.100,
    'knee': 0.0465,
    'ankle': 0.0115,
    'foot': 0.003,
    'shoulder': 0.028,
    'elbow': 0.016,
    'wrist': 0.006,
}

_COLOURS = {
    'skin': '0.87 0.68 0.55 1',
    'hair': '0.22 0.15 0.11 1',
    'shirt': '0.20 0.42 0.62 1',
    'trousers': '0.20 0.22 0.28 1',
    'shoe': '0.85 0.85 0.83 1',
}


@dataclass(frozen=True)
class Shape:
    """A visible primitive of a link, in its frame: ``size`` as URDF gives it [m]."""

    kind: str  # box: size x, y, z; cylinder: radius, length; sphere: radius
    size: tuple[float, ...]
    centre: Vector
    colour: str
    direction: Vector = (0.0, 0.0, 1.0)  # of a cylinder's axis

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
    robot = ET.Element('robot', name='human')
    robot.append(
        ET.Comment(
            ' Written by scripts.human_urdf: change that and write anew.'
            ' Copyright 2026 The mgpt3_ros authors. SPDX-License-Identifier: Apache-2.0 '
        )
    )
    for name, rgba in _COLOURS.items():
        ET.SubElement(ET.SubElement(robot, 'material', name=name), 'color', rgba=rgba)
    ET.SubElement(robot, 'link', name=BASE_LINK)
    base = ET.SubElement(robot, 'joint', name='base_to_pelvis', type='fixed')
    ET.SubElement(base, 'parent', link=BASE_LINK)
    ET.SubElement(base, 'child', link='pelvis')
    _add_link(robot, 'pelvis')
    for name in JOINT_NAMES[1:]:
        _add_ball_joint(robot, name)
    ET.indent(robot, '  ')
    return f'<?xml version="1.0"?>\n{ET.tostring(robot, encoding="unicode")}\n'


def _add_ball_joint(robot: ET.Element, name: str) -> None:
    index = JOINT_INDEX[name]
    parent, origin = JOINT_NAMES[PARENTS[index]], ZERO_OFFSETS[index]
    for axis in axis_order(name):
        last = axis == axis_order(name)[-1]
        child = name if last else f'{name}_{axis}_link'
        number = ANGLE_NAMES.index(f'{name}_{axis}')
        joint = ET.SubElement(robot, 'joint', name=ANGLE_NAMES[number], type='revolute')
        ET.SubElement(joint, 'origin', xyz=_text(origin), rpy='0 0 0')
        ET.SubElement(joint, 'parent', link=parent)
        ET.SubElement(joint, 'child', link=child)
        ET.SubElement(joint, 'axis', xyz=' '.join('1' if a == axis else '0' for a in 'xyz'))
        lower, upper = ANGLE_LIMITS[number]
        ET.SubElement(
            joint,
            'limit',
            lower=f'{lower:.6f}',
            upper=f'{upper:.6f}',
            effort=f'{EFFORT:g}',
            velocity=f'{VELOCITY_LIMITS[number]:g}',
        )
        if last:
            _add_link(robot, name)
        else:
            ET.SubElement(robot, 'link', name=child)
        parent, origin = child, np.zeros(3)


def _add_link(robot: ET.Element, name: str) -> None:
    link = ET.SubElement(robot, 'link', name=name)
    shapes = _shapes(name)
    _add_inertia(link, BODY_MASS * _MASS_SHARE[name.split('_')[-1]], shapes)
    for shape in shapes:
        visual = ET.SubElement(link, 'visual')
        x, y, z = shape.direction
        rpy = (0.0, np.arctan2(np.hypot(x, y), z), np.arctan2(y, x))
        ET.SubElement(visual, 'origin', xyz=_text(shape.centre), rpy=_text(rpy))
        geometry = ET.SubElement(visual, 'geometry')
        if shape.kind == 'box':
            ET.SubElement(geometry, 'box', size=_text(shape.size))
        elif shape.kind == 'sphere':
            ET.SubElement(geometry, 'sphere', radius=_text(shape.size))
        else:
            radius, length = shape.size
            ET.SubElement(geometry, 'cylinder', radius=_text([radius]), length=_text([length]))
        ET.SubElement(visual, 'material', name=shape.colour)


def _add_inertia(link: ET.Element, mass: float, shapes: list[Shape]) -> None:
    """Inertia of a homogeneous ellipsoid in the box around all shapes."""
    low = np.min([np.asarray(s.centre) - s.half_extent() for s in shapes], axis=0)
    high = np.max([np.asarray(s.centre) + s.half_extent() for s in shapes], axis=0)
    square = np.square((high - low) / 2)
    moments = mass / 5 * (square.sum() - square)
    inertial = ET.SubElement(link, 'inertial')
    ET.SubElement(inertial, 'origin', xyz=_text((low + high) / 2), rpy='0 0 0')
    ET.SubElement(inertial, 'mass', value=f'{mass:.4f}')
    ixx, iyy, izz = (f'{moment:.6f}' for moment in moments)
    ET.SubElement(inertial, 'inertia', ixx=ixx, iyy=iyy, izz=izz, ixy='0', ixz='0', iyz='0')


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
    if part == 'head':
        return [
            Shape('sphere', (0.098,), (0.012, 0, 0.088), 'skin'),
            Shape('sphere', (0.072,), (0.034, 0, 0.040), 'skin'),  # chin
            Shape('sphere', (0.103,), (-0.010, 0, 0.104), 'hair'),
            Shape('sphere', (0.017,), (0.108, 0, 0.072), 'skin'),  # nose
        ]
    if part in ('ankle', 'foot'):
        return _shoe_shapes(part, bones)
    return _limb_shapes(part, bones)


def _limb_shapes(part: str, bones: list[NDArray[np.float64]]) -> list[Shape]:
    zero = np.zeros(3)
    if part == 'wrist':
        return [
            Shape('box', (0.070, 0.030, 0.090), (0.0, 0, -0.055), 'skin'),
            *_capsule(np.array([0.006, 0, -0.09]), np.array([0.006, 0, -0.15]), 0.025, 'skin'),
            *_capsule(np.array([0.03, 0, -0.04]), np.array([0.05, 0, -0.085]), 0.013, 'skin'),
        ]
    bone = bones[0]
    if part == 'collar':
        return _capsule(zero, bone, 0.066, 'shirt')
    if part == 'shoulder':
        return [
            *_capsule(zero, bone * 0.55, 0.058, 'shirt'),
            *_capsule(bone * 0.5, bone, 0.043, 'skin'),
        ]
    if part == 'elbow':
        return [
            *_capsule(zero, bone * 0.5, 0.041, 'skin'),
            *_capsule(bone * 0.5, bone, 0.033, 'skin'),
        ]
    if part == 'hip':
        return [
            *_capsule(zero, bone * 0.4, 0.081, 'trousers'),
            *_capsule(bone * 0.4, bone * 0.75, 0.072, 'trousers'),
            *_capsule(bone * 0.7, bone, 0.062, 'trousers'),
        ]
    return [
        *_capsule(zero, bone * 0.45, 0.057, 'trousers'),
        *_capsule(bone * 0.45, bone * 0.95, 0.047, 'trousers'),
    ]


def _shoe_shapes(part: str, bones: list[NDArray[np.float64]]) -> list[Shape]:
    sole = 0.0  # HumanML3D's floor goes through the lowest joint, so the sole does too
    if part == 'foot':
        return [
            Shape('box', (0.05, 0.084, 0.040), (0.02, 0, sole + 0.020), 'shoe'),
            Shape('cylinder', (0.042, 0.040), (0.045, 0, sole + 0.020), 'shoe'),
        ]
    forward, _, down = bones[0]
    heel, height = 0.05, 0.055
    middle = ((forward - heel) / 2, 0.0, down + sole + height / 2)
    return [
        Shape('sphere', (0.044,), (0.0, 0, -0.01), 'shoe'),
        Shape('box', (forward + heel, 0.080, height), middle, 'shoe'),
        *_capsule(np.array([0.0, 0, -0.01]), bones[0] + [0, 0, 0.02], 0.036, 'shoe'),
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
