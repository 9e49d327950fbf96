# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A body's motion as knots in time, in ROS frames, and what the body does between them.

Plain arrays: ``mgpt3_ros.nodes.messages`` turns them into messages and back.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

import numpy as np

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.spline import hermite, locate, spline_velocities, start_slope

FARTHEST = 1e6  # [rad], [m] and their rates: no body is there, and sums beyond it overflow
_NEAREST_S = 0.03  # a knot that is nearer is no goal: a body could only jerk there


@dataclass(frozen=True)
class BodyState:
    """Where a body is and how it moves at one moment.

    positions, velocities: (J,) joint angles [rad] and their rates [rad/s].
    base_pos (3,) [m], base_rot (4,) xyzw: the pelvis in the world, Z up.
    base_lin (3,) [m/s], base_ang (3,) [rad/s]: its velocity, in world axes.
    """

    positions: Array
    velocities: Array
    base_pos: Array
    base_rot: Array
    base_lin: Array
    base_ang: Array

    def at_rest(self) -> BodyState:
        """Return the same place with all velocities zero."""
        still = np.zeros(3)
        return replace(
            self, velocities=np.zeros_like(self.velocities), base_lin=still, base_ang=still
        )

    def moving_as(self, other: BodyState, share: float) -> BodyState:
        """Return the same place with a share of the velocities of another state."""
        return replace(
            self,
            velocities=share * other.velocities,
            base_lin=share * other.base_lin,
            base_ang=share * other.base_ang,
        )


@dataclass(frozen=True)
class JointPath:
    """Joint angles through knots: ``times`` (T,) [s], ``positions``, ``velocities`` (T, J).

    Without velocities (None) the joints go straight from knot to knot.
    """

    times: Array
    positions: Array
    velocities: Array | None

    def sample(self, at: Array) -> tuple[Array, Array]:
        """Return positions and velocities (N, J) at times (N,); outside, the ends at rest."""
        at = np.asarray(at, dtype=np.float64)
        if len(self.times) == 1:
            positions = np.repeat(self.positions, len(at), axis=0)
            return positions, np.zeros_like(positions)
        index, step, share = locate(self.times, at)
        step, share = step[:, None], share[:, None]
        x0, x1 = self.positions[index], self.positions[index + 1]
        if self.velocities is None:
            positions, velocities = x0 + share * (x1 - x0), (x1 - x0) / step
        else:
            v0, v1 = self.velocities[index], self.velocities[index + 1]
            positions, velocities = hermite(x0, v0, x1, v1, step, share)
        return positions, velocities * _moving(self.times, at)


@dataclass(frozen=True)
class BasePath:
    """The pelvis through knots: ``times`` (T,) [s] and what :class:`BodyState` says of the base.

    pos (T, 3), rot (T, 4); lin, ang (T, 3) in world axes.
    """

    times: Array
    pos: Array
    rot: Array
    lin: Array
    ang: Array

    def sample(self, at: Array) -> tuple[Array, Array, Array, Array]:
        """Return pos, rot, lin, ang at times (N,); outside, the ends at rest."""
        at = np.asarray(at, dtype=np.float64)
        if len(self.times) == 1:
            still = np.zeros((len(at), 3))
            return np.repeat(self.pos, len(at), 0), np.repeat(self.rot, len(at), 0), still, still
        index, step, share = locate(self.times, at)
        step, share = step[:, None], share[:, None]
        pos, lin = hermite(
            self.pos[index], self.lin[index], self.pos[index + 1], self.lin[index + 1], step, share
        )
        # Seen from the knot before, the turn is small: its rotation vector follows a cubic too.
        before, after = self.rot[index], self.rot[index + 1]
        back = quat.inverse(before)
        turn, rate = hermite(
            np.zeros((len(at), 3)),
            quat.rotate(back, self.ang[index]),
            quat.log(quat.multiply(back, after)),
            quat.rotate(back, self.ang[index + 1]),
            step,
            share,
        )
        moving = _moving(self.times, at)
        rot = quat.multiply(before, quat.exp(turn))
        return pos, rot, lin * moving, quat.rotate(before, rate) * moving


