# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a robot looks like: the triangles of its URDF's visuals, by link."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.robots.packages import resolve
from mgpt3_ros.robots.robot import Robot
from mgpt3_ros.robots.urdf import rotation_of

Array = NDArray[np.float64]

# A binary STL: 80 bytes, the number of triangles, and for each a normal, corners, two bytes.
_FACET = np.dtype([('normal', '<f4', 3), ('corners', '<f4', (3, 3)), ('spare', '<u2')])
_HEAD = 80


@dataclass(frozen=True)
class Shapes:
    """triangles {link: (F, 3, 3)} [m] in the link's frame; missing, what could not be read."""

    triangles: dict[str, Array]
    missing: tuple[str, ...]


def shapes_of(robot: Robot) -> Shapes:
    """Read the meshes of a robot's visuals: binary STL; other shapes are named as missing."""
    root = ElementTree.parse(robot.urdf.path).getroot()
    triangles: dict[str, Array] = {}
    missing = []
    for link in root.findall('link'):
        name = link.get('name', '')
        if name not in robot.kinematics.links:
            continue
        parts = []
        for visual in link.findall('visual'):
            mesh = visual.find('geometry/mesh')
            uri = '' if mesh is None else mesh.get('filename', '')
            try:
                faces = read_stl(resolve(uri, robot.urdf.path.parent))
            except RobotError:
                missing.append(uri or f'a shape of {name}')
                continue
            parts.append(_placed(faces, visual, mesh))
        if parts:
            triangles[name] = np.concatenate(parts)
    return Shapes(triangles, tuple(missing))


def read_stl(path: Path) -> Array:
    """Read the triangles (F, 3, 3) of a binary STL.

    Raises:
        RobotError: it is none.
    """
    data = path.read_bytes()
    count = int(np.frombuffer(data, '<u4', 1, _HEAD)[0]) if len(data) >= _HEAD + 4 else -1
    if len(data) != _HEAD + 4 + count * _FACET.itemsize:
        raise RobotError(f'{path} is no binary STL')
    facets = np.frombuffer(data, _FACET, count, _HEAD + 4)
    return facets['corners'].astype(np.float64)


def _placed(faces: Array, visual: ElementTree.Element, mesh: ElementTree.Element | None) -> Array:
    scale = np.ones(3)
    if mesh is not None and mesh.get('scale'):
        scale = np.array([float(part) for part in mesh.get('scale', '').split()])
    place, turn = np.zeros(3), np.eye(3)
    origin = visual.find('origin')
    if origin is not None:
        place = np.array([float(part) for part in origin.get('xyz', '0 0 0').split()])
        turn = rotation_of(*(float(part) for part in origin.get('rpy', '0 0 0').split()))
    return (faces * scale) @ turn.T + place
