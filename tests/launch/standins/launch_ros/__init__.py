# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for ROS 2's `launch_ros`."""
