# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What share of a core motion_server takes, part by part: idle, and beside a body that moves.

    python -m benchmarks.shares
    python -m benchmarks.shares --seconds 30

A body moves before it all the time, its joint states and odometry at 100 Hz over DDS. One part
after the other is switched on: hearing, captions at 1 Hz, predictions at 2 Hz. A part's share is
what the process takes more with it. Threads are told apart too: the executor, the worker, the
middleware.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import defaultdict
from pathlib import Path

from std_srvs.srv import SetBool

from benchmarks.feed import Feed
from benchmarks.harness import SERVER_NODES, FailedError, Harness, Process
from benchmarks.table import Row, circumstances, print_table

RATE_HZ = 100.0
SECONDS, SETTLING_S = 20.0, 3.0
IDLE_PERCENT, BUSY_PERCENT = 3.0, 20.0  # targets of the project, of one core


def threads_s(process: Process) -> dict[str, float]:
    """CPU time so far [s] of the executor's thread, of the worker's and of the middleware's."""
    spent: dict[str, float] = defaultdict(float)
    tasks = Path(f'/proc/{process.popen.pid}/task')
    for task in tasks.iterdir():
        try:
            head, _, rest = (task / 'stat').read_text().rpartition(')')
        except OSError:  # it has ended
            continue
        name, fields = head.partition('(')[2], rest.split()
        kind = 'middleware' if name.startswith('dds') else 'worker'
        if int(task.name) == process.popen.pid:
            kind = 'executor'
        spent[kind] += (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
    return spent


class Shares:
    """A motion_server, a body before it, and what the server takes."""

    def __init__(self, harness: Harness, seconds: float, checkpoint: str) -> None:
        self.harness, self.seconds = harness, seconds
        parameters = {
            'checkpoint': checkpoint,
            'device': 'cpu',
            'caption_period_s': 1.0,
            'predict_rate_hz': 2.0,
        }
        self.process = harness.start('motion_server', parameters)
        self.feed: Feed | None = None  # the body, once it moves
        harness.until_active(*(f'/{name}' for name in SERVER_NODES))

    def enable(self, node: str, on: bool) -> None:
        """Switch a node on or off."""
        client = self.harness.node.create_client(SetBool, f'{node}/enable')
        self.harness.until(client.service_is_ready, f'{node}/enable')
        future = client.call_async(SetBool.Request(data=on))
        self.harness.until(future.done, f'an answer of {node}/enable')

    def pass_time(self, seconds: float) -> None:
        """Let the body move, or nothing."""
        if self.feed is None:
            self.harness.spin_for(seconds)
        else:
            self.feed.send(RATE_HZ, seconds)

    def percent(self) -> dict[str, float]:
        """Percent of a core that each kind of thread takes now."""
        self.pass_time(SETTLING_S)
        before, begun_s = threads_s(self.process), time.monotonic()
        self.pass_time(self.seconds)
        passed_s = time.monotonic() - begun_s
        after = threads_s(self.process)
        return {kind: 100 * (after[kind] - before[kind]) / passed_s for kind in after}

    def rows(self) -> list[Row]:
        """Measure all."""
        found = {'idle': self.percent()}
        for node in ('caption_node', 'predict_node'):
            self.enable(node, False)
        self.feed = Feed(self.harness)
        found['hearing'] = self.percent()
        self.enable('caption_node', True)
        found['captions, 1 Hz'] = self.percent()
        self.enable('predict_node', True)
        before = self._counts()
        found['predictions, 2 Hz'] = self.percent()
        counts = {name: count - before[name] for name, count in self._counts().items()}
        rows = [Row('idle', sum(found['idle'].values()), '%', IDLE_PERCENT)]
        less = sum(found['idle'].values())
        for part in list(found)[1:]:
            all_ = sum(found[part].values())
            rows.append(Row(f'{part}: more', all_ - less, '%'))
            less = all_
        rows.append(Row('all of it', less, '%', BUSY_PERCENT))
        rows += [
            Row(f'of it {kind}', share, '%') for kind, share in found['predictions, 2 Hz'].items()
        ]
        # A machine that is busy with other things does not keep the rates.
        passed_s = self.seconds + SETTLING_S
        return rows + [Row(f'{name} a second', n / passed_s, '') for name, n in counts.items()]

    def _counts(self) -> dict[str, int]:
        """How much was heard, and said of it, so far."""
        self.harness.health.clear()
        self.harness.until_active(*(f'/{name}' for name in SERVER_NODES))
        return {
            'joint states': self.harness.count('/generate_node', 'joint_states'),
            'captions': self.harness.count('/caption_node', 'answers'),
            'predictions': self.harness.count('/predict_node', 'answers'),
        }


def main(argv: list[str] | None = None) -> int:
    """Return 0 if everything could be measured, also where a target was missed."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.shares',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--seconds', type=float, default=SECONDS, help='of each part')
    parser.add_argument('--checkpoint', default='', help='folder of the model (the shipped one)')
    options = parser.parse_args(argv)
    print(circumstances())
    with Harness() as harness:
        try:
            rows = Shares(harness, options.seconds, options.checkpoint).rows()
        except FailedError as error:
            print(f'failed: {error}', file=sys.stderr)
            return 1
    print_table(rows)
    return 0


if __name__ == '__main__':
    sys.exit(main())
