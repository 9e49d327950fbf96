# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion as a robot does it, made ready to be shown beside a human or in its place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.model.finishing.foot_lock import BALL_HEIGHT, contacts
from mgpt3_ros.model.kinematics.human import BODY_TO_MODEL
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.robots import Robot, RobotMotion, retarget, slowed
from mgpt3_ros.view.clip import ABOVE_HEAD_M, Pose, Track, interpolated_rotations, parts_of

Array = NDArray[np.float64]

LONGEST_S = 600.0  # retargeting takes about a second a minute


class RobotClip(Track):
    """A robot's motion in the world of the scene, at the robot's own size.

    Attributes:
        robot: whose it is.
        slower: how many times slower than the human it must go, for its velocity limits.
    """

    def __init__(
        self,
        robot: Robot,
        moved: RobotMotion,
        parts: Sequence[tuple[float, str]] = ((0.0, ''),),
        slower: float = 1.0,
        aside_m: float = 0.0,
    ) -> None:
        """Prepare a motion of ``robot``, moved to its left by ``aside_m``.

        Args:
            robot: who does it.
            moved: what it does.
            parts: start [s] and words, in order, at least one.
            slower: what ``moved`` is slower than the human's.
            aside_m: [m].
        """
        self.robot = robot
        self.slower = slower
        lift = np.array([0.0, aside_m, 0.0])
        turns = np.asarray(Rotation.from_quat(moved.base_rot).as_matrix())
        poses = robot.kinematics.forward(moved.positions, turns, moved.base_pos + lift)
        self.links = robot.kinematics.links
        frames = len(moved.positions)
        self._places = np.stack([poses.places[link] for link in self.links], axis=1)
        rotations = np.stack([poses.rotations[link] for link in self.links], axis=1)
        quats = Rotation.from_matrix(rotations.reshape(-1, 3, 3)).as_quat()
        self._wxyz = quats.reshape(frames, -1, 4)[..., [3, 0, 1, 2]]
        self._soles = np.stack(
            [
                poses.places[sole.link]
                + poses.rotations[sole.link] @ robot.sole_points(side).mean(axis=0)
                for side, sole in sorted(robot.config.soles.items())
            ]
            or [np.zeros((frames, 3))] * 2,
            axis=1,
        )
        standing = np.zeros((frames, 2), bool)
        for side in range(2 if robot.config.soles else 0):
            for run in contacts(self._soles[:, side][:, BODY_TO_MODEL], BALL_HEIGHT, moved.fps):
                standing[run, side] = True
        self._above = max(float(place[2]) for place in robot.stand_places.values())
        self._above += 0.6 * ABOVE_HEAD_M
        super().__init__(moved.base_pos + lift, moved.fps, parts, standing)

    def pose(self, time_s: float) -> Pose:
        """Where its links are at a time, in the order of ``links``."""
        before, share = self._around(time_s)
        after = before + 1
        place = (1 - share) * self._places[before] + share * self._places[after]
        soles = (1 - share) * self._soles[before] + share * self._soles[after]
        turned = interpolated_rotations(self._wxyz[before], self._wxyz[after], share)
        top = place[0] + [0.0, 0.0, self._above]
        return Pose(turned, place, top, soles)


def robot_clip(
    robot: Robot,
    motion: Motion,
    aside_m: float = 0.0,
    before: Motion | None = None,
    words: bool = True,
) -> RobotClip:
    """Let a robot do what a human does.

    Args:
        robot: who does it.
        motion: the human's.
        aside_m: how far to its left it is moved [m].
        before: what the human did before, of which nothing is shown: a prediction goes on from it.
        words: whether its words are the motion's, or its name.

    Raises:
        MotionError, RobotError: the motion cannot be used, or is too long.
    """
    if motion.duration_s > LONGEST_S:
        raise RobotError(
            f'the motion lasts {motion.duration_s:.0f} s; a robot is shown up to '
            f'{LONGEST_S:.0f} s: cut it'
        )
    joints, skipped = motion.joints, 0
    if before is not None:
        before = before.resample(motion.fps, keep='last')
        joints, skipped = np.concatenate([before.joints, joints]), before.num_frames
    moved, slower = slowed(robot, retarget(robot, joints, motion.fps))
    skipped = round(skipped * slower)
    if skipped:
        moved = RobotMotion(
            moved.joint_names,
            *(part[skipped:] for part in (moved.positions, moved.base_pos, moved.base_rot)),
            moved.fps,
        )
    parts = [(0.0, name_of(robot, slower))]
    if words:
        parts = [(slower * start_s, text) for start_s, text in parts_of(motion)]
    return RobotClip(robot, moved, parts, slower, aside_m)


def name_of(robot: Robot, slower: float) -> str:
    """Its name, and how much slower it goes where that is seen."""
    return robot.name + (f' ({slower:.1f} times slower)' if slower > 1.05 else '')
