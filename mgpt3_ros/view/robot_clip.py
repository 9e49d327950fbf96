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
        root = moved.base_pos + np.array([0.0, aside_m, 0.0])
        self._poses = poses_of(robot, moved.positions, root, moved.base_rot)
        standing = np.zeros((len(root), 2), bool)
        for side in range(2 if robot.config.soles else 0):
            sole = self._poses.feet[:, side][:, BODY_TO_MODEL]
            for run in contacts(sole, BALL_HEIGHT, moved.fps):
                standing[run, side] = True
        super().__init__(root, moved.fps, parts, standing)

    def pose(self, time_s: float) -> Pose:
        """Where its links are at a time, in the order of its kinematics."""
        before, share = self._around(time_s)
        poses = self._poses
        place, top, feet = (
            (1 - share) * part[before] + share * part[before + 1]
            for part in (poses.position, poses.top, poses.feet)
        )
        turned = interpolated_rotations(poses.wxyz[before], poses.wxyz[before + 1], share)
        return Pose(turned, place, top, feet)


def poses_of(robot: Robot, positions: Array, base_pos: Array, base_rot: Array) -> Pose:
    """Where a robot's links are in each of T frames, each field with a first dimension T.

    Args:
        robot: whose links, in the order of its kinematics.
        positions: (T, n) [rad] of its joints.
        base_pos: (T, 3) [m] of its base link.
        base_rot: (T, 4) x, y, z, w of it.
    """
    turns = np.asarray(Rotation.from_quat(base_rot).as_matrix())
    poses = robot.kinematics.forward(positions, turns, base_pos)
    links, frames = robot.kinematics.links, len(positions)
    rotations = np.stack([poses.rotations[link] for link in links], axis=1)
    quats = Rotation.from_matrix(rotations.reshape(-1, 3, 3)).as_quat().reshape(frames, -1, 4)
    soles = [
        poses.places[sole.link] + poses.rotations[sole.link] @ robot.sole_points(side).mean(axis=0)
        for side, sole in sorted(robot.config.soles.items())
    ]
    above = max(float(place[2]) for place in robot.stand_places.values()) + 0.6 * ABOVE_HEAD_M
    return Pose(
        quats[..., [3, 0, 1, 2]],
        np.stack([poses.places[link] for link in links], axis=1),
        base_pos + np.array([0.0, 0.0, above]),
        np.stack(soles or [np.zeros((frames, 3))] * 2, axis=1),
    )


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
            moved.positions[skipped:],
            moved.base_pos[skipped:],
            moved.base_rot[skipped:],
            moved.fps,
        )
    parts = [(0.0, name_of(robot, slower))]
    if words:
        parts = [(slower * start_s, text) for start_s, text in parts_of(motion)]
    return RobotClip(robot, moved, parts, slower, aside_m)


def name_of(robot: Robot, slower: float) -> str:
    """Its name, and how much slower it goes where that is seen."""
    return robot.name + (f' ({slower:.1f} times slower)' if slower > 1.05 else '')
