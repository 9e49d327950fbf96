# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion that is still being drawn, as trajectories that replace one another and end at rest.

Frames come a few at a time. They are joined to a path: where the body is at each *phase*, the time
of the motion as the model drew it. How fast the phase passes is decided anew with each piece: as
fast as it was drawn, but never so fast that a joint would pass its bounds, or that the body could
not stop, within the bounds, on the part of the path that is known. So each trajectory ends at
rest on poses of the motion itself, and the next one, which goes on from any moment of it, exists.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.body_trajectory import BasePath, BodyState, BodyTrajectory, JointPath
from mgpt3_ros.body.bounds import BLEND_SPEED, EASE_S, WORTH_TELLING, Timing, held_within
from mgpt3_ros.body.from_motion import BodyClip
from mgpt3_ros.body.path_rates import knot_steps, largest_rates, phase_grid
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.model.finishing.blending import inertialise
from mgpt3_ros.model.kinematics.skeleton import FPS

KEPT_FRAMES = 80  # of the past: more than a model of the stream form looks back
LATE_S = 0.05  # nearer to the first point than this it is too late to publish anything

_SPARE = 0.92  # of the bounds are used: what is tightened misses its goal by up to 8 %
_CLOSEST_S = 0.005  # of two knots of a message


@dataclass(frozen=True)
class _Knots:
    """When the path is where: times (N,) [s], phases (N,) [s] and their rates (N,)."""

    times: Array
    phases: Array
    rates: Array

    def until(self, count: int) -> _Knots:
        return _Knots(self.times[:count], self.phases[:count], self.rates[:count])


