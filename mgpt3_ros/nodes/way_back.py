# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The way back, of "undo" and "go back": to where the body was when the last command came.

Doing the opposite, as where no place is known, ends near it after a walk and beside it after a
turn: a turn goes ahead as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mgpt3_ros.body.commands.meaning import LEGS, Action, Relation
from mgpt3_ros.body.commands.reading import understand
from mgpt3_ros.body.steering.courses import Goal
from mgpt3_ros.model.errors import TextError
from mgpt3_ros.nodes.commands import Command, Step
from mgpt3_ros.nodes.steering_topics import where

if TYPE_CHECKING:
    from mgpt3_ros.nodes.generate_node import GenerateNode


class WayBack:
    """Where the body of a generate_node was before the last command whose legs moved it."""

    def __init__(self, node: GenerateNode) -> None:
        self._node = node
        self._before: Goal | None = None

    def remember(self, command: Command) -> None:
        """Take note of where the body is when a command is taken."""
        if any(isinstance(part, Action) and part.name in LEGS for part in command.parts):
            self._before = self._here()

    def leads(self, command: Command) -> bool:
        """Lead the body back where a command asks for that; False where it does not, or cannot.

        It cannot where nothing was done before, nor while others have their turn.
        """
        node, goal = self._node, self._before
        latest = node.parameters['queue_policy'] == 'latest'
        if goal is None or not _asks_for_it(command) or (node.waiting() and not latest):
            return False
        if node.moving() and not latest:
            return False
        self._before = self._here()  # undone once more, it is done again
        goes = replace(command, parts=(), actions=(command.text,), goes_on=False)
        node.tell(goes, 'queued', reason=command.note)
        node.steering.follow(Step(goes), goal, 'goal', command.note)
        return True

    def _here(self) -> Goal:
        return Goal(*where(self._node), self._node.parameters['steering_speed'])


def _asks_for_it(command: Command) -> bool:
    try:
        return bool(command.parts) and understand(command.text) == (Relation('back'),)
    except TextError:
        return False
