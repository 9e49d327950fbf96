# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot's motion as slow as its velocity limits want it: as a whole, so that it stays itself."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.spatial.transform import Rotation, Slerp

from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.robots.retargeting import RobotMotion, continuous
from mgpt3_ros.robots.robot import Robot

WORTH_SAYING = 2.0  # times slower, from which a motion is hardly the one that was asked for
_SLOWEST = 100.0  # times
_PASSES = 8


def slowdown(robot: Robot, motion: RobotMotion) -> float:
    """Return how many times slower a motion must go to keep the robot's velocity limits; >= 1."""
    speed = np.abs(np.diff(motion.positions, axis=0)).max(axis=0) * motion.fps
    return max(1.0, float((speed / robot.velocity_limits).max()))


def slowed(robot: Robot, motion: RobotMotion) -> tuple[RobotMotion, float]:
    """Slow a motion down as a whole until no joint is faster than it can be.

    Returns:
        The motion at the same frames per second, and how many times slower it is; >= 1.

    Raises:
        RobotError: it would take more than a hundred times as long.
    """
    slower, slow = slowdown(robot, motion), motion
    for _ in range(_PASSES):
        if slower > _SLOWEST:
            raise RobotError(
                f'{robot.name} would need {slower:.0f} times as long for this motion: a joint '
                'jumps, or its velocity limit is nonsense'
            )
        if slower > 1.0:
            slow = _stretched(motion, slower)
        excess = slowdown(robot, slow)
        if excess <= 1.0:
            break
        slower *= 1.01 * excess
    return slow, slower


def _stretched(motion: RobotMotion, slower: float) -> RobotMotion:
    """Sample a motion ``slower`` times slower; between its frames nothing goes beyond them."""
    times = np.arange(len(motion.positions)) / motion.fps
    frames = int(np.ceil(times[-1] * slower * motion.fps)) + 1
    at = np.minimum(np.arange(frames) / (motion.fps * slower), times[-1])
    turns = Slerp(times, Rotation.from_quat(motion.base_rot))(at).as_quat()
    return RobotMotion(
        motion.joint_names,
        PchipInterpolator(times, motion.positions, axis=0)(at),
        PchipInterpolator(times, motion.base_pos, axis=0)(at),
        continuous(np.asarray(turns)),
        motion.fps,
    )


def told(robot: Robot, slower: float) -> str:
    """Say in a sentence how much a motion was slowed down; '' where it was not."""
    if slower <= 1.0:
        return ''
    said = f'{robot.name}: slowed down {slower:.2f} times, to keep its velocity limits'
    if slower <= WORTH_SAYING:
        return said
    return f'{said}; that is more than {WORTH_SAYING:g} times: it is hardly what was asked for'