class StreamPlan:
    """The known part of an endless motion, and when the body is where on it.

    Frames are counted from 0, the pose from which it begins, at 20 per second; frame ``n`` has the
    phase ``n / 20``. Times are seconds by the caller's clock. Until the first piece is added there
    is no trajectory. A plan stays as it is: ``longer`` gives another.

    Args:
        pose: where the body is at first.
        clip: any of the body's clips: names, limits and branches of its joints.
        joints: (22, 3) [m], the pose in the model's frame.
        before: the same of one frame earlier, for a body that moves at first; None: it stands.

    Attributes:
        held: by name, how far joints that the last piece holds at a limit would go beyond [rad].
    """

    def __init__(
        self,
        pose: BodyState,
        clip: BodyClip,
        joints: Array,
        before: tuple[BodyState, Array] | None = None,
    ) -> None:
        self._clip = clip
        self._moves = before is not None
        states = [pose] if before is None else [before[0], pose]
        self._first = 1 - len(states)  # the frame of the first row that is kept
        # Rows of frames, as drawn. But at first, the path ends one frame before the last.
        self._positions = np.stack([state.positions for state in states])
        self._base_pos = np.stack([state.base_pos for state in states])
        self._base_rot = quat.continuous(np.stack([state.base_rot for state in states]))
        self._joints = np.stack([joints] if before is None else [before[1], joints])
        times = np.arange(self._first, 1) / FPS
        self._path = BodyTrajectory(
            clip.names,
            JointPath(
                times,
                np.clip(self._positions, *clip.limits.T),
                np.stack([state.velocities for state in states]),
            ),
            BasePath(
                times,
                self._base_pos,
                self._base_rot,
                np.stack([state.base_lin for state in states]),
                np.stack([state.base_ang for state in states]),
            ),
        )
        self._knots = _Knots(np.zeros(0), np.zeros(0), np.zeros(0))
        self._trajectory: BodyTrajectory | None = None
        self._changes_s = 0.0  # from then on it is another than before the last piece was added
        self.held: dict[str, float] = {}

    @property
    def last_frame(self) -> int:
        """The last frame that is known."""
        return self._first + len(self._positions) - 1

    @property
    def trajectory(self) -> BodyTrajectory:
        """All that is kept, past and to come; its times are the caller's clock."""
        assert self._trajectory is not None, 'nothing was added yet'
        return self._trajectory

    @property
    def end_s(self) -> float:
        """When the body will be at rest, should nothing be added."""
        return float(self._knots.times[-1])

    def ahead_s(self, now_s: float) -> float:
        """How much of the motion is known beyond ``now_s`` [s of phase]."""
        return float(self._path.times[-1]) - self.phase_at(now_s)

    def phase_at(self, at_s: float) -> float:
        """The phase at a time [s]."""
        return float(np.interp(at_s, self._knots.times, self._knots.phases))

    def slower(self, now_s: float, window_s: float = 2.0) -> float:
        """How many times slower than it was drawn the motion was in the last ``window_s`` [s]."""
        begin_s = max(float(self._knots.times[0]), now_s - window_s)
        phase = self.phase_at(now_s) - self.phase_at(begin_s)
        return (now_s - begin_s) / phase if phase > 0 else 1.0

    def time_of(self, frame: int) -> float:
        """When the body is at a frame, after the plan as it is [s]."""
        return float(np.interp(frame / FPS, self._knots.phases, self._knots.times))

    def history(self, frame: int) -> Array:
        """The model's joints (T, 22, 3) [m] of what is kept up to and with ``frame``; T >= 2."""
        kept = self._joints[: frame - self._first + 1]
        return kept if len(kept) > 1 else np.repeat(kept, 2, axis=0)  # it stood there

    def rows(self, frame: int) -> tuple[Array, Array, Array]:
        """The body's positions, base places and rotations of the same frames."""
        kept = slice(frame - self._first + 1)
        rows = self._positions[kept], self._base_pos[kept], self._base_rot[kept]
        if len(rows[0]) > 1:
            return rows
        positions, base_pos, base_rot = (np.repeat(row, 2, axis=0) for row in rows)
        return positions, base_pos, base_rot

    def joints_at(self, at_s: float) -> Array:
        """The model's joints (22, 3) [m] at a time, between frames in proportion."""
        row = self.phase_at(at_s) * FPS - self._first
        low = int(np.clip(np.floor(row), 0, len(self._joints) - 1))
        high = min(low + 1, len(self._joints) - 1)
        return self._joints[low] + (row - low) * (self._joints[high] - self._joints[low])

    def longer(
        self,
        frame: int,
        clip: BodyClip,
        joints: Array,
        timing: Timing,
        clock: Callable[[], float],
    ) -> StreamPlan | None:
        """The plan that goes on from ``frame`` with frames that were drawn for it.

        Args:
            frame: the last that stays; ``last_frame`` to drop none.
            clip: the last frames that stay, as the model was told of them, and the new ones.
            joints: (T, 22, 3) [m], the new ones in the model's frame.
            timing: until ``lead_in_s`` from now nothing is changed; before the first piece, that
                is when the body begins.
            clock: gives the time [s]. It is asked twice, since joining takes a while itself.

        Returns:
            None where it is too late to leave the path at ``frame``, or where the new way cannot
            be taken at the body's speed within the bounds.
        """
        now_s, plan = clock(), copy(self)
        if not plan._add(frame, clip, joints, timing, now_s):
            return None
        took_s = clock() - now_s
        if len(self._knots.times) == 0 and not self._moves:
            plan._wait(took_s)  # nobody knows of it yet
        elif took_s > timing.lead_in_s - LATE_S:
            return None
        return plan

    def _add(
        self, frame: int, clip: BodyClip, joints: Array, timing: Timing, now_s: float
    ) -> bool:
        timing = replace(
            timing,
            max_velocity=_SPARE * np.asarray(timing.max_velocity),
            max_acceleration=_SPARE * np.asarray(timing.max_acceleration),
        )
        fixed = min(frame, round(self._path.times[-1] * FPS))
        first = bool(len(self._knots.times) == 0)
        path, rows = self._longer(frame, fixed, clip, len(joints), timing.blend_s)
        if first:
            kept = _Knots(np.array([now_s + timing.lead_in_s]), np.zeros(1), np.ones(1))
        else:
            count = int(np.searchsorted(self._knots.times, now_s + timing.lead_in_s)) + 1
            if count > len(self._knots.times):
                return False
            kept = self._knots.until(count)
        if kept.phases[-1] > fixed / FPS + 1e-9:
            return False
        grid = phase_grid(float(kept.phases[-1]), float(path.times[-1]), timing)
        rates, reached = largest_rates(
            path.joints, grid, float(kept.rates[-1]), timing, free=first and not self._moves
        )
        if not reached and frame < self.last_frame:
            return False
        self._path, self.held = path, path.held
        self._positions, self._base_pos, self._base_rot = rows
        row = frame - self._first + 1
        self._joints = np.concatenate([self._joints[:row], joints])
        self._knots = _Knots(
            np.concatenate([kept.times, kept.times[-1] + np.cumsum(knot_steps(grid, rates))]),
            np.concatenate([kept.phases, grid[1:]]),
            np.concatenate([kept.rates[:-1], rates]),
        )
        self._changes_s = now_s + timing.lead_in_s
        self._forget(now_s)
        self._trajectory = self._timed()
        return True

    def _wait(self, wait_s: float) -> None:
        """Begin so much later."""
        self._knots = replace(self._knots, times=self._knots.times + wait_s)
        self._changes_s += wait_s
        self._trajectory = self._timed()

    def message(self, now_s: float) -> BodyTrajectory:
        """The trajectory to publish, with ``now_s`` as its time 0: the plan from its change on.

        Its first point lies on what was published before, so a controller that replaces the old
        trajectory when this one arrives does not leave the way.
        """
        plan = self.trajectory
        begins_s = max(now_s, self._changes_s, float(plan.times[0]))
        rest = int(np.searchsorted(plan.times, begins_s + _CLOSEST_S))
        times = np.concatenate([[begins_s], plan.times[rest:]])
        joints, base = plan.sample(times)
        assert joints.velocities is not None
        joints.velocities[-1] = base.lin[-1] = base.ang[-1] = 0.0
        return BodyTrajectory(
            plan.names,
            replace(joints, times=times - now_s),
            replace(base, times=times - now_s),
            start=plan.state_at(now_s),
            held=self.held,
        )

    def _longer(
        self, frame: int, fixed: int, clip: BodyClip, count: int, blend_s: float
    ) -> tuple[BodyTrajectory, list[Array]]:
        """The path with ``count`` frames of ``clip`` after ``frame``, and the rows of frames.

        The velocity at ``fixed`` stays as it is. That of the last frame is not known well before
        the one after it is: the path ends one frame earlier.
        """
        row = frame - self._first
        pair = [max(row - 1, 0), row]
        drawn = len(clip.positions) - count
        told = [0, 1]  # the same two frames, as the model knew of them
        here = self._positions[pair]
        # A joint that is held while it was drawn round and round goes on from where it is held.
        reached = np.clip(here, *self._clip.limits.T)
        here = np.where(np.abs(here - reached) > np.pi, reached, here)
        angles = clip.near(clip.positions[drawn - 2 :], here[0])
        base_pos, base_rot = clip.base_pos[drawn - 2 :], clip.base_rot[drawn - 2 :]
        tilts = quat.log(quat.multiply(self._base_rot[pair], quat.inverse(base_rot[told])))
        gaps = [here - angles[told], self._base_pos[pair] - base_pos[told], tilts]
        width = angles.shape[1]
        turns, ways, tilts = np.split(
            _fading(np.concatenate(gaps, axis=1), count + 1, blend_s), [width, width + 3], axis=1
        )
        new = (
            angles[1:] + turns,
            base_pos[1:] + ways,
            quat.multiply(quat.exp(tilts), base_rot[1:]),
        )
        old = (self._positions, self._base_pos, self._base_rot)
        begin = fixed - self._first
        rows = [np.concatenate([o[: row + 1], n[1:]]) for o, n in zip(old, new, strict=True)]
        within = np.clip(rows[0][begin:], *self._clip.limits.T)
        piece = BodyTrajectory.through(
            self._clip.names,
            np.arange(fixed, frame + count + 1) / FPS,
            within,
            rows[1][begin:],
            rows[2][begin:],
            self._path.state_at(fixed / FPS),
            ends_at_rest=False,
        )
        piece = held_within(piece, self._clip.limits, None, EASE_S)
        farthest = np.abs(rows[0][begin:] - within).max(axis=0)
        held = {
            n: float(f) for n, f in zip(piece.names, farthest, strict=True) if f > WORTH_TELLING
        }
        return _joined(self._path, begin, replace(piece, held=held)), rows

    def _forget(self, now_s: float) -> None:
        """Let frames go that are long past at ``now_s``, and the knots before those left."""
        drop = int(self.phase_at(now_s) * FPS) - KEPT_FRAMES - self._first
        if drop <= 0:
            return
        self._first += drop
        self._positions, self._joints = self._positions[drop:], self._joints[drop:]
        self._base_pos, self._base_rot = self._base_pos[drop:], self._base_rot[drop:]
        self._path = self._path.without(drop)
        old = int(np.searchsorted(self._knots.phases, self._path.times[0]))
        k = self._knots
        self._knots = _Knots(k.times[old:], k.phases[old:], k.rates[old:])

    def _timed(self) -> BodyTrajectory:
        """The path over time, through the knots."""
        knots = self._knots
        joints, base = self._path.sample(knots.phases)
        assert joints.velocities is not None
        rates = knots.rates[:, None]
        return BodyTrajectory(
            self._clip.names,
            JointPath(knots.times, joints.positions, joints.velocities * rates),
            BasePath(
                knots.times,
                base.pos,
                quat.continuous(base.rot),
                base.lin * rates,
                base.ang * rates,
            ),
        )


