# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conditions of actions."""


class IfCondition:
    """True for the words that launch takes for true, and strict about all others."""

    def __init__(self, predicate):
        self.predicate = predicate

    def evaluate(self, context):
        word = self.predicate.perform(context).lower()
        if word not in ('true', '1', 'false', '0'):
            raise ValueError(f'{word!r} is no boolean')
        return word in ('true', '1')
