# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The profile of ROS4HRI: the joints of a human as REP-155 names them."""

from __future__ import annotations

import numpy as np

from mgpt3_ros.body.profiles.angles import AngleProfile
from mgpt3_ros.body.profiles.base import whole_turns_near
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.model.kinematics.human import (
    ANGLE_LIMITS,
    ANGLE_NAMES,
    VELOCITY_LIMITS,
    axis_order,
)
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES


class Ros4hri(AngleProfile):
    """The 20 joints of REP-155, with the suffix ``_<body_id>``, axes as in human_description.

    It has one waist joint, and neither collars, wrists nor ankles: what the 63 joints say beyond
    that is lost. Its bound on speed is that of the human's fastest joint: human_description's own,
    0.5 rad/s, fits no one who walks. Elbows and knees bend as far as the human's; the other joints
    turn about axes in another order than the human's, whose limits say nothing of them. Where an
    arm hangs straight down, the first and third axis of its shoulder coincide.
    """

    def __init__(self, body_id: str) -> None:
        sides = [
            f'{side}_{part}'
            for side in 'lr'
            for part in (
                *('y_shoulder', 'p_shoulder', 'r_shoulder', 'elbow'),
                *('y_hip', 'p_hip', 'r_hip', 'knee'),
            )
        ]
        plain = ['waist', 'r_head', 'y_head', 'p_head', *sides]
        self.names: tuple[str, ...] = tuple(f'{name}_{body_id}' for name in plain)
        self.standing: Array = np.zeros(len(plain))
        self.velocity_limits: Array = np.full(len(plain), VELOCITY_LIMITS.max())
        self.position_limits: Array = np.tile([-np.inf, np.inf], (len(plain), 1))
        for row, name in enumerate(plain):
            part = name.split('_')[-1]
            if part in ('elbow', 'knee'):
                lower, upper = ANGLE_LIMITS[ANGLE_NAMES.index(f'left_{part}_y')]
                self.position_limits[row] = -upper, -lower

    def from_angles(self, angles: Array) -> Array:
        """Return the profile's joints (T, 20) [rad] of the human's angles (T, 63)."""
        local = _local_rotations(angles)
        trunk = local['spine1'] @ local['spine2'] @ local['spine3']
        waist = np.arctan2(trunk[:, 0, 2], trunk[:, 2, 2])
        chest = _about('y', -waist) @ trunk
        head = _euler(chest @ local['neck'] @ local['head'], 'xzy')
        columns = [waist, head[:, 0], head[:, 1], -head[:, 2]]
        for side, out in (('left', 1.0), ('right', -1.0)):
            shoulder = _arm(chest @ local[f'{side}_collar'] @ local[f'{side}_shoulder'], out)
            columns += [-out * shoulder[:, 0], out * shoulder[:, 1], out * shoulder[:, 2]]
            columns.append(_bend(local[f'{side}_elbow']))
            hip = _euler(local[f'{side}_hip'], 'zxy')
            columns += [-hip[:, 0], out * hip[:, 1], -hip[:, 2]]
            columns.append(_bend(local[f'{side}_knee']))
        return np.unwrap(np.stack(columns, axis=1), axis=0)

    def to_angles(self, positions: Array) -> Array:
        """Return angles (T, 63) [rad] of the joints (T, 20); what those do not hold is neutral."""
        waist, *head = positions[:, :4].T
        rotations = {
            'spine1': _about('y', waist),
            'neck': _about('x', head[0]) @ _about('z', head[1]) @ _about('y', -head[2]),
        }
        for side, out, first in (('left', 1.0, 4), ('right', -1.0, 12)):
            columns = positions[:, first : first + 8].T
            y_arm, p_arm, r_arm, elbow, y_hip, p_hip, r_hip, knee = columns
            rotations[f'{side}_shoulder'] = (
                _about('z', -out * y_arm) @ _about('x', out * p_arm) @ _about('z', out * r_arm)
            )
            rotations[f'{side}_elbow'] = _about('y', -elbow)
            rotations[f'{side}_hip'] = (
                _about('z', -y_hip) @ _about('x', out * p_hip) @ _about('y', -r_hip)
            )
            rotations[f'{side}_knee'] = _about('y', -knee)
        return _angles(rotations, len(positions))

    def near(self, positions: Array, goal: Array) -> Array:
        """Write the same poses (T, 20) by whole turns so that the first lies near ``goal``."""
        return whole_turns_near(positions, goal, self.position_limits)


def _local_rotations(angles: Array) -> dict[str, Array]:
    """Return each joint's rotation (T, 3, 3) in its parent, in body axes."""
    from mgpt3_ros.model.kinematics.euler import matrix_from_euler

    triples = angles.reshape(len(angles), -1, 3)
    return {
        joint: matrix_from_euler(triples[:, index], axis_order(joint))
        for index, joint in enumerate(JOINT_NAMES[1:])
    }


def _angles(rotations: dict[str, Array], frames: int) -> Array:
    """Return the human's angles (T, 63) of joint rotations (T, 3, 3); joints left out are zero."""
    from mgpt3_ros.model.kinematics.euler import continuous_euler

    angles = np.zeros((frames, len(JOINT_NAMES) - 1, 3))
    for joint, rotation in rotations.items():
        index = JOINT_NAMES.index(joint) - 1
        angles[:, index] = continuous_euler(rotation, axis_order(joint))
    return angles.reshape(frames, -1)


def _euler(rotation: Array, order: str) -> Array:
    """Return angles (T, 3) [rad] of rotations (T, 3, 3) in the order of the axes."""
    from mgpt3_ros.model.kinematics.euler import continuous_euler

    return continuous_euler(rotation, order)[:, ['xyz'.index(axis) for axis in order]]


def _bend(rotation: Array) -> Array:
    """Return how far (T,) [rad] a hanging limb's lower part is bent forward."""
    return np.arctan2(-rotation[:, 0, 2], rotation[:, 2, 2])


def _arm(rotation: Array, out: float) -> Array:
    """Return z-x-z angles (T, 3) [rad] of an upper arm whose x angle opens to the side ``out``.

    Where the arm hangs, x is near 0, only the sum of the outer angles is defined, and the first
    would spin with every tremor. So it is smoothed over time, each moment counting by how far the
    arm is open there; the others then come as close to the rotation as they can (0.3 degrees in
    the mean over mocap22).
    """
    from mgpt3_ros.model.kinematics.joint_angles import smooth_series

    # The upper arm seen from above: it points by the first angle, with the sine of x as length.
    seen = out * (-rotation[:, 1, 2] + 1j * rotation[:, 0, 2])
    weight = np.abs(seen) ** 2
    goal = np.abs(seen) * seen + _FORWARD
    first = np.angle(smooth_series(goal, weight + _FORWARD, _STIFFNESS))
    rest = _about('z', -first) @ rotation
    middle = np.arctan2(-rest[:, 1, 2], rest[:, 2, 2])
    rest = _about('x', -middle) @ rest
    last = np.arctan2(rest[:, 1, 0] - rest[:, 0, 1], rest[:, 0, 0] + rest[:, 1, 1])
    return np.stack([first, middle, last], axis=1)


_STIFFNESS = 0.03  # price of a step of the first angle's direction between frames
_FORWARD = 1e-4  # pull of the first angle to zero, for an arm that hangs all the time


def _about(axis: str, angle: Array) -> Array:
    """Return rotations (T, 3, 3) by ``angle`` (T,) [rad] about x, y or z."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_euler(axis, angle[:, None]).as_matrix())
