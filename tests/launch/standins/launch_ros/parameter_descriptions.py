# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Typed parameter values."""


class ParameterValue:
    """A value that keeps its type."""

    def __init__(self, value, *, value_type=None):
        self.value = value
        self.value_type = value_type

    def __eq__(self, other):
        return self.value == getattr(other, 'value', other)

    __hash__ = None
