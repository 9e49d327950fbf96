# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A body that does what trajectories say: what a controller and a robot would do, without them.

As joint_trajectory_controller does, a new trajectory is followed from the present state: from it
to the first point that is still to come, on the cubic that has both velocities.
"""

from __future__ import annotations

import numpy as np

from mgpt3_ros.body.body_trajectory import BasePath, JointPath, Path, later, led_by
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.model.errors import MotionError


class JointPlayer:
    """Joints by name on their way through a trajectory; at first they stand at (J,) [rad]."""

    def __init__(self, names: tuple[str, ...], standing: Array | float = 0.0) -> None:
        still = np.zeros((1, len(names)))
        self.names = names
        self._path = JointPath(np.zeros(1), still + standing, still)
        self._start_s = 0.0

    def follow(
        self, names: tuple[str, ...], path: JointPath, start_s: float, now_s: float
    ) -> None:
        """Follow ``path``, whose time 0 is ``start_s``, from the state at ``now_s``.

        Joints that were not known before stand at the first point.

        Raises:
            MotionError: the trajectory has ended already.
        """
        ahead = _ahead(path, now_s - start_s)
        positions, velocities = self.sample(now_s)
        column = {name: index for index, name in enumerate(self.names)}
        here, rates = ahead.positions[0].copy(), np.zeros(len(names))
        for index, name in enumerate(names):
            if name in column:
                here[index], rates[index] = positions[column[name]], velocities[column[name]]
        self.names = names
        self._start_s = start_s
        self._path = led_by(ahead, now_s - start_s, here, rates)

    def stay(self, at_s: float) -> None:
        """Stand from now on as the joints were at ``at_s``, whatever the clock does."""
        positions = self.sample(at_s)[0][None]
        self._path = JointPath(np.zeros(1), positions, np.zeros_like(positions))

    def sample(self, now_s: float) -> tuple[Array, Array]:
        """Return positions and velocities (J,) at ``now_s``."""
        positions, velocities = self._path.sample(np.array([now_s - self._start_s]))
        return positions[0], velocities[0]


class BasePlayer:
    """The base on its way through a trajectory; at first it is at a pose (7,), place and xyzw."""

    def __init__(self, standing: Array) -> None:
        still = np.zeros((1, 3))
        self._path = BasePath(np.zeros(1), standing[None, :3], standing[None, 3:], still, still)
        self._start_s = 0.0

    def follow(self, path: BasePath, start_s: float, now_s: float) -> None:
        """Follow ``path``, whose time 0 is ``start_s``, from the state at ``now_s``.

        Raises:
            MotionError: the trajectory has ended already.
        """
        ahead = _ahead(path, now_s - start_s)
        here = self.sample(now_s)
        self._start_s = start_s
        self._path = led_by(ahead, now_s - start_s, *here)

    def stay(self, at_s: float) -> None:
        """Stand from now on where the base was at ``at_s``, whatever the clock does."""
        pos, rot, lin, _ = self.sample(at_s)
        still = np.zeros_like(lin)[None]
        self._path = BasePath(np.zeros(1), pos[None], rot[None], still, still)

    def sample(self, now_s: float) -> tuple[Array, Array, Array, Array]:
        """Return pos (3,), rot (4,), lin (3,) and ang (3,) at ``now_s``, in world axes."""
        parts = self._path.sample(np.array([now_s - self._start_s]))
        return parts[0][0], parts[1][0], parts[2][0], parts[3][0]


def _ahead(path: Path, elapsed_s: float) -> Path:
    """Return the points of ``path`` that are still to come."""
    first = int(np.searchsorted(path.times, elapsed_s, side='right'))
    if first == len(path.times):
        raise MotionError(f'the trajectory ended {elapsed_s - path.times[-1]:.2f} s ago')
    return later(path, first)
