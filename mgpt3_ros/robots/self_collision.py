# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motions that bring a robot's links into each other: refused, or their arms' swing shrunk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.robots.config import SIDES
from mgpt3_ros.robots.feet import softened
from mgpt3_ros.robots.physics import Physics
from mgpt3_ros.robots.physics_report import Collision
from mgpt3_ros.robots.retargeting import RobotMotion
from mgpt3_ros.robots.robot import Robot

Array = NDArray[np.float64]

SHARES = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0)  # of the arms' swing that are tried
_AROUND_S = 0.6  # before and after a collision, over which the swing shrinks and grows


def clear_of_itself(
    physics: Physics, motion: RobotMotion, shrink: bool = True
) -> tuple[RobotMotion, float]:
    """Return a motion in which the robot does not touch itself.

    Where links collide the arms' angles are brought towards the pose in which it stands, around
    those times alone and as little as clears them.

    Args:
        physics: of the robot.
        motion: what it is to do.
        shrink: False refuses what collides.

    Returns:
        The motion, and the smallest share of the arms' swing in it: 1.0 where nothing collides.

    Raises:
        RobotError: it collides and is refused, or no smaller swing of the arms clears it.
    """
    found = physics.collisions(motion)
    if not found:
        return motion, 1.0
    if not shrink:
        raise RobotError(f'refused: {_said(found)}')
    robot = physics.robot
    columns = arm_columns(robot)
    hit = np.zeros(len(motion.positions), dtype=bool)
    for share in SHARES:
        for collision in found:
            for start, stop in collision.spans:
                first, last = np.floor(start * motion.fps), np.ceil(stop * motion.fps)
                hit[int(first) : int(last) + 1] = True
        weight = 1.0 - (1.0 - share) * softened(hit, _AROUND_S * motion.fps)
        positions = motion.positions.copy()
        swing = positions[:, columns] - robot.stand[columns]
        positions[:, columns] = robot.stand[columns] + weight[:, None] * swing
        smaller = replace(motion, positions=positions)
        found = physics.collisions(smaller)
        if not found:
            return smaller, share
    raise RobotError(f'no smaller swing of the arms helps: {_said(found)}')


def arm_columns(robot: Robot) -> NDArray[np.intp]:
    """Return the columns of the joints of both arms, from the shoulders on."""
    trunk = robot.config.follows.get('spine3')
    above = set(robot.kinematics.chain(trunk).tolist()) if trunk else set()
    links = [
        robot.config.follows[f'{side}_{limb}']
        for side in SIDES
        for limb in ('shoulder', 'elbow', 'wrist')
        if f'{side}_{limb}' in robot.config.follows
    ]
    own = {int(c) for link in links for c in robot.kinematics.chain(link)} - above
    return np.array(sorted(own), dtype=np.intp)


def _said(found: tuple[Collision, ...]) -> str:
    first = found[0]
    start, stop = first.spans[0]
    more = f', and {len(found) - 1} more pairs' if len(found) > 1 else ''
    return f'{first.one} and {first.other} collide at {start:.2f} to {stop:.2f} s{more}'