@dataclass(frozen=True)
class BodyTrajectory:
    """A whole body's trajectory: joints by name, and the base, over the same knots.

    names: (J,) joint names. times: (T,) [s] after the moment of publishing, strictly increasing.
    start: the state at time 0, where it is known; the way from it to the first knot is a cubic.
    held: by name, the joints that are held at a limit, and how far they would go beyond [rad].
    """

    names: tuple[str, ...]
    joints: JointPath
    base: BasePath
    start: BodyState | None = None
    held: dict[str, float] = field(default_factory=dict)

    @classmethod
    def through(
        cls,
        names: tuple[str, ...],
        times: Array,
        positions: Array,
        base_pos: Array,
        base_rot: Array,
        first: BodyState | None = None,
        ends_at_rest: bool = True,
    ) -> BodyTrajectory:
        """Return the trajectory whose velocities are those of the spline through its knots.

        Args:
            names: (J,) of the joints.
            times: (T,) [s] of the knots.
            positions: (T, J) [rad].
            base_pos: (T, 3) [m].
            base_rot: (T, 4) xyzw, of either sign.
            first: has the first velocities; None for what the first knots tell.
            ends_at_rest: whether the last are zero; else they are what the last knots tell.
        """
        rot = quat.continuous(base_rot)
        values = np.concatenate([positions, base_pos, rot], axis=1)
        if first is None:
            start = start_slope(times, values)
        else:
            spin = 0.5 * quat.multiply(np.append(first.base_ang, 0.0), rot[0])
            start = np.concatenate([first.velocities, first.base_lin, spin])
        end = 0 * start if ends_at_rest else -start_slope(-times[::-1], values[::-1])
        velocities = spline_velocities(times, values, start, end)
        joints, lin, turns = np.split(velocities, [len(names), len(names) + 3], axis=1)
        return cls(
            names,
            JointPath(times, positions, joints),
            BasePath(times, base_pos, rot, lin, quat.angular_velocity(rot, turns)),
        )

    def without(self, knots: int) -> BodyTrajectory:
        """Return the same without its first ``knots``."""
        return replace(self, joints=later(self.joints, knots), base=later(self.base, knots))

    def after(self, elapsed_s: float) -> BodyTrajectory:
        """Return what of it is still to come at ``elapsed_s`` [s], which becomes time 0."""
        passed = int(np.searchsorted(self.times, elapsed_s + _NEAREST_S))
        rest = self.without(min(passed, len(self.times) - 1))
        times = np.maximum(rest.times - elapsed_s, _NEAREST_S)
        return replace(
            rest,
            joints=replace(rest.joints, times=times),
            base=replace(rest.base, times=times),
            start=None if self.start is None else self.state_at(elapsed_s),
        )

    @property
    def times(self) -> Array:
        """The knots' times (T,) [s] after publishing."""
        return self.joints.times

    @property
    def end_s(self) -> float:
        """When the trajectory ends, in seconds after publishing."""
        return float(self.joints.times[-1])

    def sample(self, at: Array) -> tuple[JointPath, BasePath]:
        """Return joints and base at times (N,) [s] after publishing, as paths over ``at``."""
        at = np.asarray(at, dtype=np.float64)
        joints, base = self._with_start()
        return JointPath(at, *joints.sample(at)), BasePath(at, *base.sample(at))

    def state_at(self, at: float) -> BodyState:
        """Return the body's state ``at`` seconds after publishing; after the end it rests."""
        joints, base = self.sample(np.array([at]))
        return BodyState(*(values[0] for values in (*_tracks(joints)[1:], *_tracks(base)[1:])))

    def _with_start(self) -> tuple[JointPath, BasePath]:
        start = self.start
        if start is None:
            return self.joints, self.base
        base = start.base_pos, start.base_rot, start.base_lin, start.base_ang
        return (
            led_by(self.joints, 0.0, start.positions, start.velocities),
            led_by(self.base, 0.0, *base),
        )


Path = TypeVar('Path', JointPath, BasePath)


def led_by(path: Path, at: float, *values: Array) -> Path:
    """Return ``path`` with a knot at ``at`` [s] before its first, of one value for each field."""
    times, *tracks = _tracks(path)
    longer: list[Any] = [
        track if track is None else np.concatenate([value[None], track])
        for value, track in zip(values, tracks, strict=True)
    ]
    return type(path)(np.concatenate([[at], times]), *longer)


def later(path: Path, knots: int) -> Path:
    """Return ``path`` without its first ``knots``."""
    rest: list[Any] = [track if track is None else track[knots:] for track in _tracks(path)]
    return type(path)(*rest)


def _tracks(path: JointPath | BasePath) -> list[Any]:
    return [getattr(path, part.name) for part in fields(path)]


def _moving(times: Array, at: Array) -> Array:
    """Return (N, 1): 1 inside the knots' span, 0 outside, where the ends are held."""
    return ((at >= times[0]) & (at <= times[-1])).astype(np.float64)[:, None]