def _fading(gaps: Array, frames: int, blend_s: float) -> Array:
    """What is left of a gap over frames (T, D), given it at the frame before and now (2, D)."""
    # The quintic's steepest slope is 15/8 of its height over its duration.
    blend_s = max(blend_s, 1.875 * float(np.abs(gaps[1]).max()) / BLEND_SPEED)
    still = np.zeros((max(frames, int(blend_s * FPS) + 2), gaps.shape[1]))
    return inertialise(still, FPS, gaps[1], (gaps[1] - gaps[0]) * FPS, blend_s)[:frames]


def _joined(path: BodyTrajectory, knots: int, piece: BodyTrajectory) -> BodyTrajectory:
    """The first ``knots`` of a path, then a piece without its last knot."""
    joints, base, more, way = path.joints, path.base, piece.joints, piece.base
    assert joints.velocities is not None
    assert more.velocities is not None

    def both(one: Array, other: Array) -> Array:
        return np.concatenate([one[:knots], other[:-1]])

    return BodyTrajectory(
        path.names,
        JointPath(
            both(joints.times, more.times),
            both(joints.positions, more.positions),
            both(joints.velocities, more.velocities),
        ),
        BasePath(
            both(base.times, way.times),
            both(base.pos, way.pos),
            quat.continuous(both(base.rot, way.rot)),
            both(base.lin, way.lin),
            both(base.ang, way.ang),
        ),
        held=piece.held,
    )
