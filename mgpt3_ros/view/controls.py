# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Play, pause, speed and the time line of a page with its parts, and what is shown of bodies."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

from mgpt3_ros.view.choice_list import call_on_loop
from mgpt3_ros.view.player import SPEEDS, Player
from mgpt3_ros.view.stage import Stage

_SLIDER_STEP_S = 0.05
_TOLD_S = 0.2  # between two movements of the slider while it plays


class PlayControls:
    """The folder "Play" of a page."""

    def __init__(self, server: Any, stage: Stage, lock: threading.RLock) -> None:
        self.player = Player()
        self._stage = stage
        self._gui = server.gui
        self._server = server
        self._told_s = -1.0
        self._sought: deque[float] = deque()  # times that pages asked for since the last look
        self._part = -1  # which is told to be done
        self._drawn: tuple[float, bool] | None = None  # what is on the stage: time and follow
        gui = server.gui
        self._folder = gui.add_folder('Play')
        with self._folder:
            self._play = gui.add_button('Pause')
            self._time = self._time_line(1.0)
            self._words = gui.add_markdown('')
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

        @self._speed.on_update
        def _(_: Any) -> None:
            with lock:
                self.player.speed = SPEEDS[speeds.index(self._speed.value)]

        @self._loop.on_update
        def _(_: Any) -> None:
            with lock:
                self.player.looping = self._loop.value

    def show_path_and_contacts(self) -> None:
        """Tick both boxes."""
        self._path.value = self._contacts.value = True

    def _time_line(self, duration_s: float, marks: Sequence[float] = ()) -> Any:
        """The slider of times, with a mark where each part begins."""
        line = self._gui.add_slider(
            'Time', 0.0, duration_s, _SLIDER_STEP_S, 0.0, marks=tuple(marks) or None, order=0.5
        )

        # A coroutine runs on the server's loop right after the page's value was set, and the clock
        # sets its own there too: neither can come between, and what was asked for is never lost.
        @line.on_update
        async def _(event: Any) -> None:
            if event.client is not None:  # dragged, not moved by the clock
                self._sought.append(line.value)

        return line

    def restart(self, duration_s: float) -> None:
        """Begin anew with other bodies."""
        self.player.seek(0.0)
        self.player.playing = True
        self._drawn, self._told_s, self._part = None, -1.0, -1
        self._sought.clear()
        call_on_loop(self._server, self._time.remove)  # after what is still to be told to it
        with self._folder:
            starts = [start_s for start_s, _ in self._stage.parts if start_s < duration_s]
            self._time = self._time_line(max(duration_s, _SLIDER_STEP_S), starts)

    def _tell_part(self, now_s: float) -> None:
        """List the parts and their words; the one that is done now is bold."""
        parts = self._stage.parts
        part = sum(start_s <= now_s for start_s, _ in parts) - 1
        if part == self._part:
            return
        self._part = part
        lines = []
        for number, (start_s, text) in enumerate(parts):
            words = text.replace('<', '&lt;') or '(no words)'
            lines.append(f'- {start_s:.1f} s ' + (f'**{words}**' if number == part else words))
        self._words.content = '\n'.join(lines)

    def advance(self, passed_s: float) -> None:
        """Let time pass [s] and show what is then."""
        while self._sought:
            self.player.seek(self._sought.popleft())
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
            call_on_loop(self._server, setattr, self._time, 'value', round(now_s, 2))
        self._tell_part(now_s)
        label = 'Pause' if self.player.playing else 'Play'
        if self._play.label != label:
            self._play.label = label
