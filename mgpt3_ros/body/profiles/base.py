# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a joint profile is: under which names, and with which axes, joints appear on topics."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from mgpt3_ros.body.quaternions import Array

UNLIMITED = np.array([[-np.inf, np.inf]])  # of any number of joints


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


def beyond(positions: Array, limits: Array) -> Array:
    """Return how far (..., J) [rad] positions (..., J) lie beyond limits (J, 2); 0 within."""
    return np.maximum(np.maximum(limits[:, 0] - positions, positions - limits[:, 1]), 0.0)


def distance(positions: Array, goal: Array, limits: Array) -> Array:
    """Return what it costs (J,) [rad^2] to begin ``positions`` (T, J) from ``goal`` (J,).

    ``(x_0 - goal)^2 + max_t beyond(x_t)^2``: the way to the first, and what would be cut off.
    """
    return np.square(positions[0] - goal) + np.square(beyond(positions, limits).max(axis=0))


def whole_turns_near(positions: Array, goal: Array, limits: Array = UNLIMITED) -> Array:
    """Move each column of positions (T, J) by whole turns so that it starts near ``goal`` (J,).

    A column goes the longer way where the shorter one leads beyond its limits (J, 2).
    """
    turns = np.round((goal - positions[0]) / (2 * np.pi))
    choices = np.stack([positions + 2 * np.pi * (turns + more) for more in (0, -1, 1)])
    costs = [distance(choice, goal, limits) for choice in choices]
    return choices[np.argmin(costs, axis=0), :, np.arange(len(goal))].T
