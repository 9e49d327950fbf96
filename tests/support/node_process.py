# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node of this package, running as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from mgpt3_ros.nodes.client import node_command
from tests.support import apart, programs

ROOT = Path(__file__).resolve().parents[2]


class NodeProcess:
    """Started as ``python -m mgpt3_ros.nodes.EXECUTABLE --ros-args -p NAME:=VALUE ...``.

    Or forked, as by its executable, where PyTorch is loaded already: in a tenth of the time.
    """

    def __init__(
        self,
        executable: str,
        parameters: dict[str, object],
        log: Path,
        namespace: str = '',
        forked: bool = False,
        bodies: Sequence[str] = (),
    ) -> None:
        values = {name: json.dumps(value) for name, value in parameters.items()}
        command = node_command(executable, values, namespace, bodies)
        self.log = log
        self._process = forked_node(command, log) if forked else _started(command, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def output(self) -> str:
        return self.log.read_text(errors='replace')

    def memory_mb(self) -> float:
        pages = int(Path(f'/proc/{self.pid}/statm').read_text().split()[1])
        return pages * os.sysconf('SC_PAGE_SIZE') / 1e6

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self, number: signal.Signals, timeout_s: float = 20.0) -> tuple[int, float]:
        """Send a signal; return the exit code and how long the process took to go [s].

        In that time others' time is not counted, for which it stood ready and had no core.
        """
        begin, stood_s = time.monotonic(), self._stood_ready_s()
        waited_s = 0.0
        self.send(number)
        while True:
            waited_s = max(waited_s, self._stood_ready_s() - stood_s)
            try:
                code = self.wait(0.005)
            except subprocess.TimeoutExpired:
                if time.monotonic() - begin > timeout_s:
                    raise
            else:
                return code, time.monotonic() - begin - waited_s

    def _stood_ready_s(self) -> float:
        """How long its main thread has waited for a core so far [s]; 0 where nobody counts it."""
        try:
            return int(Path(f'/proc/{self.pid}/schedstat').read_text().split()[1]) / 1e9
        except (OSError, IndexError):
            return 0.0

    def close(self) -> None:
        """End it, as whoever is killed leaves shared memory of DDS behind that stops the next."""
        try:
            self.end(signal.SIGTERM, 10.0)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            self.wait()

    def wait(self, timeout_s: float = 20.0) -> int:
        return self._process.wait(timeout_s)


def forked_node(command: list[str], log: Path) -> apart.Program:
    """A node of `node_command`, forked."""
    module, *words = command[command.index('-m') + 1 :]
    return apart.Program(log, programs.executable, module, words, folder=log.parent)


def _started(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    paths = [str(ROOT), os.environ.get('PYTHONPATH', '')]  # of a sourced workspace too
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))}
    with log.open('w') as file:
        return subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, env=environment, cwd=log.parent
        )
