# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The figure's skin: triangles around a T pose, one mesh a colour, that joints carry.

Each end of a round cone follows one joint; between them both do, in shares that change along it
(linear blend skinning: a vertex goes where the weighted mean of its joints' motions takes it).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from mgpt3_ros.model.figure.cones import PALETTE, build_figure
from mgpt3_ros.model.kinematics.t_pose import t_pose_joints

COLOUR_NAMES = ('trunk', 'left', 'right', 'joint', 'visor')
_AROUND = 16  # vertices around a cone: its outline is off by 2 % of its radius
_CAP = 4  # rings of a cap, from its pole


@dataclass(frozen=True)
class SkinPart:
    """The triangles of one colour, in T pose with the pelvis at the origin.

    Attributes:
        name: of the colour, in ``COLOUR_NAMES``.
        colour: (3,) sRGB, 0 to 255.
        vertices: (V, 3) [m], Y up.
        normals: (V, 3), of length 1.
        faces: (F, 3) places in ``vertices``, counter-clockwise from outside.
        bones: (V, 2) joints that carry a vertex.
        weights: (V, 2) their shares, which add up to 1.
    """

    name: str
    colour: np.ndarray
    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    bones: np.ndarray
    weights: np.ndarray


def make_skin(offsets: np.ndarray) -> list[SkinPart]:
    """Return the skin around a T pose of ``offsets`` (22, 3) [m], one part a colour."""
    figure = build_figure(t_pose_joints(offsets))
    parts = []
    for colour, name in enumerate(COLOUR_NAMES):
        members = np.flatnonzero(figure.colour == colour)
        meshes = [_cone(figure.start[i], figure.end[i], figure.radius[i]) for i in members]
        counts = [len(vertices) for vertices, *_ in meshes]
        firsts = np.cumsum([0, *counts[:-1]])
        along = np.concatenate([along for *_, along in meshes])
        bones = np.repeat(figure.bones[members], counts, axis=0)
        weights = np.stack([1.0 - along, along], axis=1)
        weights[bones[:, 0] == bones[:, 1]] = 1.0, 0.0
        parts.append(
            SkinPart(
                name,
                PALETTE[colour],
                np.concatenate([vertices for vertices, *_ in meshes]),
                np.concatenate([normals for _, normals, *_ in meshes]),
                np.concatenate([m[2] + first for m, first in zip(meshes, firsts, strict=True)]),
                bones,
                weights,
            )
        )
    return parts


def _cone(
    start: np.ndarray, end: np.ndarray, radius: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return vertices, normals, faces and the share of the way (V,) of a round cone.

    Between the balls its side touches both: there normals lean by asin((r0 - r1) / length).
    """
    axis = end - start
    length = float(np.linalg.norm(axis))
    axis = axis / length if length > 1e-9 else np.array([0.0, 1.0, 0.0])
    aside = np.cross(axis, [0.0, 0.0, 1.0] if abs(axis[2]) < 0.9 else [1.0, 0.0, 0.0])
    aside /= np.linalg.norm(aside)
    lean = np.clip((radius[0] - radius[1]) / length, -0.95, 0.95) if length > 1e-9 else 0.0
    tilt = float(np.arcsin(lean))
    low, high = np.linspace(-np.pi / 2, tilt, _CAP + 1), np.linspace(tilt, np.pi / 2, _CAP + 1)
    along = np.repeat([0.0, 1.0], _CAP + 1)
    if length <= 1e-9:  # a ball: the two middle rings are one
        high, along = high[1:], np.zeros(2 * _CAP + 1)
    tilts = np.concatenate([low, high])
    turn = np.arange(_AROUND) * (2 * np.pi / _AROUND)
    around = np.cos(turn)[:, None] * aside + np.sin(turn)[:, None] * np.cross(axis, aside)
    normals = np.cos(tilts)[:, None, None] * around + np.sin(tilts)[:, None, None] * axis
    centre = start + along[:, None] * (end - start)
    sizes = radius[0] + along * (radius[1] - radius[0])
    vertices = centre[:, None] + sizes[:, None, None] * normals
    faces = _ring_faces(len(tilts))
    return (
        vertices.reshape(-1, 3),
        normals.reshape(-1, 3),
        faces,
        np.repeat(along, _AROUND),
    )


@cache
def _ring_faces(rings: int) -> np.ndarray:
    """Two triangles between each two neighbours on rings; one at the poles, where both meet."""
    faces = []
    for ring in range(rings - 1):
        for step in range(_AROUND):
            this = ring * _AROUND + step
            after = ring * _AROUND + (step + 1) % _AROUND
            if ring > 0:
                faces.append((this, after, this + _AROUND))
            if ring < rings - 2:
                faces.append((after, after + _AROUND, this + _AROUND))
    return np.array(faces)
