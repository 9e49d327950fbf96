# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 nodes, and all that knows rclpy, messages and launch files."""

from mgpt3_ros.nodes.early_end import end_early, is_program

if is_program():
    end_early()
