# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot's URDF as links and joints, read strictly: what cannot be used is said in a sentence."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.errors import RobotError

Array = NDArray[np.float64]

TURNING = ('revolute', 'continuous')
MOVING = (*TURNING, 'prismatic')
_TYPES = (*MOVING, 'fixed', 'floating', 'planar')


@dataclass(frozen=True)
class Mimic:
    """A joint that copies another: its value is ``multiplier * other + offset`` [rad] or [m]."""

    joint: str
    multiplier: float
    offset: float


@dataclass(frozen=True)
class Joint:
    """One joint of a URDF.

    origin (3,) [m] and rotation (3, 3): of its frame in the parent link's. axis (3,): of length 1,
    in its own frame. limits: (lower, upper) [rad] or [m], None where the URDF has none. velocity
    [rad/s] and effort [N m], None where it has none.
    """

    name: str
    type: str
    parent: str
    child: str
    origin: Array
    rotation: Array
    axis: Array
    limits: tuple[float, float] | None
    velocity: float | None
    effort: float | None
    mimic: Mimic | None

    @property
    def turns(self) -> bool:
        """Whether it is a hinge of its own that can be commanded."""
        return self.type in TURNING and self.mimic is None


@dataclass(frozen=True)
class Urdf:
    """The links and joints below a base link, parents before children.

    meshes: of visuals and collisions, as the file names them.
    """

    path: Path
    base_link: str
    links: tuple[str, ...]
    joints: tuple[Joint, ...]
    meshes: tuple[str, ...]


def read_urdf(path: Path, base_link: str | None = None) -> Urdf:
    """Read a URDF.

    Args:
        path: of the file.
        base_link: the link that the robot's pose in the world is of; None for the link that no
            joint carries. What lies above it (a footprint, a floating joint from the world) is
            left out.

    Raises:
        RobotError: the file is missing, no URDF, or a joint or tree that no robot of this
            package has: a loop, a link with two parents, a floating or planar joint within the
            body, several links without a parent and none named as base.
    """
    root = _parsed(path)
    links = tuple(link.get('name', '') for link in root.findall('link'))
    joints = [_joint(element, path) for element in root.findall('joint')]
    _check_names(links, joints, path)
    base = _base(links, joints, base_link, path)
    ordered = _ordered(base, joints, path)
    meshes = {mesh.get('filename', '') for mesh in root.iter('mesh')}
    below = (base, *(joint.child for joint in ordered))
    return Urdf(path, base, below, tuple(ordered), tuple(sorted(meshes)))


def rotation_of(roll: float, pitch: float, yaw: float) -> Array:
    """Return R_z(yaw) R_y(pitch) R_x(roll) (3, 3): the fixed-axis angles [rad] of a URDF."""
    cr, sr, cp, sp = np.cos(roll), np.sin(roll), np.cos(pitch), np.sin(pitch)
    cy, sy = np.cos(yaw), np.sin(yaw)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def _parsed(path: Path) -> ElementTree.Element:
    if not path.is_file():
        raise RobotError(f'there is no URDF {path}')
    if path.suffix == '.xacro':
        raise RobotError(f'{path} is a xacro: expand it first, `xacro {path.name} > robot.urdf`')
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise RobotError(f'{path} is no valid XML: {error}') from error
    if root.tag != 'robot':
        raise RobotError(f'{path} is no URDF: its outermost element is <{root.tag}>, not <robot>')
    return root


def _joint(element: ElementTree.Element, path: Path) -> Joint:
    name, kind = element.get('name', ''), element.get('type', '')
    where = f'{path.name}: joint {name!r}'
    if kind not in _TYPES:
        raise RobotError(f'{where} is of type {kind!r}; known are {", ".join(_TYPES)}')
    parent, child = element.find('parent'), element.find('child')
    if parent is None or child is None:
        raise RobotError(f'{where} has no <parent> or no <child>')
    origin, axis = element.find('origin'), element.find('axis')
    limit, mimic = element.find('limit'), element.find('mimic')
    xyz = _vector(origin, 'xyz', '0 0 0', where)
    rpy = _vector(origin, 'rpy', '0 0 0', where)
    direction = _vector(axis, 'xyz', '1 0 0', where)
    if kind in MOVING and np.linalg.norm(direction) < 1e-9:
        raise RobotError(f'{where} turns about an axis of length 0')
    bounds = None
    if limit is not None and kind != 'continuous':
        bounds = _number(limit, 'lower', 0.0, where), _number(limit, 'upper', 0.0, where)
    return Joint(
        name=name,
        type=kind,
        parent=parent.get('link', ''),
        child=child.get('link', ''),
        origin=xyz,
        rotation=rotation_of(*rpy),
        axis=direction / max(float(np.linalg.norm(direction)), 1e-9),
        limits=bounds,
        velocity=None if limit is None else _optional(limit, 'velocity', where),
        effort=None if limit is None else _optional(limit, 'effort', where),
        mimic=None
        if mimic is None
        else Mimic(
            mimic.get('joint', ''),
            _number(mimic, 'multiplier', 1.0, where),
            _number(mimic, 'offset', 0.0, where),
        ),
    )


