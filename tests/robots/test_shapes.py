# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a robot looks like: shapes of its URDF, its sides, and fewer triangles of the same form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.robots.shapes import as_meshes, shapes_of, side_of
from tests.support.robots import known, tin_man

EXTRA = (
    '<link name="pack"><visual><origin xyz="0.1 0 0"/><geometry>{shape}</geometry></visual></link>'
    '<joint name="pack_joint" type="fixed"><parent link="chest"/><child link="pack"/></joint>'
)


def volume(triangles: np.ndarray) -> float:
    """Of a closed surface whose triangles look out [m^3]."""
    one, two, three = np.moveaxis(triangles, 1, 0)
    return float(np.sum(one * np.cross(two, three)) / 6)


@pytest.mark.parametrize(
    ('shape', 'expected'),
    [
        ('<box size="0.2 0.1 0.4"/>', 0.008),
        ('<cylinder radius="0.1" length="0.5"/>', np.pi * 0.005),
        ('<sphere radius="0.1"/>', 4 / 3 * np.pi * 0.001),
    ],
)
def test_plain_shapes_are_drawn_where_they_are(
    shape: str, expected: float, tmp_path: Path
) -> None:
    shapes = shapes_of(tin_man(tmp_path, extra=EXTRA.format(shape=shape)))
    assert set(shapes.triangles) == {'pack'}
    assert shapes.missing == ()
    triangles = shapes.triangles['pack']
    assert abs(volume(triangles)) == pytest.approx(expected, rel=0.08)  # of 16 corners
    middle = 0.5 * (triangles.reshape(-1, 3).min(axis=0) + triangles.reshape(-1, 3).max(axis=0))
    np.testing.assert_allclose(middle, [0.1, 0.0, 0.0], atol=1e-9)


def test_what_cannot_be_read_is_named_and_bars_stand_for_a_robot_without_shapes(
    tmp_path: Path,
) -> None:
    robot = tin_man(tmp_path, extra=EXTRA.format(shape='<mesh filename="no.dae"/>'))
    shapes = shapes_of(robot)
    assert shapes.missing == ('no.dae',)
    assert 'left_hip_pitch' in shapes.triangles
    assert all(own.shape[1:] == (3, 3) for own in shapes.triangles.values())


def test_sides_are_those_of_the_limbs(tmp_path: Path) -> None:
    robot = tin_man(tmp_path)
    for link, side in (('left_knee', 'left'), ('right_hand_yaw', 'right'), ('chest', '')):
        assert side_of(robot, link) == side


def test_fewer_triangles_keep_the_form() -> None:
    robot = known('g1')
    triangles = shapes_of(robot).triangles
    meshes = as_meshes(triangles, 40_000)
    assert sum(len(faces) for _, faces in meshes.values()) <= 40_000
    for link, own in triangles.items():
        vertices, faces = meshes[link]
        assert faces.max() < len(vertices)
        points = own.reshape(-1, 3)
        for bound in ('min', 'max'):
            moved = getattr(vertices, bound)(axis=0) - getattr(points, bound)(axis=0)
            assert np.abs(moved).max() < 0.012, link


def test_few_triangles_stay() -> None:
    one = np.array([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0]], [[1.0, 0, 0], [1, 1, 0], [0, 1, 0]]])
    vertices, faces = as_meshes({'plate': one}, 10)['plate']
    assert vertices.shape == (4, 3)
    assert faces.shape == (2, 3)
    np.testing.assert_allclose(
        np.sort(vertices[faces].reshape(2, -1)), np.sort(one.reshape(2, -1))
    )
