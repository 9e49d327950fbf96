# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for joint_trajectory_controller: follows what it hears, and judges each message."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from trajectory_msgs.msg import JointTrajectory

from mgpt3_ros.body.body_trajectory import JointPath, later, led_by
from mgpt3_ros.body.player import JointPlayer
from mgpt3_ros.body.profiles import JointProfile
from mgpt3_ros.body.profiles.base import beyond
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.spline import extreme_rates
from mgpt3_ros.nodes.messages import joint_path

_TRANSPORT_S = 0.08  # a message may take longer than the one before it, on a busy machine
_SEEN, _SEEN_S = 25, 0.15  # joint states back, and for how long a joint that was seen went on


@dataclass
class Controller:
    """Follows trajectories from its state when they arrive; all judged along the whole cubics.

    velocity: (J,) bounds [rad/s], or one. acceleration: bound [rad/s^2].

    Attributes:
        used: of each message the largest speed, acceleration, the same on the way to its first
            point, and how far [rad] it goes beyond a position limit; the first two as shares.
        gaps: of each but the first, how far its first point is from the way that was published
            before: the farthest joint [rad], and the largest difference of a velocity [rad/s].
            A joint that was seen to be elsewhere may as well go on from there.
        restless: messages that do not end at rest.
    """

    profile: JointProfile
    velocity: Array | float = np.inf
    acceleration: float = np.inf
    used: list[tuple[float, ...]] = field(default_factory=list)
    gaps: list[tuple[float, float]] = field(default_factory=list)
    restless: int = 0
    _seen: deque[tuple[Array, Array]] = field(default_factory=lambda: deque(maxlen=_SEEN))
    _body: JointPlayer = field(default_factory=lambda: JointPlayer(()))
    _path: JointPath | None = None
    _begun_s: float = 0.0

    def follow(
        self, message: JointTrajectory, heard_s: float, begun_s: float | None = None
    ) -> None:
        """Judge a trajectory that arrived at ``heard_s``, and follow it.

        Its stamp says that it began at ``begun_s``; None: it has no stamp.
        """
        begun_s = heard_s if begun_s is None else begun_s
        path = joint_path(message)
        assert path.velocities is not None
        self.restless += bool(np.any(path.velocities[-1]))
        positions, _ = path.sample(np.arange(path.times[0], path.times[-1], 0.005))
        far = float(beyond(positions, self.profile.position_limits).max())
        shares = [*self._shares(path)]
        if self._path is not None:
            here, rates = self._body.sample(heard_s)
            ahead = later(path, int(np.searchsorted(path.times, heard_s - begun_s, 'right')))
            way = led_by(ahead, heard_s - begun_s, here, rates)
            assert way.velocities is not None
            shares += self._shares(JointPath(way.times[:2], way.positions[:2], way.velocities[:2]))
            self.gaps.append(self._gap(path, begun_s))
        else:
            shares += [0.0, 0.0]
        self.used.append((*shares, far))
        self._body.follow(tuple(message.joint_names), path, begun_s, heard_s)
        self._path, self._begun_s = path, begun_s

    def see(self, positions: Array, velocities: Array) -> None:
        """Take a joint state (J,) of the body that the node sees, which may be another one."""
        self._seen.append((positions, velocities))

    def sample(self, at_s: float) -> tuple[Array, Array]:
        """Positions and velocities (J,) at a time."""
        return self._body.sample(at_s)

    def _gap(self, path: JointPath, begun_s: float) -> tuple[float, float]:
        """How far the first point is from the old way, were that left alone, in pose and speed.

        Messages take their time: the old way is looked at for a moment before and after.
        """
        assert path.velocities is not None
        first, found = path.positions[0], []
        off = np.full(len(first), np.inf)
        for positions, velocities in self._seen:
            reached = np.sort(np.stack([positions, positions + _SEEN_S * velocities]), axis=0)
            off = np.minimum(off, np.abs(first - np.clip(first, *reached)))
        for shift_s in np.arange(-_TRANSPORT_S, _TRANSPORT_S, 0.001):
            there, speed = self._body.sample(begun_s + float(path.times[0]) + shift_s)
            far = np.minimum(np.abs(there - first), off).max()
            found.append((float(far), float(np.abs(speed - path.velocities[0]).max())))
        return min(found)

    @property
    def end_s(self) -> float:
        """When the last trajectory ends."""
        return self._begun_s + (float(self._path.times[-1]) if self._path is not None else 0.0)

    def _shares(self, path: JointPath) -> tuple[float, float]:
        assert path.velocities is not None
        speed, acceleration = extreme_rates(path.times, path.positions, path.velocities)
        return float((speed / self.velocity).max()), float(
            (acceleration / self.acceleration).max()
        )
