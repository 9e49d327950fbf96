# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A body's stream in windows, one every stride: what the nodes do live, over a whole bag."""

from __future__ import annotations

from dataclasses import dataclass

from mgpt3_ros.bags.messages import Joints
from mgpt3_ros.body.observation import Limits, MotionBuffer, UnusableError
from mgpt3_ros.body.profiles import JointProfile
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.window import Observed
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.motion import Motion

MIN_WINDOW_S = 1.0  # as the nodes' parameter: less tells of nothing


@dataclass(frozen=True)
class Window:
    """What a body did between two stamps [ns].

    recorded_ns: when the recorder got the joint state that completed the window.
    observed: joints and base at 20 frames per second, the last of them at ``end_ns``.
    motion: the same, as the model reads it.
    """

    start_ns: int
    end_ns: int
    recorded_ns: int
    observed: Observed
    motion: Motion


class Windows:
    """Cuts a stream into windows; it keeps no more than one of them.

    A gap, or a jump of the stamps backward, ends a piece of the stream: no window spans it. The
    last window of a piece reaches to its end, and may overlap the one before by more.

    Attributes:
        buffer: what is heard, and counts of what was left out of it.
        windows: how many came of it.
        apart: in how many of them the body stands still, since odometry was heard but not where
            the joint states are.

    Args:
        profile: the joints' names.
        window_s: length of a window.
        stride_s: time from one window to the next.
        first_s: when the first is complete, before ``window_s`` if a shorter one will do; None
            to wait for a whole one.

    Raises:
        MotionError: a length is not positive, or a window shorter than a second.
    """

    def __init__(
        self,
        profile: JointProfile,
        window_s: float = 6.0,
        stride_s: float = 3.0,
        first_s: float | None = None,
    ) -> None:
        if not window_s >= MIN_WINDOW_S:
            raise MotionError(f'a window of {window_s} s tells too little: give 1 s or more')
        if not stride_s > 0:
            raise MotionError(f'a stride of {stride_s} s: give a number above 0')
        self.buffer = MotionBuffer(profile, Limits(window_s=window_s))
        self.windows = self.apart = 0
        self._profile = profile
        self._stride_ns = round(stride_s * 1e9)
        self._first_ns = round((first_s or window_s) * 1e9)
        self._piece_ns: int | None = None  # up to where windows have told of this piece
        self._due_ns = 0  # when the next window is complete
        self._recorded_ns = 0

    def hear_base(self, stamp_ns: int, pose: Array) -> None:
        """Take a pose (7,), x y z [m] and quaternion; an unusable one is dropped and counted."""
        try:
            self.buffer.hear_base(pose[:3], pose[3:], stamp_ns)
        except UnusableError:
            return

    def hear_joints(self, joints: Joints, recorded_ns: int) -> list[Window]:
        """Take a joint state; return the windows that it completes, none, one or two.

        An unusable one is dropped and counted.
        """
        stamp_ns = joints.stamp_ns or recorded_ns
        done: list[Window] = []
        last_ns = self.buffer.stamp_ns
        if last_ns and abs(stamp_ns - last_ns) > self.buffer.limits.max_gap_s * 1e9:
            done = self.finish()
        try:
            self.buffer.hear_joints(joints.names, joints.positions, stamp_ns)
        except UnusableError:
            return done
        self._recorded_ns = recorded_ns
        if self._piece_ns is None:
            self._piece_ns, self._due_ns = stamp_ns, stamp_ns + self._first_ns
        if stamp_ns >= self._due_ns and (window := self._cut()):
            done += window  # else odometry is late: the next joint state tries again
            while self._due_ns <= stamp_ns:
                self._due_ns += self._stride_ns
        return done

    def finish(self) -> list[Window]:
        """End the piece: return its last window, if there is more to tell."""
        told_ns, self._piece_ns = self._piece_ns, None
        if told_ns is None or self.buffer.stamp_ns - told_ns < MIN_WINDOW_S * 1e9:
            return []
        return self._cut()

    def latest(self) -> Window | None:
        """Return what the body did up to now; None if that is less than a second."""
        window = self.buffer.window()
        if window is None or window.duration_s < MIN_WINDOW_S - 1e-6:
            return None
        seen = window.resampled()
        self.windows += 1
        self.apart += self.buffer.heard_odometry and not seen.has_base
        return Window(
            window.start_ns,
            window.stop_ns,
            self._recorded_ns,
            seen,
            seen.motion(self._profile),
        )

    def _cut(self) -> list[Window]:
        window = self.latest()
        if window is None:
            return []
        if self._piece_ns is not None:
            self._piece_ns = window.end_ns
        return [window]
