# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for ROS 2's `launch`: it holds what a launch file says, and starts nothing."""


class LaunchContext:
    """The values of the launch arguments."""

    def __init__(self, arguments):
        self.launch_configurations = dict(arguments)


class LaunchDescription:
    """A list of actions."""

    def __init__(self, entities):
        self.entities = list(entities)
