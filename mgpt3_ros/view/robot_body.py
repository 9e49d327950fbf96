# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot in a scene of viser: a mesh a link, as its URDF draws it."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from mgpt3_ros.model.figure.cones import LEFT_COLOUR, RIGHT_COLOUR, TRUNK_COLOUR
from mgpt3_ros.robots import Robot
from mgpt3_ros.robots.shapes import as_meshes, shapes_of, side_of
from mgpt3_ros.view.clip import Pose
from mgpt3_ros.view.mannequin import GHOST_COLOUR
from mgpt3_ros.view.meshes import Meshes

MOST_FACES = 40_000  # of a robot; a page that plays stays at one or two megabytes
_COLOURS = {'left': LEFT_COLOUR, 'right': RIGHT_COLOUR, '': TRUNK_COLOUR}


@functools.lru_cache(maxsize=8)
def _meshes_of(robot: Robot) -> list[tuple[int, str, np.ndarray, np.ndarray]]:
    """Of each link that is seen: its number, side, vertices and faces. Takes a second."""
    meshes = as_meshes(shapes_of(robot).triangles, MOST_FACES)
    links = {link: number for number, link in enumerate(robot.kinematics.links)}
    return [
        (links[link], side_of(robot, link), vertices.astype(np.float32), faces)
        for link, (vertices, faces) in meshes.items()
    ]


class RobotBody(Meshes):
    """A robot in the scene; :meth:`show` moves it."""

    def __init__(self, scene: Any, name: str, robot: Robot, ghost: bool = False) -> None:
        """Add it.

        Args:
            scene: viser's, of a server.
            name: in the scene's tree.
            robot: what it looks like.
            ghost: whether it is drawn faintly, in one colour.
        """
        self._meshes = [
            (
                scene.add_mesh_simple(
                    f'{name}/link{link}',
                    vertices,
                    faces,
                    color=GHOST_COLOUR if ghost else _COLOURS[side],
                    opacity=0.35 if ghost else None,
                    flat_shading=True,
                    side='double',
                    cast_shadow=not ghost,
                ),
                link,
            )
            for link, side, vertices, faces in _meshes_of(robot)
        ]

    def show(self, pose: Pose) -> None:
        """Put it into a pose of its links, in the order of its kinematics."""
        for mesh, link in self._meshes:
            mesh.wxyz = pose.wxyz[link]
            mesh.position = pose.position[link]
