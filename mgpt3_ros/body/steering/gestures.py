# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the arms of a steered body do meanwhile: a drawn gesture, taken on and off smoothly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mgpt3_ros.body.commands.shaping import arm_angles
from mgpt3_ros.body.steering.gait import Array
from mgpt3_ros.model.kinematics.joint_angles import BodyAngles, angles_to_joints, joints_to_angles
from mgpt3_ros.model.kinematics.skeleton import FPS

_TAKES_S = 0.4


@dataclass(frozen=True)
class Gesture:
    """The arms of a drawn motion (T, 22, 3) [m], from frame ``begin`` of the steered body on.

    name: of the action, which says which arms move.
    """

    joints: Array
    name: str
    begin: int

    @property
    def end(self) -> int:
        """The frame after its last."""
        return self.begin + len(self.joints)


def gesturing(joints: Array, frame: int, gesture: Gesture) -> Array:
    """The motion (T, 22, 3) [m] from ``frame`` on, with the arms of a gesture while that lasts."""
    at = frame + np.arange(len(joints)) - gesture.begin
    within = (at >= 0) & (at < len(gesture.joints))
    if not within.any():
        return joints
    edge = np.minimum(at + 1, len(gesture.joints) - at) / (_TAKES_S * FPS)
    share = np.clip(edge, 0.0, 1.0)
    weight = (share * share * (3 - 2 * share))[:, None]
    body = joints_to_angles(joints)
    arms = joints_to_angles(gesture.joints)
    taken = arm_angles(gesture.name)
    other = arms.angles[np.clip(at, 0, len(gesture.joints) - 1)][:, taken]
    angles = body.angles.copy()
    angles[:, taken] += weight * (other - angles[:, taken])
    return np.asarray(angles_to_joints(BodyAngles(body.root_pos, body.root_rot, angles)))