def _vector(element: ElementTree.Element | None, key: str, default: str, where: str) -> Array:
    text = default if element is None else element.get(key, default)
    try:
        values = np.array([float(part) for part in text.split()])
    except ValueError as error:
        raise RobotError(f'{where}: {key}="{text}" are no numbers') from error
    if values.shape != (3,) or not np.isfinite(values).all():
        raise RobotError(f'{where}: {key}="{text}" are not three numbers')
    return values


def _optional(element: ElementTree.Element, key: str, where: str) -> float | None:
    return None if element.get(key) is None else _number(element, key, 0.0, where)


def _number(element: ElementTree.Element, key: str, default: float, where: str) -> float:
    text = element.get(key)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError as error:
        raise RobotError(f'{where}: {key}="{text}" is no number') from error
    if np.isnan(value):
        raise RobotError(f'{where}: {key} is NaN')
    return value


def _check_names(links: tuple[str, ...], joints: list[Joint], path: Path) -> None:
    for what, names in (('link', links), ('joint', [joint.name for joint in joints])):
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise RobotError(f'{path.name}: the {what} {twice[0]!r} is there twice')
        if '' in names:
            raise RobotError(f'{path.name}: a {what} has no name')
    for joint in joints:
        for link in (joint.parent, joint.child):
            if link not in links:
                raise RobotError(f'{path.name}: joint {joint.name!r} names no link {link!r}')
    parents = Counter(joint.child for joint in joints)
    twice = [link for link, count in parents.items() if count > 1]
    if twice:
        raise RobotError(
            f'{path.name}: the link {twice[0]!r} hangs from {parents[twice[0]]} joints: a closed '
            'loop; a robot is a tree, so make one of these joints passive and leave it out'
        )
    known = {joint.name: joint for joint in joints}
    for joint in joints:
        if joint.mimic and (joint.mimic.joint not in known or known[joint.mimic.joint].mimic):
            raise RobotError(
                f'{path.name}: joint {joint.name!r} mimics {joint.mimic.joint!r}, which is no '
                'joint of its own'
            )


def _base(links: tuple[str, ...], joints: list[Joint], base_link: str | None, path: Path) -> str:
    carried = {joint.child: joint for joint in joints}
    roots = [link for link in links if link not in carried]
    if base_link is None:
        if len(roots) != 1:
            said = ', '.join(roots) if roots else 'none: the joints form a loop'
            raise RobotError(
                f'{path.name}: name the base_link; links that no joint carries: {said}'
            )
        base = roots[0]
        floating = [joint for joint in joints if joint.parent == base and joint.type == 'floating']
        return floating[0].child if len(floating) == 1 else base
    if base_link not in links:
        raise RobotError(f'{path.name}: there is no link {base_link!r} to be the base_link')
    link = base_link
    while link in carried:
        joint = carried[link]
        if joint.type not in ('fixed', 'floating'):
            raise RobotError(
                f'{path.name}: the base_link {base_link!r} is moved by the joint {joint.name!r}: '
                'take a link that no joint moves'
            )
        link = joint.parent
        if link == base_link:
            break
    return base_link


def _ordered(base: str, joints: list[Joint], path: Path) -> list[Joint]:
    children: dict[str, list[Joint]] = {}
    for joint in joints:
        children.setdefault(joint.parent, []).append(joint)
    ordered: list[Joint] = []
    waiting = children.get(base, [])[::-1]
    while waiting:  # depth first, as MuJoCo counts the joints of a URDF
        joint = waiting.pop()
        if joint.type in ('floating', 'planar'):
            raise RobotError(
                f'{path.name}: joint {joint.name!r} is {joint.type}: only the base may float; '
                'make it fixed, or name as base_link the link below it'
            )
        if joint.child == base:
            raise RobotError(f'{path.name}: joint {joint.name!r} closes a loop')
        ordered.append(joint)
        waiting += children.get(joint.child, [])[::-1]
    return ordered
