# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node's health on /diagnostics, once a second."""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

PERIOD_S = 1.0


@dataclass
class Health:
    """What a node says of itself: level, one line, and values by name."""

    level: bytes = DiagnosticStatus.OK
    message: str = ''
    values: dict[str, str] = field(default_factory=dict)


class Diagnostics:
    """Publishes a node's health on /diagnostics at 1 Hz, from its own thread."""

    def __init__(self, node: Node, health: Callable[[], Health]) -> None:
        self._node = node
        self._health = health
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        # On a clock of its own: with sim time and no /clock the node's would never tick.
        node.create_timer(PERIOD_S, self.publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def publish(self) -> None:
        """Send the node's health now."""
        health = self._health()
        message = DiagnosticArray()
        message.header.stamp = self._node.get_clock().now().to_msg()
        status = DiagnosticStatus(
            level=health.level,
            name=self._node.get_fully_qualified_name(),
            message=health.message,
            values=[KeyValue(key=key, value=value) for key, value in health.values.items()],
        )
        message.status = [status]
        self._publisher.publish(message)


class CallbackTimes:
    """How long the last calls of a callback took, waiting for the interpreter included."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=1000)

    @contextlib.contextmanager
    def measured(self) -> Iterator[None]:
        """Measure what happens inside."""
        begin = time.perf_counter()
        yield
        self._seconds.append(time.perf_counter() - begin)

    def p95_ms(self) -> float:
        """Return the time that 95 % of the calls stay below [ms]; 0 before the first."""
        if not self._seconds:
            return 0.0
        return 1e3 * sorted(self._seconds)[int(0.95 * (len(self._seconds) - 1))]


def memory_mb() -> float:
    """Return the resident memory of this process [MB]; 0 where the system does not tell."""
    try:
        with open('/proc/self/statm', encoding='ascii') as file:
            pages = int(file.read().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf('SC_PAGE_SIZE') / 1e6


def has_nvidia() -> bool:
    """Whether this machine has an NVIDIA device, usable or not."""
    return os.path.exists('/proc/driver/nvidia') or os.path.exists('/dev/nvidiactl')
