# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a body is and what it did in the last seconds, from its joint states and odometry.

Joint states come in any order of names, at any rate, with jitter, gaps and faults: here are the
rules of what is taken of them, the same for every node and for bags. Plain arrays: stamps are
nanoseconds, nothing here knows ROS.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.body_trajectory import FARTHEST, BodyState
from mgpt3_ros.body.profiles import JointProfile
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.window import Window
from mgpt3_ros.model.errors import MotionError

_CLOSEST_NS = 4_000_000  # of a sample to the last but one: 500 a second are kept
_RATE_SAMPLES = 50
_SMOOTHING = 0.05  # share of a stamp's jitter that moves the even clock of a stated rate
# How far odometry may be from the joint states, and its samples from each other, to be used: one
# a second is interpolated.
REACH_S = 1.5
_SHORTEST_S = 1e-4  # between two positions that tell a velocity


def _are_near(values: Sequence[float] | Array) -> bool:
    """Whether all are numbers, and none is beyond all bodies; of a few, without NumPy."""
    return all(-FARTHEST < value < FARTHEST for value in values)


class UnusableError(MotionError):
    """A sample that was dropped; ``kind`` says why in a word, the message in a line."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Limits:
    """What a buffer keeps and accepts; see the parameters of the same names."""

    window_s: float = 6.0
    max_gap_s: float = 0.5
    min_joint_coverage: float = 0.6
    input_rate_hz: float = 0.0


class JointNames:
    """Where the joints of a profile stand in messages; looked up anew only for new names.

    flip_flops: how often the names went back to those before: two publishers on one topic.
    """

    def __init__(self, wanted: tuple[str, ...]) -> None:
        self.wanted = wanted
        self.names: list[str] = []
        self.flip_flops = 0
        self._before: list[str] = []
        self._fault = ''
        self.rows = self.columns = np.zeros(0, dtype=np.intp)

    def read(self, names: Sequence[str]) -> None:
        """Look at the names of a message.

        Raises:
            UnusableError: a name comes twice.
        """
        if names != self.names:
            names = list(names)
            self.flip_flops += names == self._before
            self._before, self.names = self.names, names
            column = {name: index for index, name in enumerate(names)}
            self._fault = 'a joint is named twice' if len(column) != len(names) else ''
            known = [(row, column[n]) for row, n in enumerate(self.wanted) if n in column]
            self.rows = np.array([pair[0] for pair in known], dtype=np.intp)
            self.columns = np.array([pair[1] for pair in known], dtype=np.intp)
        if self._fault:
            raise UnusableError('names', self._fault)

    @property
    def coverage(self) -> float:
        """The share of the profile's joints that the last message has."""
        return len(self.rows) / len(self.wanted)


