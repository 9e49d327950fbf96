# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The body in T pose, as animation programs rest it, and rotations that count from there.

Y up, X left, facing +Z; at rest every joint has the world's axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mgpt3_ros.model.kinematics.human import BODY_TO_MODEL, JOINT_INDEX
from mgpt3_ros.model.kinematics.joint_angles import joints_to_rotations, positions
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES, PARENTS, REST_OFFSETS

Array = NDArray[np.float64]

_UPRIGHT = np.broadcast_to(np.eye(3), (1, len(JOINT_NAMES), 3, 3))


@dataclass(frozen=True)
class TPoseMotion:
    """A motion as a skeleton in T pose that is moved.

    Attributes:
        offsets: (22, 3) [m], each joint from its parent in T pose; the pelvis at the origin.
        root_pos: (T, 3) [m], the pelvis.
        world: (T, 22, 3, 3), rotations of the joints from T pose, in the world.
    """

    offsets: Array
    root_pos: Array
    world: Array

    @property
    def local(self) -> Array:
        """Rotations (T, 22, 3, 3) in the parent joint; the pelvis's in the world."""
        local = self.world.copy()
        parents = list(PARENTS[1:])
        local[:, 1:] = np.swapaxes(self.world[:, parents], -1, -2) @ self.world[:, 1:]
        return local

    def joints(self) -> Array:
        """Positions (T, 22, 3) [m] by forward kinematics."""
        return positions(self.world, self.root_pos, self.offsets)


def t_pose_joints(offsets: Array) -> Array:
    """Joints (22, 3) [m] of a T pose with these offsets (22, 3), the pelvis at the origin."""
    return positions(_UPRIGHT, np.zeros(3), offsets)[0]


# (22, 3) [m], the default body in T pose, pelvis at the origin
REST_JOINTS = t_pose_joints(REST_OFFSETS)


def rest_offsets(joints: Array) -> Array:
    """T pose (22, 3) [m] with the median bone lengths of joints (T, 22, 3)."""
    lengths = np.median(np.linalg.norm(joints - joints[:, PARENTS], axis=-1), axis=0)
    offsets = np.zeros((len(JOINT_NAMES), 3))
    rest = REST_OFFSETS[1:]
    offsets[1:] = rest / np.linalg.norm(rest, axis=-1, keepdims=True) * lengths[1:, None]
    return offsets


def from_t_pose(world: Array) -> Array:
    """Rotations (T, 22, 3, 3) that count from hanging arms, in model axes, as from a T pose."""
    world = world.copy()
    for side, turn in (('left', -90), ('right', 90)):  # a quarter turn about Z lets the arm hang
        hang = Rotation.from_euler('z', turn, degrees=True).as_matrix()
        for part in ('shoulder', 'elbow', 'wrist'):
            world[:, JOINT_INDEX[f'{side}_{part}']] @= hang
    return world


def to_t_pose_motion(joints: NDArray) -> TPoseMotion:
    """Say joints (T, 22, 3) [m] as rotations of a T pose with their median bone lengths.

    What positions leave open is fixed as in :mod:`~mgpt3_ros.model.kinematics.joint_angles`, but
    no gimbal lock is eased: joints of bones that keep their length come back exactly.

    Raises:
        MotionError: for a wrong shape, NaN or infinity.
    """
    joints = np.asarray(joints, dtype=np.float64)
    world = joints_to_rotations(joints, eased=False)[..., BODY_TO_MODEL, :][..., BODY_TO_MODEL]
    return placed(joints, from_t_pose(world))


def placed(joints: Array, world: Array) -> TPoseMotion:
    """Put rotations (T, 22, 3, 3) where they miss joints (T, 22, 3) least in the mean."""
    offsets = rest_offsets(joints)
    missed = np.mean(joints - positions(world, joints[:, 0], offsets), axis=1)
    return TPoseMotion(offsets, joints[:, 0] + missed, world)
