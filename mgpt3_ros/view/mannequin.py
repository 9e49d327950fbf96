# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The mannequin in a scene of viser: a skinned mesh a colour, each with the joints that it needs.

A mesh of viser's has one colour, and a message for each joint that turns or moves.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mgpt3_ros.body.frames import vectors_to_ros
from mgpt3_ros.model.figure.skin import make_skin
from mgpt3_ros.model.kinematics.t_pose import t_pose_joints
from mgpt3_ros.view.clip import Pose
from mgpt3_ros.view.meshes import Meshes

GHOST_COLOUR = (120, 110, 190)


class Mannequin(Meshes):
    """A figure in the scene; :meth:`show` moves it."""

    def __init__(self, scene: Any, name: str, offsets: np.ndarray, ghost: bool = False) -> None:
        """Add it.

        Args:
            scene: viser's, of a server.
            name: in the scene's tree.
            offsets: (22, 3) [m], T pose in the model's axes.
            ghost: whether it is drawn faintly, in one colour.
        """
        meshes = []
        rest = vectors_to_ros(t_pose_joints(offsets))
        for part in make_skin(offsets):
            carried = np.unique(part.bones)  # the joints of this mesh
            weights = np.zeros((len(part.vertices), len(carried)))
            rows = np.arange(len(part.vertices))
            for end in range(2):
                np.add.at(
                    weights,
                    (rows, np.searchsorted(carried, part.bones[:, end])),
                    part.weights[:, end],
                )
            mesh = scene.add_mesh_skinned(
                f'{name}/{part.name}',
                vectors_to_ros(part.vertices),
                part.faces,
                bone_wxyzs=np.tile([1.0, 0.0, 0.0, 0.0], (len(carried), 1)),
                bone_positions=rest[carried],
                skin_weights=weights,
                color=GHOST_COLOUR if ghost else tuple(int(c) for c in part.colour),
                opacity=0.35 if ghost else None,
                cast_shadow=not ghost,
            )
            meshes.append((mesh, carried))
        self._meshes = meshes

    def show(self, pose: Pose) -> None:
        """Put it into a pose."""
        for mesh, carried in self._meshes:
            for bone, joint in zip(mesh.bones, carried, strict=True):
                bone.wxyz = pose.wxyz[joint]
                bone.position = pose.position[joint]
