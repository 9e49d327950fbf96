# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot as a joint profile: what planning, observation and nodes ask of a body."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mgpt3_ros.robots.inverse import to_human
from mgpt3_ros.robots.retargeting import RobotMotion, retarget
from mgpt3_ros.robots.robot import Robot

Array = NDArray[np.float64]


class RobotProfile:
    """The joints of a robot, as ``mgpt3_ros.body.profiles.JointProfile`` asks.

    Attributes:
        robot: whose they are.
        names: (n,) of the joints, as on topics.
        velocity_limits: (n,) [rad/s].
        position_limits: (n, 2) [rad].
        standing: (n,) [rad], the pose in which it stands upright.
        standing_base: (7,) place [m] and orientation xyzw of the base link in that pose, at the
            origin, facing X.
        base_frame: the base link, whose pose odometry and base trajectories tell.
    """

    def __init__(self, robot: Robot) -> None:
        self.robot = robot
        self.names: tuple[str, ...] = robot.joint_names
        self.velocity_limits: Array = robot.velocity_limits
        self.position_limits: Array = robot.position_limits
        self.standing: Array = robot.stand
        turned = Rotation.from_matrix(robot.facing).as_quat()
        self.standing_base: Array = np.array([0.0, 0.0, robot.base_height, *turned])
        self.base_frame = robot.base_link

    def from_joints(
        self, joints: NDArray, fps: float, done: tuple[Array, Array, Array] | None = None
    ) -> tuple[Array, Array, Array]:
        """Return positions (T, n) [rad], base places (T, 3) [m] and rotations (T, 4) xyzw.

        In ROS's frames, of the model's joints (T, 22, 3) [m], Y up. ``done`` has the same of the
        first frames, that the robot has done: they stay, and the others go on from there.
        """
        before = None if done is None else RobotMotion(self.names, *done, float(fps))
        motion = retarget(self.robot, joints, fps, before)
        return motion.positions, motion.base_pos, motion.base_rot

    def to_joints(self, positions: Array, base_pos: Array, base_rot: Array) -> Array:
        """Return the model's joints (T, 22, 3) [m], Y up, of what ``from_joints`` returns."""
        return to_human(self.robot, positions, base_pos, base_rot)

    def near(self, positions: Array, goal: Array) -> Array:
        """Return the same poses (T, n): limits leave no turn to choose, but of endless joints."""
        endless = np.isinf(self.position_limits).any(axis=1)
        turns = np.round((goal - positions[0]) / (2 * np.pi)) * endless
        return positions + 2 * np.pi * turns


def robot_profile(name_or_path: str | Path) -> RobotProfile:
    """Return the profile of a robot by name or YAML; for ``body.profiles.make_profile``.

    Raises:
        RobotError, ConfigError: see :meth:`Robot.from_name_or_file`.
    """
    return RobotProfile(Robot.from_name_or_file(name_or_path))
