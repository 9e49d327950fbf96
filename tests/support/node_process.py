# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node of this package, running as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from mgpt3_ros.nodes.client import node_command

ROOT = Path(__file__).resolve().parents[2]


class NodeProcess:
    """Started as ``python -m mgpt3_ros.nodes.EXECUTABLE --ros-args -p NAME:=VALUE ...``."""

    def __init__(
        self, executable: str, parameters: dict[str, object], log: Path, namespace: str = ''
    ) -> None:
        values = {name: json.dumps(value) for name, value in parameters.items()}
        command = node_command(executable, values, namespace)
        self.log = log
        self._file = log.open('w')
        paths = [str(ROOT), os.environ.get('PYTHONPATH', '')]  # of a sourced workspace too
        environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))}
        self._process = subprocess.Popen(
            command, stdout=self._file, stderr=subprocess.STDOUT, env=environment, cwd=log.parent
        )

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
        self._process.send_signal(number)
        while True:
            waited_s = max(waited_s, self._stood_ready_s() - stood_s)
            try:
                code = self._process.wait(0.005)
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

    def wait(self, timeout_s: float = 20.0) -> int:
        return self._process.wait(timeout_s)

    def kill(self) -> None:
        if self.alive:
            self._process.kill()
            self._process.wait()
        self._file.close()
