# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a robot looks like: the triangles of its URDF's visuals, by link, and its sides."""

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
_ROUND = 16  # corners of a circle
_BAR = 0.03  # [m] radius of the bars of a robot without shapes
_COARSER = 1.3  # times, from one try to the next
_SAME_M = 1e-5  # [m]: corners that are nearer are one


@dataclass(frozen=True)
class Shapes:
    """triangles {link: (F, 3, 3)} [m] in the link's frame; missing, what could not be read."""

    triangles: dict[str, Array]
    missing: tuple[str, ...]


def shapes_of(robot: Robot) -> Shapes:
    """Read a robot's visuals: binary STL, boxes, balls and cylinders; others are named as missing.

    A robot of which nothing can be read has bars from joint to joint.
    """
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
                plain = _plain_shape(visual) if mesh is None else None
                faces = read_stl(resolve(uri, robot.urdf.path.parent)) if plain is None else plain
            except RobotError:
                missing.append(uri or f'a shape of {name}')
                continue
            parts.append(_placed(faces, visual, mesh))
        if parts:
            triangles[name] = np.concatenate(parts)
    return Shapes(triangles or _bars(robot), tuple(missing))


def side_of(robot: Robot, link: str) -> str:
    """Return 'left' or 'right' of what hangs at that side of chest or pelvis, '' of the rest."""
    own = robot.kinematics.chain(link)
    for side in ('left', 'right'):
        for limb in ('shoulder', 'hip'):
            first = robot.config.follows.get(f'{side}_{limb}')
            if first is None:
                continue
            end = robot.kinematics.chain(first)
            if len(own) >= len(end) and (own[: len(end)] == end).all():
                return side
    return ''


def as_meshes(
    triangles: dict[str, Array], most_faces: int
) -> dict[str, tuple[Array, NDArray[np.uint32]]]:
    """Turn triangles into meshes of at most about ``most_faces`` in all.

    Corners in one cube of a grid become their mean; the grid grows until the faces are few enough.

    Args:
        triangles: {link: (F, 3, 3)} [m].
        most_faces: of all links together.

    Returns:
        By link, vertices (V, 3) [m] and faces (F, 3), indices of them.
    """
    if sum(map(len, triangles.values())) <= most_faces:
        return {link: _clustered(own, _SAME_M) for link, own in triangles.items()}
    area = sum(
        np.linalg.norm(np.cross(own[:, 1] - own[:, 0], own[:, 2] - own[:, 0]), axis=1).sum() / 2
        for own in triangles.values()
    )
    spacing_m = max(float(np.sqrt(2 * area / most_faces)), _SAME_M)  # two faces a square
    while True:
        meshes = {link: _clustered(own, spacing_m) for link, own in triangles.items()}
        if sum(len(faces) for _, faces in meshes.values()) <= most_faces:
            return meshes
        spacing_m *= _COARSER


def _clustered(triangles: Array, spacing_m: float) -> tuple[Array, NDArray[np.uint32]]:
    points = triangles.reshape(-1, 3)
    cells = np.floor((points - points.min(axis=0)) / spacing_m).astype(np.int64)
    columns, rows = (int(n) + 1 for n in cells.max(axis=0)[:2])
    keys = (cells[:, 2] * rows + cells[:, 1]) * columns + cells[:, 0]
    _, own = np.unique(keys, return_inverse=True)
    counts = np.bincount(own)
    vertices = np.stack([np.bincount(own, points[:, axis]) / counts for axis in range(3)], axis=1)
    faces = own.reshape(-1, 3)
    one, two, three = faces.T
    faces = faces[(one != two) & (two != three) & (three != one)]
    low, middle, high = np.sort(faces, axis=1).T
    _, first = np.unique((low * len(counts) + middle) * len(counts) + high, return_index=True)
    return vertices, faces[np.sort(first)].astype(np.uint32)


def _plain_shape(visual: ElementTree.Element) -> Array:
    """The triangles of a box, a ball or a cylinder around the origin.

    Raises:
        RobotError: it is none of them.
    """
    turn = np.linspace(0.0, 2 * np.pi, _ROUND + 1)
    box, ball, tube = (visual.find(f'geometry/{kind}') for kind in ('box', 'sphere', 'cylinder'))
    if box is not None:
        half = 0.5 * np.array([float(part) for part in box.get('size', '').split()])
        ring = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1], [1, 1]]) * half[:2]
        rings = [(0.0 * ring, -half[2]), (ring, -half[2]), (ring, half[2]), (0.0 * ring, half[2])]
    elif tube is not None:
        ring = float(tube.get('radius', 0)) * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        end = 0.5 * float(tube.get('length', 0))
        rings = [(0.0 * ring, -end), (ring, -end), (ring, end), (0.0 * ring, end)]
    elif ball is not None:
        radius = float(ball.get('radius', 0))
        ring = radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        up = np.linspace(-np.pi / 2, np.pi / 2, _ROUND // 2 + 1)
        rings = [(np.cos(angle) * ring, radius * np.sin(angle)) for angle in up]
    else:
        raise RobotError('it has no box, ball or cylinder')
    solid = np.array([np.column_stack([flat, np.full(len(flat), z)]) for flat, z in rings])
    low, high = solid[:-1], solid[1:]
    below = np.stack([low[:, :-1], low[:, 1:], high[:, 1:]], axis=2)
    above = np.stack([low[:, :-1], high[:, 1:], high[:, :-1]], axis=2)
    return np.concatenate([below, above]).reshape(-1, 3, 3)


def _bars(robot: Robot) -> dict[str, Array]:
    """Return bars from each link to the links that it carries."""
    bars: dict[str, list[Array]] = {}
    for joint in robot.urdf.joints:
        if np.linalg.norm(joint.origin) > 0.02:
            bars.setdefault(joint.parent, []).append(_bar(joint.origin))
    return {link: np.concatenate(parts) for link, parts in bars.items()}


def _bar(end: Array) -> Array:
    """Return the triangles (8, 3, 3) of a bar from the origin to ``end`` (3,)."""
    aside = np.cross(end, [1.0, 0, 0] if abs(end[0]) < np.abs(end).max() else [0, 1.0, 0])
    aside *= _BAR / np.linalg.norm(aside)
    across = np.cross(end / np.linalg.norm(end), aside)
    ring = [aside, across, -aside, -across]
    faces = []
    for one, two in zip(ring, [*ring[1:], ring[0]], strict=True):
        faces += [[one, two, end + two], [one, end + two, end + one]]
    return np.array(faces)


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
