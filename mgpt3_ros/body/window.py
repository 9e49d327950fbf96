# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A piece of what was observed of a body, sampled anew at the model's rate and as a motion."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.profiles import JointProfile
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.spline import locate
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.kinematics.skeleton import FPS

if TYPE_CHECKING:
    from mgpt3_ros.model.motion import Motion


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
        from mgpt3_ros.model.motion import Motion

        seen = model_joints(profile, self.positions, self.base_pos, self.base_rot)
        joints = seen.astype(np.float32)
        return Motion(joints, FPS, {'stamp_ns': self.stamp_ns, 'has_base': self.has_base})


@dataclass(frozen=True)
class Window:
    """Samples as they came, between ``start_ns`` and ``stop_ns``; cheap to take from a buffer.

    joints: (stamp [ns], positions (J,)). base: (stamp [ns], pose (7,)); empty where unknown: then
    it is ``standing`` (7,).
    """

    start_ns: int
    stop_ns: int
    joints: list[tuple[int, Array]]
    base: list[tuple[int, Array]]
    standing: Array

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
        joints = self._from_start(self.joints)
        positions = np.array([row for _, row in joints])
        if np.abs(np.diff(positions, axis=0)).max() > np.pi:  # else it would change nothing
            positions = np.unwrap(positions, axis=0)
        index, _, share = locate(self._times(joints), at)
        share = share[:, None]
        positions = positions[index] * (1 - share) + positions[index + 1] * share
        return Observed(self.stop_ns, positions, *self._base(at), has_base=bool(self.base))

    def _base(self, at: Array) -> tuple[Array, Array]:
        """Return place (T, 3) and orientation (T, 4); upright at rest where they are unknown."""
        if not self.base:
            return np.tile(self.standing[:3], (len(at), 1)), np.tile(
                self.standing[3:], (len(at), 1)
            )
        base = self._from_start(self.base)
        poses = np.array([row for _, row in base])
        index, _, share = locate(self._times(base), at)
        share = share[:, None]
        pos = poses[index, :3] * (1 - share) + poses[index + 1, :3] * share
        rot = quat.continuous(poses[:, 3:])
        before, after = rot[index], rot[index + 1]
        turn = quat.log(quat.multiply(quat.inverse(before), after))
        return pos, quat.continuous(quat.multiply(before, quat.exp(share * turn)))

    def _from_start(self, samples: list[tuple[int, Array]]) -> list[tuple[int, Array]]:
        """The samples from the last before the window on, two at least."""
        after = bisect_right(samples, self.start_ns, key=lambda sample: sample[0])
        return samples[max(min(after - 1, len(samples) - 2), 0) :]

    def _times(self, samples: list[tuple[int, Array]]) -> Array:
        """Return stamps as seconds before ``stop_ns`` (N,); whole nanoseconds keep all digits."""
        return np.array([stamp - self.stop_ns for stamp, _ in samples], dtype=np.float64) * 1e-9


def model_joints(
    profile: JointProfile, positions: Array, base_pos: Array, base_rot: Array
) -> Array:
    """Return the model's joints (T, 22, 3) [m], Y up, of a profile's (T, J) and a base in ROS."""
    return profile.to_joints(positions, base_pos, base_rot)
