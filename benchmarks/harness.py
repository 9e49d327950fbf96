# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nodes in processes of their own and the other end of their topics, for long runs."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from std_srvs.srv import Trigger

from benchmarks.table import Row, circumstances, print_table
from mgpt3_ros.nodes.client import node_command

SERVER_NODES = ('generate_node', 'caption_node', 'predict_node')
_END_S = 20.0
Launch = Callable[[list[str], Path], subprocess.Popen[bytes]]
_ENDS = ('published', 'failed', 'refused', 'dropped', 'cancelled')


def report(run: Callable[[Harness], Iterable[Row]]) -> int:
    """Print the rows of a long run; return 0 if it showed no fault and all targets were met."""
    print(circumstances())
    with Harness() as harness:
        try:
            rows = list(run(harness))
        except FailedError as error:
            print(f'failed: {error}', file=sys.stderr)
            return 1
    print_table(rows)
    return 1 if any(row.met == 'NO' for row in rows) else 0


def launched(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a process that writes to ``log``."""
    with log.open('wb') as file:
        return subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)


class FailedError(Exception):
    """A run has shown a fault; the message says which."""


@dataclass
class Process:
    """A process of nodes: what it writes, what memory it has."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path
    memories_mb: list[tuple[float, float]] = field(default_factory=list)  # (time [s], own [MB])

    def look(self, begun_s: float) -> None:
        """Take note of the memory now.

        Raises:
            FailedError: it has ended.
        """
        if self.popen.poll() is not None:
            tail = '\n'.join(self.output.splitlines()[-20:])
            raise FailedError(f'{self.name} ended with code {self.popen.returncode}:\n{tail}')
        memory_mb = 0.0
        try:
            for line in Path(f'/proc/{self.popen.pid}/status').read_text().splitlines():
                # Not mapped files: those come and go as the system likes.
                if line.startswith(('RssAnon:', 'VmSwap:')):
                    memory_mb += int(line.split()[1]) / 1000.0
        except OSError as error:
            raise FailedError(f'{self.name} is gone: {error}') from error
        self.memories_mb.append((time.monotonic() - begun_s, memory_mb))

    def cpu_s(self) -> float:
        """CPU time of all its threads so far [s]."""
        fields = Path(f'/proc/{self.popen.pid}/stat').read_text().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    @property
    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text(errors='replace')


class Harness:
    """Starts nodes, hears them and waits for them; to be used with ``with``.

    Unless the environment names a domain, one at random is taken, and only this machine is spoken
    to: what is sent here must not reach a robot.

    Attributes:
        health: the newest diagnostics of each node, by its full name.
        statuses: of commands: how many ended in which way; ``open`` ones have not ended.
        reasons: of those that failed.
    """

    def __init__(self, launch: Launch | None = None) -> None:
        """Join the domain.

        Args:
            launch: starts a command line that writes to a file; None for :func:`launched`.
        """
        self._launch = launch or launched
        self.domain = int(os.environ.get('ROS_DOMAIN_ID', random.randint(1, 101)))
        os.environ['ROS_DOMAIN_ID'] = str(self.domain)
        os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
        self.begun_s = time.monotonic()
        self.processes: list[Process] = []
        self.health: dict[str, dict[str, str]] = {}
        self.statuses: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.heard: Counter[str] = Counter()
        self.last: dict[str, Any] = {}
        self.on_health: list[Callable[[str, Mapping[str, str]], None]] = []
        self._open: set[str] = set()
        self._clients: dict[str, Any] = {}
        self._folder = tempfile.TemporaryDirectory(prefix='mgpt3_')
        self._context = Context()
        rclpy.init(context=self._context, domain_id=self.domain)
        self.node = rclpy.create_node('benchmark', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self.listen(DiagnosticArray, '/diagnostics', self._on_diagnostics)
        self.listen(DiagnosticStatus, 'generate_node/status', self._on_status)

    def __enter__(self) -> Harness:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)
        for process in self.processes:
            if process.popen.poll() is None:
                process.popen.send_signal(signal.SIGINT)
        for process in self.processes:
            try:
                process.popen.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.popen.kill()
                process.popen.wait()
        self._folder.cleanup()

    def start(
        self,
        executable: str,
        parameters: Mapping[str, object],
        namespace: str = '',
        bodies: Sequence[str] = (),
    ) -> Process:
        """Start ``mgpt3_ros.nodes.EXECUTABLE`` as a process."""
        values = {name: json.dumps(value) for name, value in parameters.items()}
        command = node_command(executable, values, namespace, bodies)
        log = Path(self._folder.name) / f'{len(self.processes)}.log'
        self.processes.append(Process(executable, self._launch(command, log), log))
        return self.processes[-1]

    def listen(
        self, kind: type, topic: str, take: Callable[[Any], None] | None = None, depth: int = 1000
    ) -> None:
        """Count what comes on a topic, keep the last of it and hand it to ``take``."""

        def heard(message: Any) -> None:
            self.heard[topic] += 1
            self.last[topic] = message
            if take is not None:
                take(message)

        self.node.create_subscription(kind, topic, heard, QoSProfile(depth=depth))

    def spin_for(self, seconds: float) -> None:
        """Hear what comes for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    def until(self, condition: Callable[[], Any], what: str, timeout_s: float = 300.0) -> Any:
        """Hear what comes until ``condition`` holds; return its value.

        Raises:
            FailedError: the time is up, or a process has ended.
        """
        end = time.monotonic() + timeout_s
        while not (value := condition()):
            for process in self.processes:
                process.look(self.begun_s)
            if time.monotonic() > end:
                raise FailedError(f'waited {timeout_s:.0f} s for {what}')
            self.spin_for(0.1)
        return value

    def call(self, service: str) -> tuple[bool, str]:
        """Call a Trigger service; return success and message."""
        if service not in self._clients:
            self._clients[service] = self.node.create_client(Trigger, service)
        client = self._clients[service]
        self.until(client.service_is_ready, f'service {service}')
        future = client.call_async(Trigger.Request())
        self.until(future.done, f'an answer of {service}')
        return future.result().success, future.result().message

    def until_active(self, *names: str) -> None:
        """Wait until nodes say in their diagnostics that they are active."""
        for name in names:
            self.until(
                lambda name=name: self.health.get(name, {}).get('state') == 'active',
                f'{name} to be active',
            )

    def count(self, name: str, value: str) -> int:
        """Return a number of a node's newest diagnostics."""
        return int(self.health.get(name, {}).get(value, '0'))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            self.health[status.name] = values
            for take in self.on_health:
                take(status.name, values)

    def _on_status(self, message: DiagnosticStatus) -> None:
        values = {pair.key: pair.value for pair in message.values}
        number = values['id']
        self.statuses[message.message] += 1
        if message.message == 'failed':
            self.reasons[values['reason']] += 1
        if message.message in _ENDS:
            self._open.discard(number)
        elif message.message != 'judged':  # which comes after the end
            self._open.add(number)
        self.statuses['open'] = len(self._open)
