# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion made ready to be shown: where each joint is at any time, what is said, who stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from mgpt3_ros.body.frames import quaternions_to_ros, vectors_to_ros
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.figure.cones import SOLE
from mgpt3_ros.model.finishing.foot_lock import BALL_HEIGHT, contacts
from mgpt3_ros.model.finishing.leg_pose import LEGS
from mgpt3_ros.model.kinematics.human import JOINT_INDEX
from mgpt3_ros.model.kinematics.t_pose import to_t_pose_motion
from mgpt3_ros.model.motion import Motion

Array = NDArray[np.float64]

FOLLOW_S = 0.6  # standard deviation of the smoothing of the path that the camera follows
LONGEST_S = 3600.0  # a page that holds more grows slow


ABOVE_HEAD_M = 0.42  # where words stand
_HEAD, *_FEET = (JOINT_INDEX[name] for name in ('head', 'left_foot', 'right_foot'))


@dataclass(frozen=True)
class Pose:
    """One moment of a body.

    Attributes:
        wxyz: (J, 4) rotations of its joints from T pose, or of a robot's links in the world.
        position: (J, 3) [m], their places.
        top: (3,) [m], where its words stand.
        feet: (2, 3) [m], the balls of its feet or its soles, left and right.
    """

    wxyz: Array
    position: Array
    top: Array
    feet: Array


def body_pose(wxyz: Array, position: Array) -> Pose:
    """The pose of the human's 22 joints."""
    top = position[_HEAD] + [0.0, 0.0, ABOVE_HEAD_M]
    return Pose(wxyz, position, top, position[_FEET])


class Track:
    """What a human's and a robot's clip share: times, the path, words, and who stands.

    Attributes:
        path: (T, 3) [m], the pelvis over the floor, z = 0.
        parts: start [s] and words of what it does, in order; at least one.
    """

    def __init__(
        self,
        root: Array,
        fps: float,
        parts: Sequence[tuple[float, str]],
        standing: NDArray[np.bool_],
    ) -> None:
        """Begin with the places (T, 3) [m] of its root, and which feet (T, 2) stand."""
        self.path = root * [1.0, 1.0, 0.0]
        self.parts = list(parts)
        self._fps = fps
        self._followed = gaussian_filter1d(self.path, FOLLOW_S * fps, axis=0, mode='nearest')
        self._standing = standing

    @property
    def duration_s(self) -> float:
        """Time of the last frame [s]."""
        return (len(self.path) - 1) / self._fps

    def _around(self, time_s: float) -> tuple[int, float]:
        """The frame before a time, and how far it is to the next; in the motion at any time."""
        at = float(np.clip(time_s, 0.0, self.duration_s)) * self._fps
        before = min(int(at), len(self.path) - 2)
        return before, at - before

    def focus(self, time_s: float) -> Array:
        """Where a camera looks that follows, (3,) [m] on the floor."""
        before, share = self._around(time_s)
        return (1 - share) * self._followed[before] + share * self._followed[before + 1]

    def pose(self, time_s: float) -> Pose:
        """Where it is at a time; before its beginning and after its end it stays."""
        raise NotImplementedError

    def caption(self, time_s: float) -> str:
        """What it does at a time, in words."""
        return [text for start_s, text in self.parts if start_s <= max(time_s, 0.0)][-1]

    def standing(self, time_s: float) -> tuple[bool, bool]:
        """Whether the left and the right foot stand at a time."""
        frame = round(float(np.clip(time_s, 0.0, self.duration_s)) * self._fps)
        left, right = self._standing[min(frame, len(self._standing) - 1)]
        return bool(left), bool(right)


class Clip(Track):
    """A human's motion in the world of the scene.

    Attributes:
        motion: what it was made of.
        offsets: (22, 3) [m], its T pose in the model's axes, for the skin.
    """

    def __init__(self, motion: Motion, aside_m: float = 0.0) -> None:
        """Prepare a motion, moved to its left by ``aside_m``.

        Raises:
            MotionError: it is longer than ``LONGEST_S``.
        """
        if motion.duration_s > LONGEST_S:
            raise MotionError(
                f'the motion lasts {motion.duration_s:.0f} s; up to {LONGEST_S:.0f} s are shown: '
                'cut it'
            )
        self.motion = motion
        posed = to_t_pose_motion(motion.joints)
        self.offsets = posed.offsets
        flat = Rotation.from_matrix(posed.world.reshape(-1, 3, 3)).as_quat()
        quats = quaternions_to_ros(flat).reshape(motion.num_frames, -1, 4)
        self._wxyz = quats[..., [3, 0, 1, 2]]
        lift = np.array([0.0, aside_m, SOLE])
        self._positions = vectors_to_ros(posed.joints()) + lift
        super().__init__(
            self._positions[:, 0], motion.fps, parts_of(motion), _feet_that_stand(motion)
        )

    def pose(self, time_s: float) -> Pose:
        """Where its joints are at a time."""
        before, share = self._around(time_s)
        place = (1 - share) * self._positions[before] + share * self._positions[before + 1]
        turned = interpolated_rotations(self._wxyz[before], self._wxyz[before + 1], share)
        return body_pose(turned, place)


def interpolated_rotations(before: Array, after: Array, share: float) -> Array:
    """Quaternions (J, 4) between two frames, of whichever sign is nearer."""
    same = np.sign(np.sum(before * after, axis=-1, keepdims=True))
    blended = (1 - share) * before + share * np.where(same == 0, 1.0, same) * after
    return np.asarray(blended / np.linalg.norm(blended, axis=-1, keepdims=True))


def parts_of(motion: Motion) -> list[tuple[float, str]]:
    """Start [s] and words of the parts of a motion; one from 0 on where it has none."""
    try:
        given = [
            (float(part['start_s']), str(part['text'])) for part in motion.info.get('parts') or []
        ]
    except (TypeError, KeyError, ValueError):  # a file may say anything
        given = []
    parts = sorted(given)
    if not parts or parts[0][0] > 0.0:
        text = '' if parts else str(motion.info.get('text') or '')
        parts.insert(0, (0.0, text))
    return parts


def _feet_that_stand(motion: Motion) -> NDArray[np.bool_]:
    """Which of the feet (left, right) stand in each frame, (T, 2)."""
    joints = motion.joints.astype(np.float64)
    stands = np.zeros((motion.num_frames, 2), bool)
    floor = joints[:, [leg[-1] for leg in LEGS], 1].min()
    for side, leg in enumerate(LEGS):
        for run in contacts(joints[:, leg[-1]] - [0.0, floor, 0.0], BALL_HEIGHT, motion.fps):
            stands[run, side] = True
    return stands
