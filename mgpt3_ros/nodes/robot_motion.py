# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What of a motion a robot can do: legs that it lacks are said, links that collide kept apart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mgpt3_ros.body.from_motion import BodyClip
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.robots import Robot, RobotMotion
from mgpt3_ros.robots.lacking import lacking

if TYPE_CHECKING:
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.robots.physics import Physics
    from mgpt3_ros.robots.self_collision import LiveSwing

AVOID = ('off', 'refuse', 'shrink')


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
