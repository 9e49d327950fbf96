# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.operation``: what nodes cost while they run, and how fast they stop.

motion_server hears nobody, then joint states and odometry of a walking person at several rates:
its share of a core, how many of the states it lost, and how many predictions come, how old. Then
generate_node alone and playback_node at rest. Then a body walks, runs or turns and `~/cancel` is
called: how long until the trajectory that stops it, until that one ends, until the feet stand
beside one another, and how far the body still goes. Run it while nothing else runs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from statistics import median

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory, MultiDOFJointTrajectory

from benchmarks.feed import Feed
from benchmarks.followed import Followed
from benchmarks.harness import SERVER_NODES, Harness, Process, report
from benchmarks.table import Row
from mgpt3_ros.model.finishing.settling import is_stance
from mgpt3_ros.model.kinematics.skeleton import FPS

RATES_HZ = (20.0, 50.0, 100.0, 500.0)
SECONDS, CANCELS = 20.0, 12
COMMANDS = ('a person walks forward.', 'run fast', 'turn left')
_FOLLOWED_S = 3.0  # after a cancel
_MOVES = 0.03  # [m] in a frame of 0.05 s, of the fastest joint


def share(harness: Harness, process: Process, seconds: float) -> float:
    """Of one core, what a process uses while nothing is sent [%]."""
    begun_s, used_s = time.monotonic(), process.cpu_s()
    harness.spin_for(seconds)
    return 100 * (process.cpu_s() - used_s) / (time.monotonic() - begun_s)


def listening(harness: Harness, rates: Sequence[float], seconds: float) -> list[Row]:
    """What motion_server costs by what it hears."""
    ages: list[float] = []

    def aged(message: JointTrajectory) -> None:
        ages.append(time.time() - message.header.stamp.sec - 1e-9 * message.header.stamp.nanosec)

    server = harness.start('motion_server', {'device': 'cpu'})
    harness.listen(JointTrajectory, 'predicted_trajectory', aged)
    harness.until_active(*(f'/{name}' for name in SERVER_NODES))
    harness.spin_for(min(seconds, 3.0))  # what loading has left to do
    rows = [Row('motion_server, nobody talks', share(harness, server, seconds), '% of a core')]
    feed = Feed(harness)
    for rate in rates:
        feed.send(rate, min(seconds, 3.0))
        told = harness.count('/caption_node', 'joint_states')
        ages.clear()
        begun_s, used_s = time.monotonic(), server.cpu_s()
        sent = feed.send(rate, seconds)
        lasted_s = time.monotonic() - begun_s
        used = 100 * (server.cpu_s() - used_s) / lasted_s
        predicted = len(ages) / lasted_s
        harness.spin_for(2.0)  # diagnostics come once a second
        lost = 100 * max(1 - (harness.count('/caption_node', 'joint_states') - told) / sent, 0.0)
        name = f'motion_server, {rate:g} Hz with odometry'
        rows += [
            Row(name, used, '% of a core'),
            Row(f'{name}: sent at', sent / lasted_s, 'Hz'),
            Row(f'{name}: states lost', lost, '%'),
            Row(f'{name}: predictions', predicted, 'Hz'),
            Row(f'{name}: their age, median', median(ages) if ages else float('nan'), 's'),
        ]
    rows.append(Row('motion_server: memory of its own', memory_mb(harness, server), 'MB'))
    return rows


def memory_mb(harness: Harness, process: Process) -> float:
    """The memory of a process now, without mapped files [MB]."""
    process.look(harness.begun_s)
    return process.memories_mb[-1][1]


