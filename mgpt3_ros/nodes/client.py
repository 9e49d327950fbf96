# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A generate_node in a process of its own, and the other end of its topics in this one.

For the demo and the benchmarks: what they see is what any other node would see.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory, MultiDOFJointTrajectory

from mgpt3_ros.model.errors import GenerationError
from mgpt3_ros.nodes.commands import FIRST_STATUSES

_END_S = 10.0


@dataclass(frozen=True)
class Answer:
    """What came back for a command.

    seconds: from sending the command to having received both trajectories.
    status: the values of the status ``published``.
    """

    joints: JointTrajectory
    base: MultiDOFJointTrajectory
    status: Mapping[str, str]
    seconds: float


def node_command(
    executable: str,
    parameters: Mapping[str, str],
    namespace: str = '',
    bodies: Sequence[str] = (),
) -> list[str]:
    """Command line of a node of this package; values as they stand behind ``-p``."""
    command = [sys.executable, '-m', f'mgpt3_ros.nodes.{executable}']
    if bodies:
        command += ['--bodies', ','.join(bodies)]
    command.append('--ros-args')
    for name, value in parameters.items():
        command += ['-p', f'{name}:={value}']
    if namespace:
        command += ['-r', f'__ns:=/{namespace}']
    return command


class GenerateClient:
    """Starts generate_node and speaks to it; to be used with ``with``.

    Unless the environment names a domain, one at random is taken, and only this machine is spoken
    to: a command of the demo must not move a robot that listens on the network.
    """

    def __init__(self, parameters: Mapping[str, str], timeout_s: float = 60.0) -> None:
        """Start the node.

        Args:
            parameters: names and values, as they stand behind ``-p`` on a command line.
            timeout_s: how long to wait for anything.
        """
        self._timeout_s = timeout_s
        self._sent = 0  # how many commands were sent
        self._number = ''  # of the last one in ~/status, once it is known
        self._received: dict[str, list[Any]] = {'joints': [], 'base': [], 'status': []}
        domain = int(os.environ.get('ROS_DOMAIN_ID', random.randint(1, 101)))
        os.environ['ROS_DOMAIN_ID'] = str(domain)
        os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
        # What is sent while it still loads is waited for, however long that takes.
        command = node_command('generate_node', {'max_command_age_s': '0.0', **parameters})
        # Appending: the node shares the place in the file that reading it moves.
        self._log = tempfile.TemporaryFile('a+')  # noqa: SIM115  closed in __exit__
        self.process = subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT)
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self._node = rclpy.create_node('mgpt3_client', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._commands = self._node.create_publisher(String, 'command', 10)
        for name, kind, topic in (
            ('joints', JointTrajectory, 'joint_trajectory'),
            ('base', MultiDOFJointTrajectory, 'base_trajectory'),
            ('status', DiagnosticStatus, 'generate_node/status'),
        ):
            self._node.create_subscription(kind, topic, self._received[name].append, 10)

    def __enter__(self) -> GenerateClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._log.close()

    @property
    def log(self) -> str:
        """What the node has written so far."""
        self._log.seek(0)
        return self._log.read()

    def memory_mb(self) -> float:
        """Return the largest resident memory that the node has had [MB]."""
        for line in Path(f'/proc/{self.process.pid}/status').read_text().splitlines():
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) / 1000.0
        return 0.0

    def wait_until_connected(self) -> None:
        """Wait until the node and this end have found each other.

        Raises:
            GenerationError: the node has ended, or the time is up.
        """
        topics = ('joint_trajectory', 'base_trajectory', 'generate_node/status')
        self._until(
            lambda: (
                self._commands.get_subscription_count() > 0
                and all(self._node.count_publishers(topic) for topic in topics)
            ),
            'generate_node did not come up',
        )

    def send(self, text: str) -> None:
        """Send a command; the node must be connected."""
        self._sent += 1
        self._number = ''
        self._commands.publish(String(data=text))

    def ask(self, text: str) -> Answer:
        """Send a command and wait for its trajectories.

        A command that the node refuses while it still loads is sent again.

        Raises:
            GenerationError: the command failed, the node has ended, or the time is up.
        """
        self.wait_until_connected()
        while True:
            for messages in self._received.values():
                messages.clear()
            begin = time.monotonic()
            self.send(text)
            self._until(lambda: self._complete() or self._refusal(), f'no answer to {text!r}')
            seconds = time.monotonic() - begin
            refusal = self._refusal()
            if refusal is None:
                break
            if 'the node is' not in refusal:
                raise GenerationError(f'{text!r} was not carried out: {refusal}')
        status = self._statuses()['published']
        joints, base = self._received['joints'][0], self._received['base'][0]
        return Answer(joints, base, status, seconds)

    def _complete(self) -> bool:
        both = self._received['joints'] and self._received['base']
        return bool(both) and 'published' in self._statuses()

    def _refusal(self) -> str | None:
        for word in ('refused', 'failed', 'cancelled', 'dropped', 'stopped'):
            if word in self._statuses():
                return self._statuses()[word]['reason']
        return None

    def _statuses(self) -> dict[str, dict[str, str]]:
        """What became of the command that was sent last.

        The node numbers what it is given, so those before it, of which something may be heard
        only now, have lower numbers than there are commands sent.
        """
        told = [
            (status.message, {pair.key: pair.value for pair in status.values})
            for status in self._received['status']
        ]
        for message, values in told:
            first = not self._number and message in FIRST_STATUSES
            if first and int(values['id']) >= self._sent:
                self._number = values['id']
        return {message: values for message, values in told if values['id'] == self._number}

    def _until(self, condition: Callable[[], Any], otherwise: str) -> None:
        end = time.monotonic() + self._timeout_s
        while not condition():
            if self.process.poll() is not None:
                raise GenerationError(f'generate_node has ended:\n{self.log}')
            if 'cannot load the model' in self.log:
                raise GenerationError(self.log.strip())
            if time.monotonic() > end:
                raise GenerationError(f'{otherwise} within {self._timeout_s:.0f} s:\n{self.log}')
            self._executor.spin_once(timeout_sec=0.1)
