# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a body did in the last seconds, gathered from joint states and odometry as they come.

Joint states come in any order of names, at any rate, with jitter, gaps and faults; the model wants
22 joints at 20 frames per second. Plain numpy: stamps are nanoseconds, nothing here knows ROS.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.body_trajectory import FARTHEST
from mgpt3_ros.body.frames import quaternions_to_model, vectors_to_model
from mgpt3_ros.body.profiles import STANDING_HEIGHT_M, JointProfile
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.spline import locate
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.kinematics.skeleton import FPS

if TYPE_CHECKING:
    from mgpt3_ros.model.motion import Motion

_CLOSEST_NS = 4_000_000  # of a sample to the last but one: 500 a second are kept
_RATE_SAMPLES = 50
_SMOOTHING = 0.05  # share of a stamp's jitter that moves the even clock of a stated rate
_STANDING = np.array([0.0, 0.0, STANDING_HEIGHT_M])


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


@dataclass(frozen=True)
class Observed:
    """A body at 20 frames per second, in ROS frames, up to ``stamp_ns``.

    positions (T, J) [rad], continuous; base_pos (T, 3) [m]; base_rot (T, 4) xyzw; T >= 2.
    """

    stamp_ns: int
    positions: Array
    base_pos: Array
    base_rot: Array
    has_base: bool

    def motion(self, profile: JointProfile) -> Motion:
        """Return the motion in the model's frame."""
        from mgpt3_ros.model.kinematics.joint_angles import BodyAngles, angles_to_joints
        from mgpt3_ros.model.motion import Motion

        body = BodyAngles(
            vectors_to_model(self.base_pos),
            quaternions_to_model(self.base_rot),
            profile.to_angles(self.positions),
        )
        joints = angles_to_joints(body).astype(np.float32)
        return Motion(joints, FPS, {'stamp_ns': self.stamp_ns, 'has_base': self.has_base})


@dataclass(frozen=True)
class Window:
    """Samples as they came, between ``start_ns`` and ``stop_ns``; cheap to take from a buffer.

    joints: (stamp [ns], positions (J,)). base: (stamp [ns], pose (7,)); empty where unknown.
    """

    start_ns: int
    stop_ns: int
    joints: list[tuple[int, Array]]
    base: list[tuple[int, Array]]

    @property
    def duration_s(self) -> float:
        """The time that was observed [s]."""
        return (self.stop_ns - self.start_ns) * 1e-9

    def resampled(self) -> Observed:
        """Sample joints and base at 20 frames per second, the last frame at ``stop_ns``.

        Raises:
            MotionError: less than two frames were observed.
        """
        frames = int(self.duration_s * FPS + 1e-6) + 1
        if frames < 2 or len(self.joints) < 2:
            raise MotionError(f'only {self.duration_s:.2f} s of motion were observed')
        at = -np.arange(frames)[::-1] / FPS
        positions = np.unwrap(np.array([row for _, row in self.joints]), axis=0)
        index, _, share = locate(self._times(self.joints), at)
        share = share[:, None]
        positions = positions[index] * (1 - share) + positions[index + 1] * share
        return Observed(self.stop_ns, positions, *self._base(at), has_base=bool(self.base))

    def _base(self, at: Array) -> tuple[Array, Array]:
        """Return place (T, 3) and orientation (T, 4); upright at rest where they are unknown."""
        if not self.base:
            return np.tile(_STANDING, (len(at), 1)), np.tile(quat.IDENTITY, (len(at), 1))
        poses = np.array([row for _, row in self.base])
        index, _, share = locate(self._times(self.base), at)
        share = share[:, None]
        pos = poses[index, :3] * (1 - share) + poses[index + 1, :3] * share
        rot = quat.continuous(poses[:, 3:])
        before, after = rot[index], rot[index + 1]
        turn = quat.log(quat.multiply(quat.inverse(before), after))
        return pos, quat.continuous(quat.multiply(before, quat.exp(share * turn)))

    def _times(self, samples: list[tuple[int, Array]]) -> Array:
        """Return stamps as seconds before ``stop_ns`` (N,); whole nanoseconds keep all digits."""
        return np.array([stamp - self.stop_ns for stamp, _ in samples], dtype=np.float64) * 1e-9


