# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a joint profile is: under which names, and with which axes, joints appear on topics."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from mgpt3_ros.body.quaternions import Array


class JointProfile(Protocol):
    """The joints of a kind of body, and their angles as those of the 63-joint human.

    names: (J,) as on topics. velocity_limits: (J,) [rad/s]. position_limits: (J, 2) [rad], lowest
    and highest, infinite where a joint has no bound.
    """

    names: tuple[str, ...]
    velocity_limits: Array
    position_limits: Array

    def from_angles(self, angles: Array) -> Array:
        """Return the profile's joints (T, J) [rad] of the human's angles (T, 63)."""
        ...

    def to_angles(self, positions: Array) -> Array:
        """Return the human's angles (T, 63) [rad] of the profile's joints (T, J)."""
        ...

    def near(self, positions: Array, goal: Array) -> Array:
        """Write the same poses (T, J) by other angles, so that the first lies near ``goal`` (J,).

        ``positions`` are continuous in time, and so is what is returned.
        """
        ...


def whole_turns_near(positions: Array, goal: Array) -> Array:
    """Move each column of ``positions`` (T, D) by whole turns so that it starts near ``goal``."""
    return positions + 2 * np.pi * np.round((goal - positions[0]) / (2 * np.pi))
