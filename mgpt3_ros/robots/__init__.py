# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Robots: a URDF's kinematics, and motion there and back, in plain NumPy and without rclpy.

``urdf`` and ``kinematics``; ``config``, ``packages`` and ``robot``, what a robot's YAML says;
``human``, ``feet``, ``solver`` and ``retargeting``, from the human's 22 joints to the robot's;
``inverse``, back; ``profile``, a robot as the joint profile of a body.
"""

from mgpt3_ros.robots.inverse import to_human
from mgpt3_ros.robots.packages import robot_names
from mgpt3_ros.robots.profile import RobotProfile, robot_profile
from mgpt3_ros.robots.retargeting import RobotMotion, retarget, slowdown
from mgpt3_ros.robots.robot import Robot

__all__ = [
    'Robot',
    'RobotMotion',
    'RobotProfile',
    'retarget',
    'robot_names',
    'robot_profile',
    'slowdown',
    'to_human',
]
