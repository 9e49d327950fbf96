# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MotionGPT3 on ROS 2: text to motion, motion to text, past to future.

``nodes`` are the ROS 2 nodes, and the only folder that knows rclpy; ``body`` is what they compute
of a moving body, ``bags`` reads and writes rosbag2, ``cli`` is the command ``mgpt3``. The model
and its training are the folders ``model`` and ``training`` of the source tree, here as links.
"""
