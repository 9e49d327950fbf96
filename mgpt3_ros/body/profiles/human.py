# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The profile of urdf/human.urdf: all 63 angles of the human."""

from __future__ import annotations

import numpy as np

from mgpt3_ros.body.profiles.angles import AngleProfile
from mgpt3_ros.body.profiles.base import distance, whole_turns_near
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.model.kinematics.human import (
    ANGLE_LIMITS,
    ANGLE_NAMES,
    ORDERS,
    VELOCITY_LIMITS,
)


class HumanFull(AngleProfile):
    """The 63 joints of urdf/human.urdf: ``<joint>_x|_y|_z`` for 21 ball joints."""

    names: tuple[str, ...] = ANGLE_NAMES
    velocity_limits: Array = VELOCITY_LIMITS  # as in the URDF
    position_limits: Array = ANGLE_LIMITS
    standing: Array = np.zeros(len(ANGLE_NAMES))

    def from_angles(self, angles: Array) -> Array:
        """Return the profile's joints (T, 63) [rad] of the human's angles (T, 63)."""
        return angles

    def to_angles(self, positions: Array) -> Array:
        """Return the human's angles (T, 63) [rad] of the profile's joints (T, 63)."""
        return positions

    def near(self, positions: Array, goal: Array) -> Array:
        """Write the same poses so that the first lies as near as can be to ``goal``.

        Each ball joint's rotation has two triples of angles, and each angle whole turns; where the
        nearest lead beyond the limits, others are taken.

        Args:
            positions: (T, 63) [rad], continuous.
            goal: (63,) [rad].
        """
        from mgpt3_ros.model.kinematics.euler import other_triple

        triples = positions.reshape(len(positions), -1, 3)
        others, limits = np.empty_like(triples), self.position_limits
        for order, members in ORDERS.items():
            others[:, members] = other_triple(triples[:, members], order)
        one, other = (
            whole_turns_near(branch.reshape(positions.shape), goal, limits)
            for branch in (triples, others)
        )
        costs = [distance(each, goal, limits).reshape(-1, 3).sum(axis=1) for each in (one, other)]
        return np.where(np.repeat(costs[1] < costs[0], 3), other, one)
