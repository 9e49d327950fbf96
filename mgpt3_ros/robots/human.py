# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The human that a robot follows: joints and link rotations in ROS's axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.kinematics.human import JOINT_INDEX, MODEL_TO_BODY, ZERO_OFFSETS
from mgpt3_ros.model.kinematics.joint_angles import joints_to_rotations
from mgpt3_ros.model.kinematics.skeleton import checked_joints

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
        """The length of the legs over those of the person of ``zero_place``."""
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

    def bone(self, name: str) -> Array:
        """Return where the bone points that a joint of ``ENDS`` carries, (T, 3) of length 1."""
        bone = self.joint(ENDS[name]) - self.joint(name)
        return bone / np.maximum(np.linalg.norm(bone, axis=-1, keepdims=True), 1e-9)


def zero_bone(name: str) -> Array:
    """Return the same (3,) of the person who stands with all angles zero."""
    offset = ZERO_OFFSETS[JOINT_INDEX[ENDS[name]]]
    return np.asarray(offset / np.linalg.norm(offset))


def zero_place(name: str) -> Array:
    """Return a joint's place (3,) [m] from the pelvis at zero."""
    from mgpt3_ros.model.kinematics.skeleton import PARENTS

    index, place = JOINT_INDEX[name], np.zeros(3)
    while index > 0:
        place = place + ZERO_OFFSETS[index]
        index = PARENTS[index]
    return place
