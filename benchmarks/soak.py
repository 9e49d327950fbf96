# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Let the three functions work on a body for long, and see what grows, is lost, or becomes slow.

    python -m benchmarks.soak                    # 20 minutes
    python -m benchmarks.soak --duration 60

motion_server commands, captions and predicts; playback_node is the body, with joint states and
odometry at 100 Hz; every 3 s there is a command. Exit code 1 where a process ends, memory grows,
a command comes to no end that the queue's policy knows, or the callback of joint_states is slow.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from random import Random
from statistics import median

from rclpy.qos import QoSProfile
from std_msgs.msg import String
from tqdm import tqdm
from trajectory_msgs.msg import JointTrajectory

from benchmarks.bounds import SENTENCES
from benchmarks.harness import SERVER_NODES, Harness, report
from benchmarks.table import Row

DURATION_S = 1200.0
RATE_HZ = 100.0
COMMAND_EVERY_S = 3.0
GROWTH_MB = 20.0
CALLBACK_MS = 5.0
_WARM_UP = 0.1  # share of the duration after which memory must not grow any more


class Soak:
    """The run, and what its nodes said of themselves once a second."""

    def __init__(self, harness: Harness, checkpoint: str, seed: int) -> None:
        self.harness = harness
        self.commands = 0
        self.callback_ms: dict[str, list[float]] = {name: [] for name in SERVER_NODES}
        self.errors: set[str] = set()
        self._random = Random(seed)
        harness.on_health.append(self._look)
        parameters = {'checkpoint': checkpoint, 'device': 'cpu', 'refuse_unknown': False}
        harness.start('motion_server', parameters)
        harness.start('playback_node', {'rate': RATE_HZ, 'publish_tf': False})
        self._publisher = harness.node.create_publisher(String, 'command', QoSProfile(depth=10))
        harness.listen(JointTrajectory, 'joint_trajectory')
        harness.listen(JointTrajectory, 'predicted_trajectory')
        harness.listen(String, 'caption')

    def run(self, duration_s: float) -> None:
        """Give commands for a while, then let the last one come to its end.

        Raises:
            FailedError: a process ends.
        """
        harness = self.harness
        harness.until_active(*(f'/{name}' for name in SERVER_NODES))
        harness.until(self._publisher.get_subscription_count, 'an ear for command')
        for values in self.callback_ms.values():
            values.clear()
        begin = time.monotonic()
        with tqdm(total=round(duration_s), unit='s', disable=None) as bar:
            while (passed_s := time.monotonic() - begin) < duration_s:
                if passed_s >= self.commands * COMMAND_EVERY_S:
                    self._publisher.publish(String(data=self._random.choice(SENTENCES)))
                    self.commands += 1
                for process in harness.processes:
                    process.look(begin)
                    if not self._all_work():
                        process.memories_mb.clear()  # growing is right until then
                bar.update(int(passed_s) - bar.n)
                harness.spin_for(0.25)
        for process in harness.processes:
            process.look(begin)
        seen = harness.statuses
        harness.until(lambda: seen['queued'] + seen['refused'] >= self.commands, 'the last status')
        harness.until(lambda: seen['open'] == 0, 'the last command to end')

    def _all_work(self) -> bool:
        """Whether each function has given something."""
        topics = ('joint_trajectory', 'caption', 'predicted_trajectory')
        return all(self.harness.heard[topic] for topic in topics)

    def _look(self, name: str, values: Mapping[str, str]) -> None:
        name = name.strip('/')
        if name in self.callback_ms:
            self.callback_ms[name].append(float(values['joint_states_p95_ms']))
        if values.get('last_error'):
            self.errors.add(f'{name}: {values["last_error"]}')

    def rows(self) -> list[Row]:
        """Return what was measured."""
        harness, seen = self.harness, self.harness.statuses
        ended = sum(seen[word] for word in ('published', 'dropped', 'refused'))
        rows = [
            Row('commands', self.commands, ''),
            Row('of these published', seen['published'], ''),
            Row('replaced by a newer one (queue_policy latest)', seen['dropped'], ''),
            Row('refused or failed', seen['refused'] + seen['failed'], '', 0.0),
            Row('without an end', max(self.commands - ended, 0), '', 0.0),
            Row('captions', harness.heard['caption'], ''),
            Row('predictions', harness.heard['predicted_trajectory'], ''),
            Row('errors', len(self.errors), '', 0.0),
        ]
        for name in SERVER_NODES:
            worst, usual = max(self.callback_ms[name]), median(self.callback_ms[name])
            rows.append(Row(f'{name}: p95 of joint_states, worst 10 s', worst, 'ms', CALLBACK_MS))
            rows.append(Row(f'{name}: p95 of joint_states, median', usual, 'ms'))
            heard = harness.count(f'/{name}', 'joint_states')
            rows.append(Row(f'{name}: joint states heard', heard, ''))
        for process in harness.processes:
            memories = [memory for _, memory in process.memories_mb]
            warm = max(memories[: max(int(_WARM_UP * len(memories)), 1)])
            rows.append(Row(f'{process.name}: memory of its own', memories[-1], 'MB'))
            rows.append(Row(f'{process.name}: growth', memories[-1] - warm, 'MB', GROWTH_MB))
        return rows


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 if nothing broke, grew, was lost or became slow."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.soak', description=__doc__)
    parser.add_argument('--duration', type=float, default=DURATION_S, help='seconds')
    parser.add_argument('--seed', type=int, default=0, help='of the sentences')
    parser.add_argument('--checkpoint', default='', help='folder of the model (the shipped one)')
    options = parser.parse_args(argv)

    def run(harness: Harness) -> list[Row]:
        soak = Soak(harness, options.checkpoint, options.seed)
        soak.run(options.duration)
        for error in sorted(soak.errors):
            print(error)
        return soak.rows()

    return report(run)


if __name__ == '__main__':
    sys.exit(main())
