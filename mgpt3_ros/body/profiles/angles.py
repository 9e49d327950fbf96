# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the profiles share whose joints are the human's angles said in another way."""

from __future__ import annotations

import numpy as np

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.frames import (
    quaternions_to_model,
    quaternions_to_ros,
    vectors_to_model,
    vectors_to_ros,
)
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.model.kinematics.human import ZERO_OFFSETS
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES

# [m] of the pelvis above the floor of the person who stands with all angles zero.
STANDING_HEIGHT_M = -float(
    sum(
        ZERO_OFFSETS[JOINT_NAMES.index(f'left_{part}')][2]
        for part in ('hip', 'knee', 'ankle', 'foot')
    )
)


class AngleProfile:
    """A profile by the human's 63 angles: who derives from it says how they become its joints."""

    velocity_limits: Array
    standing_base: Array = np.array([0.0, 0.0, STANDING_HEIGHT_M, *quat.IDENTITY])

    def from_angles(self, angles: Array) -> Array:
        """Return the profile's joints (T, J) [rad] of the human's angles (T, 63)."""
        raise NotImplementedError

    def to_angles(self, positions: Array) -> Array:
        """Return the human's angles (T, 63) [rad] of the profile's joints (T, J)."""
        raise NotImplementedError

    def from_joints(
        self, joints: Array, fps: float, done: tuple[Array, Array, Array] | None = None
    ) -> tuple[Array, Array, Array]:
        """See :class:`JointProfile`; the angles have no spikes."""
        from mgpt3_ros.model.kinematics.joint_angles import joints_to_angles

        body = joints_to_angles(joints)
        positions = calm(self.from_angles(body.angles), fps, self.velocity_limits)
        return positions, vectors_to_ros(body.root_pos), quaternions_to_ros(body.root_rot)

    def to_joints(self, positions: Array, base_pos: Array, base_rot: Array) -> Array:
        """See :class:`JointProfile`."""
        from mgpt3_ros.model.kinematics.joint_angles import BodyAngles, angles_to_joints

        base = vectors_to_model(base_pos), quaternions_to_model(base_rot)
        return np.asarray(angles_to_joints(BodyAngles(*base, self.to_angles(positions))))


def calm(positions: Array, fps: float, limits: Array) -> Array:
    """Take the spikes out of joint angles: where one turns faster than it can, it is smoothed.

    Angles of limbs that are nearly straight, or near gimbal lock, can jump though the body hardly
    moves. Slowing the whole motion down for that would be wrong; only the jump is spread in time.

    Args:
        positions: (T, J) [rad] at ``fps``.
        fps: frames per second.
        limits: (J,) [rad/s].

    Returns:
        (T, J), the first and the last frame unchanged.
    """
    calmed = np.array(positions, dtype=np.float64)
    largest_step = _CALM_MARGIN * limits / fps
    for _ in range(_CALM_PASSES):
        too_fast = np.abs(np.diff(calmed, axis=0)) > largest_step
        if not too_fast.any():
            break
        # A frame is moved towards its neighbours if a step near it is too large.
        near = np.zeros_like(calmed, dtype=bool)
        for shift in range(-_CALM_REACH, _CALM_REACH + 1):
            rows = np.clip(np.arange(len(calmed)) + shift, 0, len(too_fast) - 1)
            near |= too_fast[rows]
        near[[0, -1]] = False
        bend = np.zeros_like(calmed)
        bend[1:-1] = calmed[:-2] - 2 * calmed[1:-1] + calmed[2:]
        calmed += 0.25 * near * bend
    return calmed


_CALM_PASSES = 100
_CALM_REACH = 3  # frames
_CALM_MARGIN = 0.8  # between two frames a spline is faster than the straight line
