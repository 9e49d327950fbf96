# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The human that a robot follows: joints and link rotations in ROS's axes.

With all angles zero a person stands, but not as people do: the bone from ankle to ball of the foot
points too little down, and the head hangs forward. A robot's stand pose is that of one who stands
with flat feet and looks ahead, so what lies between the two is taken off on the way to a robot,
and put on again on the way back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mgpt3_ros.model.kinematics.human import JOINT_INDEX, MODEL_TO_BODY, ZERO_OFFSETS
from mgpt3_ros.model.kinematics.joint_angles import joints_to_rotations
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES, PARENTS, checked_joints

Array = NDArray[np.float64]

# The joint at the far end of the link that a joint carries.
ENDS = {
    f'{side}_{joint}': f'{side}_{end}'
    for side in ('left', 'right')
    for joint, end in (
        *(('hip', 'knee'), ('knee', 'ankle'), ('ankle', 'foot')),
        *(('shoulder', 'elbow'), ('elbow', 'wrist')),
    )
}

# Of people, in the mean of motions that the shipped model draws (`python -m benchmarks.posture`):
# how far a foot that stands flat is pitched down from zero and the neck back from the chest [rad],
# and where the bone from collar to shoulder of the left side points in the chest's axes.
FLAT_FOOT = np.deg2rad(12.5)
UPRIGHT_NECK = np.deg2rad(-24.8)
COLLAR = (-0.167, 0.986, -0.026)


@dataclass(frozen=True)
class Human:
    """A motion in ROS's axes: X forward, Y left, Z up.

    joints (T, 22, 3) [m]; rotations (T, 22, 3, 3) of the links that the joints carry, the identity
    for a person who stands upright and faces X; fps frames per second.
    """

    joints: Array
    rotations: Array
    fps: float

    @classmethod
    def of(cls, joints: NDArray, fps: float) -> Human:
        """Take the model's joints (T, 22, 3) [m], Y up.

        Raises:
            MotionError: for a wrong shape, NaN or infinity.
        """
        model = checked_joints(joints).astype(np.float64)
        return cls(model[..., MODEL_TO_BODY], joints_to_rotations(model), float(fps))

    @property
    def size(self) -> float:
        """The length of the legs over those of the person of ``stand_place``."""
        bones = [f'{side}_{joint}' for side in ('left', 'right') for joint in ('hip', 'knee')]
        own = [np.linalg.norm(self.joint(ENDS[name]) - self.joint(name), axis=1) for name in bones]
        lengths = [np.linalg.norm(ZERO_OFFSETS[JOINT_INDEX[ENDS[name]]]) for name in bones]
        return float(np.median(own, axis=1).sum() / np.sum(lengths))

    def joint(self, name: str) -> Array:
        """Return a joint's places (T, 3) [m]."""
        return self.joints[:, JOINT_INDEX[name]]

    def rotation(self, name: str) -> Array:
        """Return the rotations (T, 3, 3) of the link that a joint carries."""
        return self.rotations[:, JOINT_INDEX[name]]

    def turned(self, name: str) -> Array:
        """Return the same (T, 3, 3), the identity for one who stands as people do."""
        return self.rotation(name) @ stand_rotation(name).T

    def in_place(self) -> Human:
        """Return the same without its way and its heading: the pelvis stays as high as it stands.

        That is what a robot can follow whose base is fixed.
        """
        back = Rotation.from_euler('z', -heading_and_tilt(self.rotation('pelvis'))[0]).as_matrix()
        joints = np.einsum('tij,tkj->tki', back, self.joints - self.joints[:, :1])
        joints[..., 2] -= stand_place('left_foot')[2]
        return Human(joints, back[:, None] @ self.rotations, self.fps)

    def bone(self, name: str) -> Array:
        """Return where the bone points that a joint of ``ENDS`` carries, (T, 3) of length 1."""
        bone = self.joint(ENDS[name]) - self.joint(name)
        return bone / np.maximum(np.linalg.norm(bone, axis=-1, keepdims=True), 1e-9)


def heading_and_tilt(rotations: Array) -> tuple[Array, Rotation]:
    """Return turns about the vertical (T, 1) [rad] (swing and twist), and what is left of each.

    So there is a heading also where the toes point down.
    """
    whole = Rotation.from_matrix(rotations)
    heading = np.unwrap(2.0 * np.arctan2(*whole.as_quat()[:, 2:].T))[:, None]
    return heading, Rotation.from_euler('z', -heading) * whole


def stand_rotation(name: str) -> Array:
    """Return how the link (3, 3) that a joint carries is turned of one who stands as people do.

    Links of the arms and the trunk, which bend and lean as they like, count as they are at zero.
    """
    kind = name.rpartition('_')[2]
    pitch = {'ankle': FLAT_FOOT, 'foot': FLAT_FOOT, 'neck': UPRIGHT_NECK, 'head': UPRIGHT_NECK}
    return np.asarray(Rotation.from_euler('y', pitch.get(kind, 0.0)).as_matrix())


def collar_rotation(side: str) -> Array:
    """Return how a collar's link (3, 3) is turned from the chest of the same person."""
    bone = np.array(COLLAR) * [1.0, 1.0 if side == 'left' else -1.0, 1.0]
    zero = ZERO_OFFSETS[JOINT_INDEX[f'{side}_shoulder']]
    return np.asarray(Rotation.align_vectors(bone, zero)[0].as_matrix())


def stand_bone(name: str) -> Array:
    """Return where the bone (3,) of length 1 of a joint of ``ENDS`` points of the same person."""
    offset = stand_rotation(name) @ ZERO_OFFSETS[JOINT_INDEX[ENDS[name]]]
    return np.asarray(offset / np.linalg.norm(offset))


def stand_place(name: str) -> Array:
    """Return a joint's place (3,) [m] from the pelvis of the same person."""
    index, place = JOINT_INDEX[name], np.zeros(3)
    while index > 0:
        carrier = JOINT_NAMES[PARENTS[index]]
        place = place + stand_rotation(carrier) @ ZERO_OFFSETS[index]
        index = PARENTS[index]
    return place
