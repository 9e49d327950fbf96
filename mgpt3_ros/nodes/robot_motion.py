# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What of a motion a robot can do: legs that it lacks are said, links that collide kept apart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mgpt3_ros.body.from_motion import BodyClip
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.robots import Robot, RobotMotion

if TYPE_CHECKING:
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.robots.physics import Physics
    from mgpt3_ros.robots.self_collision import LiveSwing

AVOID = ('off', 'refuse', 'shrink')

_FAR_M = 0.5  # of a pelvis from its first place: the motion goes somewhere
_DEEP_M = 0.15  # that a pelvis sinks or rises: it sits, kneels or jumps
_HIGH_M = 0.12  # that an ankle is lifted: it steps or kicks
_TURN = 0.8  # [rad]


class RobotMotions:
    """Fits clips to one robot; on the worker, since physics takes a moment."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        self._physics: Physics | None = None

    def fit(self, motion: Motion, clip: BodyClip, avoid: str) -> tuple[BodyClip, tuple[str, ...]]:
        """Return the clip as the robot can do it, and what is to be said of that.

        Args:
            motion: the human's.
            clip: the same in the robot's joints.
            avoid: of ``AVOID``, where links collide.

        Raises:
            RobotError: links collide, and that is to be refused or no smaller swing helps.
            MissingExtraError: ``avoid`` is on, and MuJoCo is not installed.
        """
        notes = lacking(self._robot, motion)
        if avoid == 'off':
            return clip, notes
        from mgpt3_ros.robots.physics import Physics
        from mgpt3_ros.robots.self_collision import clear_of_itself

        if self._physics is None:
            self._physics = Physics(self._robot)
        clear, share = clear_of_itself(self._physics, _played(clip), shrink=avoid == 'shrink')
        return replace(clip, positions=clear.positions), (*notes, *_smaller(share))


class LiveRobotMotions:
    """Fits a motion to one robot that comes a few frames at a time; on the worker too."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        self._swing: LiveSwing | None = None

    def begin(self) -> None:
        """Take note that frames are counted anew."""
        if self._swing is not None:
            self._swing.forget()

    def followed(self, frame: int, positions: Array) -> Array:
        """Return what is done (T, n) [rad] up to ``frame`` as it was before arms swung less."""
        return positions if self._swing is None else self._swing.at_full_swing(frame, positions)

    def fit(
        self, motion: Motion, clip: BodyClip, avoid: str, frame: int, positions: Array
    ) -> tuple[BodyClip, tuple[str, ...]]:
        """Return the clip as the robot can do it, and what is to be said of that.

        Args:
            motion: the human's.
            clip: the same in the robot's joints.
            avoid: of ``AVOID``, where links collide.
            frame: the last that is done.
            positions: (T, n) [rad] of the first frames of the clip, as they are done.

        Raises:
            RobotError, MissingExtraError: see :meth:`RobotMotions.fit`.
        """
        notes = lacking(self._robot, motion)
        if avoid == 'off':
            whole = np.concatenate([positions, clip.positions[len(positions) :]])
            return replace(clip, positions=whole), notes
        if self._swing is None:
            from mgpt3_ros.robots.physics import Physics
            from mgpt3_ros.robots.self_collision import LiveSwing

            self._swing = LiveSwing(Physics(self._robot))
        clear, share = self._swing.clear(frame, _played(clip), positions, avoid == 'shrink')
        return replace(clip, positions=clear.positions), (*notes, *_smaller(share))


def _played(clip: BodyClip) -> RobotMotion:
    return RobotMotion(clip.names, clip.positions, clip.base_pos, clip.base_rot, clip.fps)


def _smaller(share: float) -> tuple[str, ...]:
    said = f'arms swing {share:.0%} as far where links would collide'
    return (said,) if share < 1.0 else ()


def lacking(robot: Robot, motion: Motion) -> tuple[str, ...]:
    """Say of a motion what a robot lacks for it; empty where nothing is."""
    if robot.has_legs:
        return ()
    joints = motion.joints
    pelvis = joints[:, JOINT_NAMES.index('pelvis')]
    away = float(np.linalg.norm((pelvis - pelvis[0])[:, [0, 2]], axis=1).max())
    sinks = float(np.ptp(pelvis[:, 1]))
    ankles = joints[:, [JOINT_NAMES.index(f'{side}_ankle') for side in ('left', 'right')], 1]
    lifted = float((ankles - ankles.min(axis=0)).max())
    across = np.subtract(*(joints[:, JOINT_NAMES.index(f'{s}_hip')] for s in ('left', 'right')))
    turned = float(np.ptp(np.unwrap(np.arctan2(across[:, 2], across[:, 0]))))
    notes = []
    if lifted > _HIGH_M or sinks > _DEEP_M:
        notes.append('it needs legs')
    goes = [f'goes {away:.1f} m'] if away > _FAR_M else []
    goes += [f'turns {np.degrees(turned):.0f} degrees'] if turned > _TURN else []
    if goes:
        notes.append(
            f'it {" and ".join(goes)}: only a base that follows base_trajectory does that'
        )
    return tuple(f'{robot.name} has no legs that follow: {note}' for note in notes)