class Cancels:
    """A body that moves and is stopped, again and again."""

    def __init__(self, harness: Harness) -> None:
        self._harness, self._followed = harness, Followed()
        self._stops: list[tuple[float, float]] = []  # (heard, its length) [s]
        self._published = 0
        self.latencies: list[float] = []
        harness.listen(JointTrajectory, 'joint_trajectory', self._on_joints)
        harness.listen(MultiDOFJointTrajectory, 'base_trajectory', self._on_base)
        harness.listen(DiagnosticStatus, 'generate_node/status', self._on_status)
        self._commands = harness.node.create_publisher(String, 'command', 10)
        harness.until(self._commands.get_subscription_count, 'an ear for command')

    def _on_joints(self, message: JointTrajectory) -> None:
        self._followed.hear_joints(message, time.time())
        last = message.points[-1].time_from_start
        self._stops.append((time.time(), last.sec + 1e-9 * last.nanosec))

    def _on_base(self, message: MultiDOFJointTrajectory) -> None:
        self._followed.hear_base(message, time.time())

    def _on_status(self, status: DiagnosticStatus) -> None:
        if status.message == 'published':
            self._published += 1
            values = {pair.key: pair.value for pair in status.values}
            self.latencies.append(float(values['latency_s']))

    def once(self, text: str, moving_s: float) -> tuple[float, ...]:
        """Stop a command after a while.

        Returns:
            From the call [s]: until the trajectory that stops the body, until that ends, until it
            stands still; how far it goes meanwhile [m]; whether it then stands on both feet.
        """
        before = self._published
        self._commands.publish(String(data=text))
        self._harness.until(lambda: self._published > before, f'a trajectory of {text!r}')
        self._harness.spin_for(moving_s)
        self._stops.clear()
        called_s = time.time()
        self._harness.call('generate_node/cancel')
        self._harness.until(lambda: self._stops, 'the trajectory of the stop')
        self._harness.spin_for(_FOLLOWED_S)
        heard_s, lasts_s = self._stops[0]
        joints = self._followed.frames(called_s, called_s + _FOLLOWED_S)
        steps = np.linalg.norm(np.diff(joints, axis=0), axis=-1).max(axis=1)
        still = np.flatnonzero(steps > _MOVES)
        way = float(np.linalg.norm((joints[-1, 0] - joints[0, 0])[[0, 2]]))
        stands_s = (still[-1] + 1) / FPS if len(still) else 0.0
        stance = float(is_stance(joints[-1]))
        return heard_s - called_s, heard_s + lasts_s - called_s, stands_s, way, stance


def stopping(harness: Harness, seconds: float, cancels: int) -> list[Row]:
    """What nodes cost that do nothing, and how fast a body comes to rest."""
    node = harness.start('generate_node', {'device': 'cpu'})
    harness.until_active('/generate_node')
    harness.spin_for(min(seconds, 3.0))
    idle = share(harness, node, seconds)
    playback = harness.start('playback_node', {})
    trials = Cancels(harness)
    harness.until(lambda: harness.node.count_publishers('joint_states'), 'playback_node')
    harness.spin_for(min(seconds, 3.0))
    rows = [
        Row('generate_node alone, nobody talks', idle, '% of a core'),
        Row('playback_node, at rest', share(harness, playback, seconds), '% of a core'),
        Row('generate_node: memory of its own', memory_mb(harness, node), 'MB'),
        Row('playback_node: memory of its own', memory_mb(harness, playback), 'MB'),
    ]
    found = [
        (number % len(COMMANDS), trials.once(COMMANDS[number % len(COMMANDS)], 1.5 + 0.1 * number))
        for number in range(cancels)
    ]
    values = np.array([row for _, row in found])
    rows += [
        Row('cancel to the trajectory that stops, median', float(np.median(values[:, 0])), 's'),
        Row('cancel to its end, median', float(np.median(values[:, 1])), 's'),
        Row('cancel to standing still, median', float(np.median(values[:, 2])), 's'),
        Row('cancel to standing still, longest', float(values[:, 2].max()), 's'),
    ]
    for kind, text in enumerate(COMMANDS):
        ways = [row[3] for which, row in found if which == kind]
        if ways:
            rows.append(Row(f'way after a cancel of "{text}", median', median(ways), 'm'))
    rows += [
        Row('cancels that end in no stance', float(np.sum(values[:, 4] == 0)), '', 0.0),
        Row('command to trajectory, median', median(trials.latencies), 's'),
        Row('command to trajectory, p95', float(np.percentile(trials.latencies, 95)), 's'),
    ]
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; return 0 if every body that was stopped stands on both feet."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.operation', description=__doc__)
    parser.add_argument('--rates', type=float, nargs='*', default=RATES_HZ, help='[Hz]')
    parser.add_argument('--seconds', type=float, default=SECONDS, help='of each share (20)')
    parser.add_argument('--cancels', type=int, default=CANCELS, help='so many (12)')
    options = parser.parse_args(argv)
    codes = [report(lambda harness: listening(harness, options.rates, options.seconds))]
    codes.append(report(lambda harness: stopping(harness, options.seconds, options.cancels)))
    return max(codes)


if __name__ == '__main__':
    sys.exit(main())
