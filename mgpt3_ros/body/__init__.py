# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A moving body in ROS's frames (X forward, Y left, Z up), in plain NumPy and without rclpy.

``frames`` and ``quaternions``; ``body_trajectory`` and ``spline``, what a trajectory does between
its points; ``from_motion``, the model's motions as a body's angles; ``planning``, those as a
trajectory that begins where the body is, within its ``bounds``, and ``stopping``, its end on
request; ``observation`` and ``window``, a body as its joint
states and odometry tell it; ``profiles``, the names and axes of its joints.
"""
