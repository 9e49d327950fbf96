# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Play, pause, speed and the time line of a page, and what else is shown of the bodies."""

from __future__ import annotations

import threading
from typing import Any

from mgpt3_ros.view.player import SPEEDS, Player
from mgpt3_ros.view.stage import Stage

_SLIDER_STEP_S = 0.05
_TOLD_S = 0.2  # between two movements of the slider while it plays


class PlayControls:
    """The folder "Play" of a page."""

    def __init__(self, server: Any, stage: Stage, lock: threading.RLock) -> None:
        self.player = Player()
        self._stage = stage
        self._told_s = -1.0
        self._drawn: tuple[float, bool] | None = None  # what is on the stage: time and follow
        gui = server.gui
        with gui.add_folder('Play'):
            self._play = gui.add_button('Pause')
            self._time = gui.add_slider('Time', 0.0, 1.0, _SLIDER_STEP_S, 0.0)
            speeds = tuple(f'{speed:g}x' for speed in SPEEDS)
            self._speed = gui.add_dropdown('Speed', speeds, initial_value='1x')
            self._loop = gui.add_checkbox('Loop', True)
            self._follow = gui.add_checkbox('Follow', True)
            self._path = gui.add_checkbox('Path', False)
            self._contacts = gui.add_checkbox('Contacts', False)

        @self._play.on_click
        def _(_: Any) -> None:
            with lock:
                self.player.play(not self.player.playing, stage.duration_s)

        @self._time.on_update
        def _(event: Any) -> None:
            if event.client is not None:  # dragged, not moved by the clock
                with lock:
                    self.player.seek(self._time.value)
                    self._told_s = self.player.time_s

        @self._speed.on_update
        def _(_: Any) -> None:
            with lock:
                self.player.speed = SPEEDS[speeds.index(self._speed.value)]

        @self._loop.on_update
        def _(_: Any) -> None:
            with lock:
                self.player.looping = self._loop.value

    def restart(self, duration_s: float) -> None:
        """Begin anew with other bodies."""
        self.player.seek(0.0)
        self.player.playing = True
        self._drawn, self._told_s = None, -1.0
        self._time.value = 0.0
        self._time.max = max(duration_s, _SLIDER_STEP_S)

    def advance(self, passed_s: float) -> None:
        """Let time pass [s] and show what is then."""
        now_s = self.player.advance(passed_s, self._stage.duration_s)
        for actor in self._stage.actors.values():
            changed = (actor.show_path, actor.show_contacts) != (
                self._path.value,
                self._contacts.value,
            )
            if changed:
                actor.show_path, actor.show_contacts = self._path.value, self._contacts.value
                self._drawn = None
        if self._drawn != (now_s, self._follow.value):
            self._stage.show(now_s, self._follow.value)
            self._drawn = (now_s, self._follow.value)
        if abs(now_s - self._told_s) >= _TOLD_S or not self.player.playing:
            self._told_s = now_s
            self._time.value = round(now_s, 2)
        label = 'Pause' if self.player.playing else 'Play'
        if self._play.label != label:
            self._play.label = label