class MotionBuffer:
    """The last seconds of one body.

    Attributes:
        accepted: joint states that were taken.
        dropped: samples that were not, by the ``kind`` of their :class:`UnusableError`.
        gaps: pauses of the joint states longer than ``max_gap_s``, after which the buffer began
            anew.
        jumps: times that their stamps went back by more than that, with the same effect.
        bad_in_a_row: joint states that were dropped since the last good one, other than those of
            other bodies (too few known names).
        without_velocity: samples whose velocities were given, but not all as numbers.
        names: where the profile's joints stand in messages.
        heard_odometry: whether any was heard, usable or not, since the last ``clear``.
    """

    def __init__(self, profile: JointProfile, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.accepted = self.gaps = self.jumps = self.bad_in_a_row = self.without_velocity = 0
        self.dropped: Counter[str] = Counter()
        self.names = JointNames(profile.names)
        self._standing = profile.standing_base
        self._joints: deque[tuple[int, Array]] = deque()
        self._base: deque[tuple[int, Array]] = deque()
        self._recent: deque[int] = deque(maxlen=_RATE_SAMPLES)
        self.clear()

    @property
    def limits(self) -> Limits:
        """What is kept and accepted; may be replaced at any time."""
        return self._limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._limits = limits
        self._gap_ns = round(limits.max_gap_s * 1e9)
        self._reach_ns = max(self._gap_ns, round(REACH_S * 1e9))

    @property
    def stamp_ns(self) -> int:
        """The stamp of the newest joint state; 0 without one."""
        return self._joints[-1][0] if self._joints else 0

    @property
    def rate_hz(self) -> float:
        """The measured rate of the joint states [1/s]; 0 while it is unknown."""
        if len(self._recent) < 2:
            return 0.0
        return (len(self._recent) - 1) / ((self._recent[-1] - self._recent[0]) * 1e-9)

    @property
    def uses_odometry(self) -> bool:
        """Whether odometry lies where the joint states do, so that a window has it."""
        # One sample says nothing yet; a base that is silent for long has gone.
        return (
            len(self._base) > 1
            and self._base[0][0] < self.stamp_ns
            and self._base[-1][0] >= self.stamp_ns - self._reach_ns
        )

    def clear(self) -> None:
        """Forget what was observed; the counts stay."""
        self._begin_anew()
        self.heard_odometry = False
        self._newest: tuple[Array, Array] | None = None  # positions, velocities (J,)
        self._newest_base: Array | None = None  # place, orientation, and twist in its axes (13,)

    def hear_joints(
        self,
        names: Sequence[str],
        positions: Sequence[float] | Array,
        stamp_ns: int,
        velocities: Sequence[float] | Array = (),
    ) -> None:
        """Take a joint state; joints of the profile that it does not name count as zero.

        Args:
            names: in any order, others among them.
            positions: [rad], as many.
            stamp_ns: when they were measured.
            velocities: [rad/s], as many or none; what is no number there follows from the
                positions before.

        Raises:
            UnusableError: it was dropped and counted.
        """
        try:
            row = self._read(names, positions)
            stamp_ns = self._even(stamp_ns)
            step = self._step(self._joints, stamp_ns)
        except UnusableError as error:
            self.dropped[error.kind] += 1
            self.bad_in_a_row += error.kind != 'coverage'
            raise
        if abs(step) > self._gap_ns:
            self.gaps += step > 0
            self.jumps += step < 0
            self._begin_anew()
        self.accepted += 1
        self.bad_in_a_row = 0
        self._newest = row, self._velocities(len(names), velocities, row, stamp_ns)
        self._recent.append(stamp_ns)
        self._keep(self._joints, stamp_ns, row)

    def hear_base(
        self,
        pos: Sequence[float] | Array,
        rot: Sequence[float] | Array,
        stamp_ns: int,
        twist: Sequence[float] | Array = (0.0,) * 6,
    ) -> None:
        """Take the pelvis' place (3,) [m] and orientation (4,) xyzw in the world, Z up.

        ``twist`` (6,) is its velocity [m/s] and turn [rad/s], both in its own axes.

        Raises:
            UnusableError: it was dropped and counted.
        """
        try:
            x, y, z, w = rot
            length = math.sqrt(x * x + y * y + z * z + w * w)
            if not _are_near((*pos, *rot)) or length < 1e-6:
                raise UnusableError('base', 'odometry is not finite, or has no orientation')
            pose = np.array([*pos, x / length, y / length, z / length, w / length])
            self.heard_odometry = True
            step = self._step(self._base, stamp_ns)
            away = stamp_ns - self.stamp_ns
            if self._joints and abs(away) > self._reach_ns:
                apart = f'its stamp is {1e-9 * away:+.1f} s from that of the newest joint state'
                raise UnusableError('apart', apart)
        except UnusableError as error:
            self.dropped[error.kind] += 1
            raise
        if not _are_near(twist):
            twist = (0.0,) * 6
            self.without_velocity += 1
        self._newest_base = np.array([*pose, *twist])
        if abs(step) > self._reach_ns:
            self._base.clear()
        self._keep(self._base, stamp_ns, pose)

    def window(self) -> Window | None:
        """Return what was observed in the last ``window_s``; None where that is nothing.

        With odometry the window covers the time in which joints and base were both heard.
        """
        if len(self._joints) < 2:
            return None
        start, stop = self._joints[0][0], self._joints[-1][0]
        base = list(self._base) if self.uses_odometry else []
        if base:
            start, stop = max(start, base[0][0]), min(stop, base[-1][0])
        if stop <= start:
            return None
        start = max(start, stop - round(self.limits.window_s * 1e9))
        return Window(start, stop, list(self._joints), base, self._standing)

    def state(self, base: BodyState | None = None) -> BodyState | None:
        """Return where the body was when it was last heard; None without a joint state.

        ``base`` gives the pelvis where no odometry was heard; without it, that is at the origin,
        as high as of one who stands.
        """
        if self._newest is None:
            return None
        positions, velocities = self._newest
        still = np.zeros(3)
        if self._newest_base is not None:
            pos, rot, lin, ang = np.split(self._newest_base, [3, 7, 10])
            lin, ang = quat.rotate(rot, lin), quat.rotate(rot, ang)
        elif base is not None:
            pos, rot, lin, ang = base.base_pos, base.base_rot, base.base_lin, base.base_ang
        else:
            pos, rot, lin, ang = self._standing[:3], self._standing[3:], still, still
        return BodyState(positions, velocities, pos, rot, lin, ang)

    def _begin_anew(self) -> None:
        self._joints.clear()
        self._base.clear()
        self._recent.clear()

    def _read(self, names: Sequence[str], positions: Sequence[float] | Array) -> Array:
        """Return the profile's joints (J,) of a message, or raise."""
        if len(names) != len(positions):
            raise UnusableError('lengths', f'{len(names)} names for {len(positions)} positions')
        self.names.read(names)
        if self.names.coverage < self.limits.min_joint_coverage or not len(self.names.rows):
            raise UnusableError(
                'coverage',
                f'it names {self.names.coverage:.0%} of the joints of the profile, '
                f'min_joint_coverage asks for {self.limits.min_joint_coverage:.0%}',
            )
        known = np.asarray(positions, dtype=np.float64)[self.names.columns]
        if not (np.abs(known) < FARTHEST).all():
            raise UnusableError('number', 'a joint is not finite, or beyond all angles')
        row = np.zeros(len(self.names.wanted))
        row[self.names.rows] = known
        return row

    def _velocities(
        self, width: int, given: Sequence[float] | Array, row: Array, stamp_ns: int
    ) -> Array:
        """Return the velocities (J,) [rad/s] of ``row``: as given, where those are numbers."""
        if len(given) == width and len(self.names.rows) == len(row):
            rates = np.zeros(len(row))
            rates[self.names.rows] = np.asarray(given, dtype=np.float64)[self.names.columns]
            if (np.abs(rates) < FARTHEST).all():
                return rates  # as told, all of them
        rates = np.zeros(len(row))
        if self._joints and stamp_ns - self.stamp_ns > _SHORTEST_S * 1e9:
            turn = row - self._joints[-1][1]
            turn -= 2 * np.pi * np.round(turn / (2 * np.pi))
            rates = turn / (1e-9 * (stamp_ns - self.stamp_ns))
        if not len(given):
            return rates
        known, usable = np.zeros(0), np.zeros(len(self.names.rows), dtype=bool)
        if len(given) == width:
            known = np.asarray(given, dtype=np.float64)[self.names.columns]
            usable = np.abs(known) < FARTHEST
            rates[self.names.rows[usable]] = known[usable]
        self.without_velocity += not usable.all()
        return rates

    def _even(self, stamp_ns: int) -> int:
        """Return the stamp; where the rate is stated, evened out around it."""
        rate = self.limits.input_rate_hz
        if rate <= 0 or not self._recent:
            return stamp_ns
        expected = self._recent[-1] + round(1e9 / rate)
        late = stamp_ns - expected
        return stamp_ns if abs(late) > self._gap_ns else expected + round(_SMOOTHING * late)

    def _step(self, samples: deque[tuple[int, Array]], stamp_ns: int) -> int:
        """Return the time since the last sample [ns], 0 if there is none; negative for a jump.

        Raises:
            UnusableError: it is older than the last one, or as old, and that by no jump; or its
                stamp is negative.
        """
        if stamp_ns < 0:
            raise UnusableError('stamp', 'its stamp is negative')
        if not samples:
            return 0
        step = stamp_ns - samples[-1][0]
        if -self._gap_ns <= step <= 0:
            raise UnusableError('old', 'it is not newer than the one before')
        return step

    def _keep(self, samples: deque[tuple[int, Array]], stamp_ns: int, row: Array) -> None:
        """Add a sample and let those go that no window reaches; at most 500 a second stay."""
        if len(samples) > 1 and stamp_ns - samples[-2][0] < _CLOSEST_NS:
            samples.pop()
        samples.append((stamp_ns, row))
        # One sample before the window, to interpolate from; the base may lag.
        oldest = stamp_ns - round(self.limits.window_s * 1e9) - self._reach_ns
        while len(samples) > 1 and samples[1][0] <= oldest:
            samples.popleft()
