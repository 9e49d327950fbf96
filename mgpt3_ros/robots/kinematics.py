# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Forward kinematics of a URDF's tree, for all frames of a motion at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.robots.urdf import Joint, Urdf

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Poses:
    """Where the links are, in the world.

    rotations {link: (T, 3, 3)} and places {link: (T, 3)} [m] of the link frames. axes, pivots
    (T, n, 3): of the n joints that are commanded, their axes and a point on them [m].
    """

    rotations: dict[str, Array]
    places: dict[str, Array]
    axes: Array
    pivots: Array


class Kinematics:
    """The tree below a base link, moved by its commanded joints.

    Attributes:
        base_link: its root.
        joint_names: (n,) the hinges that are commanded, parents before children.
    """

    def __init__(self, urdf: Urdf, hold: dict[str, float] | None = None) -> None:
        """Take the tree of ``urdf``.

        Args:
            urdf: as read.
            hold: by name, the joints that stay where they are told [rad], [m]. A prismatic joint
                that is not named stays at 0, or at the nearest value that its limits allow.
        """
        hold = hold or {}
        self.base_link = urdf.base_link
        self.joints: tuple[Joint, ...] = urdf.joints
        self.joint_names: tuple[str, ...] = tuple(
            joint.name for joint in urdf.joints if joint.turns and joint.name not in hold
        )
        self._column = {name: column for column, name in enumerate(self.joint_names)}
        self._held = {
            joint.name: hold.get(joint.name, float(np.clip(0.0, *(joint.limits or (0.0, 0.0)))))
            for joint in urdf.joints
            if joint.type != 'fixed' and joint.mimic is None and joint.name not in self._column
        }
        self._carrier = {joint.child: joint for joint in urdf.joints}
        # R(q) = I + sin q K + (1 - cos q) K^2 (Rodrigues), K the cross product with the axis.
        self._cross = {joint.name: cross_matrix(joint.axis) for joint in urdf.joints}

    @property
    def links(self) -> tuple[str, ...]:
        """All links, the base first."""
        return (self.base_link, *(joint.child for joint in self.joints))

    def chain(self, link: str) -> NDArray[np.intp]:
        """Return the columns of the commanded joints that move ``link``, from the base on.

        Raises:
            RobotError: there is no such link.
        """
        if link != self.base_link and link not in self._carrier:
            raise RobotError(f'there is no link {link!r}')
        names = (joint.name for joint in self._path(link))
        return np.array([self._column[name] for name in names if name in self._column], np.intp)

    def needed(self, links: Iterable[str]) -> tuple[Joint, ...]:
        """Return the joints on the way from the base to any of ``links``, parents first."""
        names = {joint.name for link in links for joint in self._path(link)}
        return tuple(joint for joint in self.joints if joint.name in names)

    def forward(
        self,
        positions: Array,
        base_rot: Array | None = None,
        base_pos: Array | None = None,
        joints: tuple[Joint, ...] | None = None,
    ) -> Poses:
        """Return where the links are.

        Args:
            positions: (T, n) [rad] of ``joint_names``.
            base_rot: (T, 3, 3) of the base link in the world; None for the identity.
            base_pos: (T, 3) [m] of it; None for the origin.
            joints: those to go along, as ``needed`` gives them; None for all.
        """
        frames = len(positions)
        rotations = {self.base_link: _or(base_rot, np.eye(3), frames)}
        places = {self.base_link: _or(base_pos, np.zeros(3), frames)}
        axes = np.zeros((frames, len(self.joint_names), 3))
        pivots = np.zeros_like(axes)
        for joint in self.joints if joints is None else joints:
            parent = rotations[joint.parent]
            place = places[joint.parent] + parent @ joint.origin
            frame = parent @ joint.rotation
            if joint.type == 'prismatic':
                value = self.value_of(joint, positions)
                place = place + (frame @ joint.axis) * value[:, None]
            elif joint.type != 'fixed':
                column = self._column.get(joint.name)
                if column is not None:
                    axes[:, column], pivots[:, column] = frame @ joint.axis, place
                frame = frame @ self._turn(joint, positions)
            rotations[joint.child], places[joint.child] = frame, place
        return Poses(rotations, places, axes, pivots)

    def _path(self, link: str) -> list[Joint]:
        path = []
        while link in self._carrier:
            path.append(self._carrier[link])
            link = path[-1].parent
        return path[::-1]

    def value_of(self, joint: Joint, positions: Array) -> Array:
        """Return what a joint that moves is at (T,) [rad], [m]: commanded, held or following."""
        if joint.mimic is not None:
            source = self._column.get(joint.mimic.joint)
            followed = (
                np.full(len(positions), self._held[joint.mimic.joint])
                if source is None
                else positions[:, source]
            )
            return joint.mimic.multiplier * followed + joint.mimic.offset
        column = self._column.get(joint.name)
        if column is None:
            return np.full(len(positions), self._held[joint.name])
        return positions[:, column]

    def _turn(self, joint: Joint, positions: Array) -> Array:
        value = self.value_of(joint, positions)[:, None, None]
        cross = self._cross[joint.name]
        return np.eye(3) + np.sin(value) * cross + (1 - np.cos(value)) * (cross @ cross)


def cross_matrix(vector: Array) -> Array:
    """Return the matrix (3, 3) that takes w to vector x w."""
    x, y, z = vector
    return np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])


def _or(given: Array | None, default: Array, frames: int) -> Array:
    return np.broadcast_to(default, (frames, *default.shape)) if given is None else given
