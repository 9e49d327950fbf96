# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""viser's server, for this machine alone: nothing is loaded from outside or shared outside."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
from collections.abc import Iterator
from typing import Any

from mgpt3_ros.model.extras import extra
from mgpt3_ros.view.ports import LOCALHOST, require_free

with extra('view'):
    import viser

_log = logging.getLogger(__name__)


class _LocalServer(viser.ViserServer):
    """A server that no page can ask to be shared: viser would tunnel it to the outside."""

    def request_share_url(self, verbose: bool = True) -> str | None:
        return None


def start_server(host: str = LOCALHOST, port: int = 0, label: str = 'mgpt3') -> viser.ViserServer:
    """Start a server.

    Args:
        host: address to listen on; viser's own default would be every one of the machine.
        port: 0 for any that is free.
        label: what the panel is called.

    Raises:
        ViewError: the port is in use, or the address is not this machine's.
    """
    require_free(host, port)  # viser would silently take the next one
    logging.getLogger('websockets.server').addFilter(_without_traceback)
    with _silent():
        server = _LocalServer(host=host, port=port, label=label, verbose=False)
    server.get_event_loop().set_exception_handler(_on_fault)
    server.gui.configure_theme(show_logo=False, show_share_button=False)
    server.gui.main_panel.dock_right()
    return server


def stop_server(server: viser.ViserServer) -> None:
    """Stop it; viser would tell of it on standard output."""
    with _silent():
        server.stop()


def address_of(server: viser.ViserServer) -> str:
    """What a browser is told to open."""
    host = server.get_host()
    shown = 'localhost' if host in ('0.0.0.0', '::') else host
    return f'http://{shown}:{server.get_port()}'


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _without_traceback(record: logging.LogRecord) -> bool:
    """Let a page that sends nonsense be told of in one line."""
    if record.exc_info and record.exc_info[1] is not None:
        record.msg = f'a page was cut off: {record.getMessage()}: {record.exc_info[1]!r}'
        record.args, record.exc_info, record.exc_text = (), None, None
    return True


def _on_fault(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What a page sent was of the right form and made no sense."""
    _log.warning('a message of a page was left out: %r', context.get('exception'))
