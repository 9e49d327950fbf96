# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motions that bring a robot's links into each other: refused, or their arms' swing shrunk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.robots.config import SIDES
from mgpt3_ros.robots.feet import softened
from mgpt3_ros.robots.physics import Physics
from mgpt3_ros.robots.physics_report import Collision
from mgpt3_ros.robots.retargeting import RobotMotion
from mgpt3_ros.robots.robot import Robot

Array = NDArray[np.float64]

SHARES = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0)  # of the arms' swing that are tried
_KEPT = 100  # frames that lie behind: more than are told of what is done
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


class LiveSwing:
    """Keeps a robot clear of itself whose motion comes a few frames at a time.

    Frames have numbers. What the arms would do at full swing is kept beside what they do, so that
    a smaller swing goes over into a larger one and is not made smaller twice.
    """

    def __init__(self, physics: Physics) -> None:
        self._physics = physics
        self._columns = arm_columns(physics.robot)
        self._frames: dict[int, tuple[Array, float]] = {}  # arms (k,) at full swing, and the share

    def forget(self) -> None:
        """Begin anew, with a motion whose frames are counted anew."""
        self._frames.clear()

    def at_full_swing(self, frame: int, positions: Array) -> Array:
        """Return positions (T, n) of the frames up to ``frame`` as they were at full swing."""
        full = positions.copy()
        for row in range(len(full)):
            kept = self._frames.get(frame - len(full) + 1 + row)
            if kept is not None:
                full[row, self._columns] = kept[0]
        return full

    def clear(
        self, frame: int, motion: RobotMotion, positions: Array, shrink: bool = True
    ) -> tuple[RobotMotion, float]:
        """Return a motion whose frames after ``frame`` do not let links collide.

        Args:
            frame: the last that is done.
            motion: frames up to ``frame``, then those to come, the arms at full swing.
            positions: (T, n) [rad] of the first of them, as they are done.
            shrink: False refuses what collides.

        Returns:
            The motion with its first frames as they are done, and the smallest share of the arms'
            swing in the others.

        Raises:
            RobotError: see :func:`clear_of_itself`.
        """
        count, columns = len(positions), self._columns
        first = self._frames[frame][1] if frame in self._frames else 1.0
        hit = np.zeros(len(motion.positions) - count + 1, dtype=bool)  # from the last done one on
        for smallest in (1.0, *SHARES):
            shares = _leading(first, hit, min(smallest, first), motion.fps)
            moved = self._swung(motion, positions, shares)
            ahead = replace(
                moved,
                positions=moved.positions[count - 1 :],
                base_pos=moved.base_pos[count - 1 :],
                base_rot=moved.base_rot[count - 1 :],
            )
            found = tuple(c for c in self._physics.collisions(ahead) if c.spans[-1][1] > 0)
            if not found:
                full = motion.positions[:, columns]
                for row in range(count, len(full)):
                    at = frame + 1 + row - count
                    self._frames[at] = full[row], float(shares[row - count + 1])
                for old in [old for old in self._frames if old < frame - _KEPT]:
                    del self._frames[old]
                return moved, float(shares.min())
            if not shrink:
                break
            for start, stop in (span for collision in found for span in collision.spans):
                hit[int(start * motion.fps) : int(np.ceil(stop * motion.fps)) + 1] = True
        raise RobotError(
            f'no smaller swing of the arms helps: {_said(found)}'
            if shrink
            else f'refused: {_said(found)}'
        )

    def _swung(self, motion: RobotMotion, positions: Array, shares: Array) -> RobotMotion:
        stand = self._physics.robot.stand[self._columns]
        moved = motion.positions.copy()
        moved[: len(positions)] = positions
        new = np.s_[len(positions) :, self._columns]
        moved[new] = stand + shares[1:, None] * (motion.positions[new] - stand)
        return replace(motion, positions=moved)


def _leading(first: float, hit: NDArray[np.bool_], share: float, fps: float) -> Array:
    """Return shares (T,) from ``first`` to ``share`` where frames are hit, and back to 1."""
    at, values = [0.0], [first]
    if hit.any():
        one, last = np.flatnonzero(hit)[[0, -1]]
        at += [max(one - 1.0, 1.0), max(last, 1.0) + 1.0]
        values += [share, share]
    at.append(at[-1] + _AROUND_S * fps)
    values.append(1.0)
    return np.asarray(PchipInterpolator(at, values)(np.minimum(np.arange(len(hit)), at[-1])))


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
