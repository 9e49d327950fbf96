# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.crowd``: commands where many listen, one is stuck, and after a crash.

generate_node is sent commands while many others subscribe to its trajectories; then one of these
processes is stopped, which a reliable publisher must not wait for; then the node is killed as by
the kernel (SIGKILL) and started again. Run it while nothing else runs.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory

from benchmarks.harness import Harness, report
from benchmarks.table import Row

LISTENERS, COMMANDS = 200, 20
SENTENCES = ('a person waves with both hands.', 'a person takes a bow.')
# Run in another process, as others' nodes are.
_LISTENER = """
import sys
import rclpy
from rclpy.executors import ExternalShutdownException
from trajectory_msgs.msg import JointTrajectory
rclpy.init()
node = rclpy.create_node('listener')
for _ in range(int(sys.argv[1])):
    node.create_subscription(JointTrajectory, 'joint_trajectory', lambda _: None, 10)
try:
    rclpy.spin(node)
except ExternalShutdownException:
    pass
"""


@contextmanager
def listeners(harness: Harness, count: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that subscribes to the trajectories ``count`` times."""
    node = harness.node
    before = node.count_subscribers('joint_trajectory')
    process = subprocess.Popen([sys.executable, '-c', _LISTENER, str(count)])
    try:
        harness.until(
            lambda: node.count_subscribers('joint_trajectory') == before + count, 'listeners'
        )
        yield process
    finally:  # in good order: one that is killed is thought to be there for twenty seconds
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait()
        harness.until(lambda: node.count_subscribers('joint_trajectory') == before, 'their end')


class Commands:
    """Sends commands, and takes the time until their trajectories."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self._heard_s: list[float] = []
        self._published = 0
        harness.listen(JointTrajectory, 'joint_trajectory', self._on_trajectory)
        harness.listen(DiagnosticStatus, 'generate_node/status', self._on_status)
        self._commands = harness.node.create_publisher(String, 'command', 10)

    def _on_trajectory(self, _: JointTrajectory) -> None:
        self._heard_s.append(time.monotonic())

    def _on_status(self, status: DiagnosticStatus) -> None:
        self._published += status.message == 'published'

    def once(self, text: str) -> float:
        """From a command to its trajectory, as heard here [s]."""
        self._harness.until(self._commands.get_subscription_count, 'an ear for command')
        published, heard = self._published, len(self._heard_s)
        begun_s = time.monotonic()
        self._commands.publish(String(data=text))
        self._harness.until(
            lambda: self._published > published and len(self._heard_s) > heard, text
        )
        return self._heard_s[heard] - begun_s

    def until_heard(self, text: str) -> None:
        """Send a command four times a second until it is answered: nobody may hear it yet."""
        heard = len(self._heard_s)
        while len(self._heard_s) == heard:
            self._commands.publish(String(data=text))
            self._harness.spin_for(0.25)

    def rows(self, name: str, count: int) -> list[Row]:
        """Median and longest of ``count`` commands; none may be lost."""
        took_s = [self.once(SENTENCES[number % len(SENTENCES)]) for number in range(count)]
        return [
            Row(f'{name}, median', float(np.median(took_s)), 's'),
            Row(f'{name}, longest', max(took_s), 's'),
        ]


def crowd(harness: Harness, listening: int, count: int) -> list[Row]:
    """All rows."""
    parameters = {'device': 'cpu', 'duration_s': 2.0}
    node = harness.start('generate_node', parameters)
    commands = Commands(harness)
    harness.until_active('/generate_node')
    commands.once(SENTENCES[0])
    rows = commands.rows('command to trajectory, one listener', count)
    with listeners(harness, listening):
        rows += commands.rows(f'{listening} more', count)
    with listeners(harness, 1) as stuck:
        stuck.send_signal(signal.SIGSTOP)
        rows += commands.rows('one more that is stopped', count)
    node.popen.kill()
    node.popen.wait()
    harness.processes.remove(node)
    begun_s = time.monotonic()
    harness.start('generate_node', parameters)
    commands.until_heard(SENTENCES[0])
    rows.append(Row('killed, and started again to a trajectory', time.monotonic() - begun_s, 's'))
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; return 0 if every command was answered."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.crowd', description=__doc__)
    parser.add_argument('--listeners', type=int, default=LISTENERS, help='(200)')
    parser.add_argument('--commands', type=int, default=COMMANDS, help='of each row (20)')
    options = parser.parse_args(argv)
    return report(lambda harness: crowd(harness, options.listeners, options.commands))


if __name__ == '__main__':
    sys.exit(main())
