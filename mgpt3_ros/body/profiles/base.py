# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a joint profile is: under which names, and with which axes, joints appear on topics."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from mgpt3_ros.body.quaternions import Array

UNLIMITED = np.array([[-np.inf, np.inf]])  # of any number of joints


class JointProfile(Protocol):
    """The joints of a kind of body, and its motion as the model's.

    names: (J,) as on topics. velocity_limits: (J,) [rad/s]. position_limits: (J, 2) [rad], lowest
    and highest, infinite where a joint has no bound. standing: (J,) [rad], upright. standing_base:
    (7,) place [m] and orientation xyzw of the base that stands at the origin and faces X.
    """

    names: tuple[str, ...]
    velocity_limits: Array
    position_limits: Array
    standing: Array
    standing_base: Array

    def from_joints(
        self, joints: Array, fps: float, done: tuple[Array, Array, Array] | None = None
    ) -> tuple[Array, Array, Array]:
        """Return positions (T, J) [rad], base places (T, 3) [m] and rotations (T, 4) xyzw.

        In ROS's frames, of the model's joints (T, 22, 3) [m], Y up. ``done`` has the same of the
        first frames, which lie behind: a body whose joints do not follow from each frame alone
        goes on from there.
        """
        ...

    def to_joints(self, positions: Array, base_pos: Array, base_rot: Array) -> Array:
        """Return the model's joints (T, 22, 3) [m], Y up, of what ``from_joints`` returns."""
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
