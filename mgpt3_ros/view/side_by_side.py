# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who stands where: several motions side by side, humans, robots or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mgpt3_ros.model.motion import Motion
from mgpt3_ros.robots import Robot
from mgpt3_ros.view.clip import Clip, Track
from mgpt3_ros.view.robot_clip import robot_clip

ASIDE_M = 1.4  # between bodies that are shown side by side


@dataclass(frozen=True)
class ShownRobot:
    """A robot beside the human, or ``instead`` of it."""

    robot: Robot
    instead: bool = False


def side_by_side(motions: Sequence[Motion], number: int, shown: ShownRobot | None) -> list[Track]:
    """The clips of one of several motions: of the human, the robot, or both.

    Raises:
        MotionError, RobotError: it is too long to be shown, or no motion for that robot.
    """
    motion = motions[number]
    slots = 2 if shown is not None and not shown.instead else 1
    aside_m = -ASIDE_M * slots * number
    clips: list[Track] = []
    if shown is None or not shown.instead:
        clips.append(Clip(motion, aside_m))
    if shown is not None:
        beside_m = aside_m - ASIDE_M * (slots - 1)
        clips.append(robot_clip(shown.robot, motion, beside_m, words=shown.instead))
    return clips
