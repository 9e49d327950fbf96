# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a port can be listened on, said before a server begins."""

from __future__ import annotations

import errno
import socket

from mgpt3_ros.model.errors import ViewError

LOCALHOST = '127.0.0.1'


def require_free(host: str, port: int) -> None:
    """See that a port can be had.

    Raises:
        ViewError: it is in use or no port, or the address is not this machine's.
    """
    try:
        with socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
    except OverflowError as error:
        raise ViewError(f'port {port}: give a number from 0 to 65535') from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ViewError(
                f'port {port} of {host} is in use: give another with --port, or 0 for any'
            ) from error
        raise ViewError(
            f'{host}:{port} cannot be listened on: {error.strerror or error}'
        ) from error
