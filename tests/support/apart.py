# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes of their own, which may be killed, and which have PyTorch loaded already.

All are forked from one server that imports what they need once: PyTorch alone takes seconds.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

_FORKS = multiprocessing.get_context('forkserver')
# torch._dynamo: PyTorch's optimisers import it when the first one is made.
_FORKS.set_forkserver_preload(
    ['mgpt3_ros.training.stages', 'torch._dynamo', 'mgpt3_ros.nodes.motion_server']
)
_PATIENCE_S = 120.0


def started(
    log: Path, target: Callable[..., int | None], *arguments: Any, **environment: str
) -> BaseProcess:
    """Start ``sys.exit(target(*arguments))`` in a process whose output goes to a file."""
    process = _FORKS.Process(target=_run, args=(log, target, arguments, environment))
    process.start()
    return process


def event() -> Event:
    """An event that can be handed to such a process."""
    return _FORKS.Event()


class Program:
    """A program in a process that begins as if a shell had started it, and is held as a `Popen`.

    Its environment is that of this process now. At its end the interpreter is not put away, which
    is how multiprocessing ends its processes.
    """

    def __init__(
        self,
        log: Path,
        call: Callable[..., object],
        *arguments: Any,
        folder: Path,
        **environment: str,
    ) -> None:
        """Start it.

        Args:
            log: the file that its output goes to.
            call: called with ``arguments``; what it returns is the exit code, as of ``sys.exit``.
            arguments: of it.
            folder: where it runs.
            environment: variables that it has beside this process's.
        """
        log.touch()
        given = (log, call, arguments, {**os.environ, **environment}, str(folder))
        self._process = _FORKS.Process(target=_program, args=given, daemon=True)
        self._process.start()
        self.pid = self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired('a program', timeout or 0.0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def exit_code(process: BaseProcess) -> int | None:
    """Wait for the end of a process; -9 if signal 9 ended it, None if it does not end."""
    process.join(_PATIENCE_S)
    code = process.exitcode
    process.kill()
    process.join()
    return code


def _run(
    log: Path,
    target: Callable[..., int | None],
    arguments: tuple[Any, ...],
    environment: Mapping[str, str],
) -> None:
    os.environ.update(environment)
    with log.open('w') as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.exit(target(*arguments))


def _program(
    log: Path,
    call: Callable[..., object],
    arguments: tuple[Any, ...],
    environment: dict[str, str],
    folder: str,
) -> None:
    with log.open('w') as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.exit(call(*arguments))  # type: ignore[arg-type]
