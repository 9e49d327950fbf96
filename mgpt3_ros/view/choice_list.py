# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A list of a page of which one is chosen, by who looks at it or by the server."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any


def call_on_loop(server: Any, call: Callable[..., object], *arguments: object) -> None:
    """Have the server's loop call something; one that has ended shows no page any more."""
    with contextlib.suppress(RuntimeError):
        server.get_event_loop().call_soon_threadsafe(call, *arguments)


class ChoiceList:
    """A list in which no choice of a page is lost to what the server sets at the same time.

    What a page chooses is read on the server's loop, right after it was set there, and what the
    server sets is set there too: neither can come between.
    """

    def __init__(
        self,
        server: Any,
        label: str,
        options: Sequence[str],
        on_choice: Callable[[str], None] | None = None,
        first: str | None = None,
    ) -> None:
        """Add it.

        Args:
            server: viser's.
            label: beside it.
            options: to choose from, one at least.
            on_choice: told what a page has chosen, one at a time in a thread of the loop's; of
                several at once the last.
            first: what is chosen at first; None for the first of ``options``.
        """
        self._server = server
        self._list = server.gui.add_dropdown(label, tuple(options), initial_value=first)
        self._chosen: deque[str] = deque()  # by pages, since on_choice was last told
        self._telling = threading.Lock()
        if on_choice is not None:
            self._listen(on_choice)

    @property
    def value(self) -> str:
        """What is chosen."""
        return str(self._list.value)

    @property
    def uuid(self) -> str:
        """What pages call it by."""
        return str(self._list._impl.uuid)

    def show(self, options: Sequence[str], value: str | None = None) -> None:
        """Set what may be chosen, and what is; None leaves that where it can."""

        def put() -> None:
            self._list.options = tuple(options)
            if value is not None:
                self._list.value = value

        call_on_loop(self._server, put)

    def leave(self, value: str, instead: str) -> None:
        """Choose another where ``value`` is chosen still."""

        def put() -> None:
            if self._list.value == value:
                self._list.value = instead

        call_on_loop(self._server, put)

    def _listen(self, on_choice: Callable[[str], None]) -> None:
        loop = self._server.get_event_loop()

        def tell() -> None:
            with self._telling:
                chosen = ''
                while self._chosen:
                    chosen = self._chosen.popleft()
                if chosen:
                    on_choice(chosen)

        @self._list.on_update
        async def _(event: Any) -> None:
            if event.client is not None:  # chosen, not set by us
                self._chosen.append(self._list.value)
                told = loop.run_in_executor(None, tell)
                told.add_done_callback(lambda done: done.result())  # the loop logs an error