class _Names:
    """Where the joints of a profile stand in messages; looked up anew only for new names."""

    def __init__(self, wanted: tuple[str, ...]) -> None:
        self.wanted = wanted
        self.names: list[str] = []
        self.flip_flops = 0  # times that the names went back to those before
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
        limits: may be replaced at any time.
        accepted: joint states that were taken.
        dropped: samples that were not, by the ``kind`` of their :class:`UnusableError`.
        gaps: pauses longer than ``max_gap_s``, after which the buffer began anew.
        jumps: times that stamps went back by more than that, with the same effect.
        bad_in_a_row: joint states that were dropped since the last good one, other than those of
            other bodies (too few known names).
    """

    def __init__(self, profile: JointProfile, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.accepted = self.gaps = self.jumps = self.bad_in_a_row = 0
        self.dropped: Counter[str] = Counter()
        self._names = _Names(profile.names)
        self._joints: deque[tuple[int, Array]] = deque()
        self._base: deque[tuple[int, Array]] = deque()
        self._recent: deque[int] = deque(maxlen=_RATE_SAMPLES)

    @property
    def coverage(self) -> float:
        """The share of the profile's joints that the newest names hold."""
        return self._names.coverage

    @property
    def flip_flops(self) -> int:
        """How often the names went back to those before: two publishers on one topic."""
        return self._names.flip_flops

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

    def clear(self) -> None:
        """Forget what was observed; the counts stay."""
        self._joints.clear()
        self._base.clear()
        self._recent.clear()

    def hear_joints(
        self, names: Sequence[str], positions: Sequence[float] | Array, stamp_ns: int
    ) -> None:
        """Take a joint state; joints of the profile that it does not name count as zero.

        Args:
            names: of the joints, in any order, strangers among them.
            positions: [rad], one for each name.
            stamp_ns: when they were measured.

        Raises:
            UnusableError: it was dropped and counted.
        """
        try:
            row = self._read(names, positions)
            stamp_ns = self._even(stamp_ns)
            if self._follows(self._joints, stamp_ns):
                self.clear()
        except UnusableError as error:
            self.dropped[error.kind] += 1
            self.bad_in_a_row += error.kind != 'coverage'
            raise
        self.accepted += 1
        self.bad_in_a_row = 0
        self._recent.append(stamp_ns)
        self._keep(self._joints, stamp_ns, row)

    def hear_base(
        self, pos: Sequence[float] | Array, rot: Sequence[float] | Array, stamp_ns: int
    ) -> None:
        """Take the pelvis' place (3,) [m] and orientation (4,) xyzw in the world, Z up.

        Raises:
            UnusableError: it was dropped and counted.
        """
        try:
            pose = np.array([*pos, *rot], dtype=np.float64)
            length = float(np.linalg.norm(pose[3:]))
            if not (np.abs(pose) < FARTHEST).all() or length < 1e-6:
                raise UnusableError('base', 'odometry is not finite, or has no orientation')
            pose[3:] /= length
            if self._follows(self._base, stamp_ns):
                self._base.clear()
        except UnusableError as error:
            self.dropped[error.kind] += 1
            raise
        self._keep(self._base, stamp_ns, pose)

    def window(self) -> Window | None:
        """Return what was observed in the last ``window_s``; None where that is nothing.

        With odometry the window covers the time in which joints and base were both heard.
        """
        if len(self._joints) < 2:
            return None
        start, stop = self._joints[0][0], self._joints[-1][0]
        base: list[tuple[int, Array]] = []
        # A base that is silent for long has gone; one that was heard once says nothing yet.
        if len(self._base) > 1 and self._base[-1][0] >= stop - self._gap_ns:
            base = list(self._base)
            start, stop = max(start, base[0][0]), min(stop, base[-1][0])
        if stop <= start:
            return None
        start = max(start, stop - round(self.limits.window_s * 1e9))
        return Window(start, stop, list(self._joints), base)

    @property
    def _gap_ns(self) -> int:
        return round(self.limits.max_gap_s * 1e9)

    def _read(self, names: Sequence[str], positions: Sequence[float] | Array) -> Array:
        """Return the profile's joints (J,) of a message, or raise."""
        if len(names) != len(positions):
            raise UnusableError('lengths', f'{len(names)} names for {len(positions)} positions')
        self._names.read(names)
        if self.coverage < self.limits.min_joint_coverage or not len(self._names.rows):
            raise UnusableError(
                'coverage',
                f'it names {self.coverage:.0%} of the joints of the profile, '
                f'min_joint_coverage asks for {self.limits.min_joint_coverage:.0%}',
            )
        known = np.asarray(positions, dtype=np.float64)[self._names.columns]
        if not (np.abs(known) < FARTHEST).all():
            raise UnusableError('number', 'a joint is not finite, or beyond all angles')
        row = np.zeros(len(self._names.wanted))
        row[self._names.rows] = known
        return row

    def _even(self, stamp_ns: int) -> int:
        """Return the stamp; where the rate is stated, evened out around it."""
        rate = self.limits.input_rate_hz
        if rate <= 0 or not self._recent:
            return stamp_ns
        expected = self._recent[-1] + round(1e9 / rate)
        late = stamp_ns - expected
        return stamp_ns if abs(late) > self._gap_ns else expected + round(_SMOOTHING * late)

    def _follows(self, samples: deque[tuple[int, Array]], stamp_ns: int) -> bool:
        """Return whether a sample begins anew, after a gap or a jump back in time.

        Raises:
            UnusableError: it is older than the last one, or as old, and that by no jump; or its
                stamp is negative.
        """
        if stamp_ns < 0:
            raise UnusableError('stamp', 'its stamp is negative')
        if not samples:
            return False
        step = stamp_ns - samples[-1][0]
        if step > self._gap_ns:
            self.gaps += 1
            return True
        if step < -self._gap_ns:
            self.jumps += 1
            return True
        if step <= 0:
            raise UnusableError('old', 'it is not newer than the one before')
        return False

    def _keep(self, samples: deque[tuple[int, Array]], stamp_ns: int, row: Array) -> None:
        """Add a sample and let those go that no window reaches; at most 500 a second stay."""
        if len(samples) > 1 and stamp_ns - samples[-2][0] < _CLOSEST_NS:
            samples.pop()
        samples.append((stamp_ns, row))
        # One sample before the window, to interpolate from; the base may lag by a gap.
        oldest = stamp_ns - round(self.limits.window_s * 1e9) - self._gap_ns
        while len(samples) > 1 and samples[1][0] <= oldest:
            samples.popleft()
