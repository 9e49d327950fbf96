# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Actions, as plain records."""


class DeclareLaunchArgument:
    """An argument of the launch file."""

    def __init__(self, name, *, default_value=None, description=None, choices=None):
        if choices is not None and default_value is not None and default_value not in choices:
            raise RuntimeError(f'{name}: the default {default_value!r} is not in {choices}')
        self.name = name
        self.default_value = default_value
        self.description = description
        self.choices = choices


class OpaqueFunction:
    """A function that is called with the context and returns more actions."""

    def __init__(self, *, function):
        self.function = function


class SetEnvironmentVariable:
    """A variable for all processes that follow."""

    def __init__(self, name, value):
        self.name = name
        self.value = value
