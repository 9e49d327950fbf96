# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Robots: a URDF's kinematics, and motion there and back, in plain NumPy and without rclpy.

``urdf`` and ``kinematics``; ``config``, ``packages`` and ``robot``, what a robot's YAML says;
``human``, ``feet``, ``solver`` and ``retargeting``, from the human's 22 joints to the robot's;
``pace``, as slow as a robot must go; ``lacking``, what it has not; ``inverse``, back; ``files``,
MuJoCo's qpos as CSV and .npz; ``profile``, a robot as the joint profile of a body; ``discovery``,
whose joints are heard; ``checks`` and ``quality``, whether a mapping fits and how well a motion is
followed; ``physics``, what MuJoCo says of one (extra ``sim``).
"""

from mgpt3_ros.robots.discovery import fitting_robot
from mgpt3_ros.robots.files import load_robot_motion, save_robot_motion
from mgpt3_ros.robots.inverse import to_human
from mgpt3_ros.robots.pace import slowdown, slowed
from mgpt3_ros.robots.packages import robot_names
from mgpt3_ros.robots.profile import RobotProfile, robot_profile
from mgpt3_ros.robots.retargeting import RobotMotion, retarget
from mgpt3_ros.robots.robot import Robot

__all__ = [
    'Robot',
    'RobotMotion',
    'RobotProfile',
    'fitting_robot',
    'load_robot_motion',
    'retarget',
    'robot_names',
    'robot_profile',
    'save_robot_motion',
    'slowdown',
    'slowed',
    'to_human',
]
