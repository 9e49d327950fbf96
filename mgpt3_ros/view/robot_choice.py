# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The choice of a page: which robot does the same, beside the human or in its place."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from mgpt3_ros.model.errors import MotionGPT3Error
from mgpt3_ros.robots import Robot, robot_names
from mgpt3_ros.view.choice_list import ChoiceList
from mgpt3_ros.view.side_by_side import ShownRobot

NOBODY = 'none'
_BESIDE, _INSTEAD = 'beside the human', "in the human's place"


class RobotChoice:
    """The folder "Robot" of a page.

    Attributes:
        shown: who is chosen; None for nobody.
    """

    def __init__(
        self, server: Any, shown: ShownRobot | None, on_change: Callable[[str], None]
    ) -> None:
        """Add it.

        Args:
            server: viser's.
            shown: who is chosen at first.
            on_change: called with the name when another is chosen.
        """
        self.shown = shown
        self._known = {} if shown is None else {shown.robot.name: shown.robot}
        names = tuple(dict.fromkeys((NOBODY, *self._known, *robot_names())))
        choosing = threading.Lock()  # who and where are chosen in two threads

        def changed(name: str, place: str) -> None:
            with choosing:
                self.choose(name, place == _INSTEAD)
                on_change(name)

        with server.gui.add_folder('Robot', expand_by_default=shown is not None):
            first = NOBODY if shown is None else shown.robot.name
            self._name = ChoiceList(
                server, 'Who', names, lambda name: changed(name, self._place.value), first
            )
            place = _INSTEAD if shown is not None and shown.instead else _BESIDE
            self._place = ChoiceList(
                server,
                'Where',
                (_BESIDE, _INSTEAD),
                lambda place: changed(self._name.value, place),
                place,
            )
            self._said = server.gui.add_markdown('')

    def choose(self, name: str, instead: bool) -> None:
        """Choose a robot by name; one that cannot be had is told of, and nobody is chosen."""
        self._said.content = ''
        if name == NOBODY:
            self.shown = None
            return
        try:
            if name not in self._known:
                self._known[name] = Robot.from_name_or_file(name)
            self.shown = ShownRobot(self._known[name], instead)
        except MotionGPT3Error as error:
            self.shown = None
            self._name.leave(name, NOBODY)
            self._said.content = ' '.join(str(error).split())
