# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Many bodies in one process: latency and throughput by their number, over DDS.

    python -m benchmarks.bodies                                  # commands, mode clip
    python -m benchmarks.bodies --mode stream --bodies 1 8 32
    python -m benchmarks.bodies -o bodies.json --plot bodies.png

All bodies of one ``generate_node --bodies`` are told something in the same moment, again and
again. In mode clip: how long each waits for its trajectory, motions per second from the first
command to the last trajectory, and CPU time beside the floor of the network's own products (see
``benchmarks.floor``) for as many motions in one batch. In mode stream all move on for a while:
how long a chunk takes, how far ahead of the body the motion is at least, and what share of a core
a body takes.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from rclpy.qos import QoSProfile
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory

from benchmarks.floor import counted, measured_rates
from benchmarks.harness import FailedError, Harness, Process
from benchmarks.table import circumstances
from mgpt3_ros.model.extras import extra
from mgpt3_ros.model.motiongpt3 import MotionGPT3

NUMBERS = (1, 2, 4, 8, 16, 32)
MOTION_S = 6.0
ROUNDS = 5
STREAM_S = 20.0
SENTENCES = (
    'a person walks forward.',
    'a person waves with both hands.',
    'someone walks backward.',
    'a person takes a bow.',
)


class Bodies:
    """Bodies of one process, and the ends of their topics."""

    def __init__(self, harness: Harness, count: int, parameters: dict[str, object]) -> None:
        self.names = [f'body{number:02}' for number in range(count)]
        self.harness = harness
        self.arrived: dict[str, list[float]] = defaultdict(list)
        self.process: Process = harness.start('generate_node', parameters, bodies=self.names)
        qos = QoSProfile(depth=10)
        self._publishers = [
            harness.node.create_publisher(String, f'{name}/command', qos) for name in self.names
        ]
        for name in self.names:
            harness.listen(
                JointTrajectory,
                f'{name}/joint_trajectory',
                lambda _, name=name: self.arrived[name].append(time.monotonic()),
            )
        harness.until_active(*(f'/{name}/generate_node' for name in self.names))
        harness.until(
            lambda: all(each.get_subscription_count() for each in self._publishers), 'all bodies'
        )

    def say(self, round_: int) -> float:
        """Tell all of them something; return when."""
        begun_s = time.monotonic()
        for number, publisher in enumerate(self._publishers):
            text = SENTENCES[(number + round_) % len(SENTENCES)]
            publisher.publish(String(data=text))
        return begun_s

    def values(self, name: str) -> list[float]:
        """A value of the newest diagnostics of each."""
        health = self.harness.health
        return [float(health[f'/{body}/generate_node'][name]) for body in self.names]


def commands(bodies: Bodies, rounds: int) -> dict[str, Any]:
    """Tell all something and wait for all trajectories, again and again."""
    harness, latencies, spans = bodies.harness, [], []
    _round(bodies, 0)  # to warm up
    begun_cpu_s = bodies.process.cpu_s()
    for round_ in range(1, rounds + 1):
        waited = _round(bodies, round_)
        latencies += waited
        spans.append(max(waited))
    count = len(latencies)
    failed = harness.statuses['failed'] + harness.statuses['refused']
    latencies.sort()
    return {
        'bodies': len(bodies.names),
        'median_s': statistics.median(latencies),
        'p95_s': latencies[math.ceil(0.95 * count) - 1],
        'slowest_s': latencies[-1],
        'motions_per_s': count / sum(spans),
        'cpu_ms_a_motion': 1e3 * (bodies.process.cpu_s() - begun_cpu_s) / count,
        'failed': failed,
        'memory_mb': bodies.process.memories_mb[-1][1],
    }


def with_floors(rows: list[dict[str, Any]], checkpoint: str) -> list[dict[str, Any]]:
    """Rows of commands, each with the floor of a motion among as many in one batch."""
    torch.set_num_threads(1)
    rates, model = measured_rates(), MotionGPT3.from_pretrained(checkpoint or None, 'cpu')
    found = []
    for row in rows:
        texts = [SENTENCES[number % len(SENTENCES)] for number in range(row['bodies'])]

        def drawn(texts: list[str] = texts) -> None:
            model.generate(texts, MOTION_S, judge=False)

        each_s = counted(drawn).floor_s(rates) / len(texts)
        found.append({**row, 'floor_ms_a_motion': 1e3 * each_s})
    return found


def _round(bodies: Bodies, number: int) -> list[float]:
    """Seconds from the command to the trajectory of each body."""
    bodies.arrived.clear()
    begun_s = bodies.say(number)
    end_s = begun_s + 60.0
    while len(bodies.arrived) < len(bodies.names):
        if time.monotonic() > end_s:
            silent = sorted(set(bodies.names) - set(bodies.arrived))
            raise FailedError(f'no trajectory of {", ".join(silent)}')
        bodies.harness.spin_for(0.005)
    bodies.process.look(begun_s)
    waited = [bodies.arrived[name][0] - begun_s for name in bodies.names]
    bodies.harness.spin_for(0.3)  # what else is sent of this command
    return waited


def moving_on(bodies: Bodies, seconds: float) -> dict[str, Any]:
    """Let all move on for a while."""
    harness = bodies.harness
    _round(bodies, 0)
    harness.spin_for(3.0)
    before, begun_s, begun_cpu_s = (
        bodies.values('chunks'),
        time.monotonic(),
        bodies.process.cpu_s(),
    )
    took: list[float] = []
    ahead: list[float] = []
    while time.monotonic() - begun_s < seconds:
        harness.spin_for(1.0)
        took += bodies.values('chunk_took_s')
        ahead += bodies.values('ahead_s')
    passed_s = time.monotonic() - begun_s
    bodies.process.look(begun_s)
    chunks = sum(bodies.values('chunks')) - sum(before)
    return {
        'bodies': len(bodies.names),
        'chunks_per_s': chunks / passed_s,
        'chunk_took_median_s': statistics.median(took),
        'chunk_took_slowest_s': max(took),
        'ahead_least_s': min(ahead),
        'core_percent': 100 * (bodies.process.cpu_s() - begun_cpu_s) / passed_s,
        'memory_mb': bodies.process.memories_mb[-1][1],
    }


COLUMNS = {
    'clip': {
        'bodies': 'bodies',
        'median_s': 'latency, median [s]',
        'p95_s': 'p95 [s]',
        'slowest_s': 'slowest [s]',
        'motions_per_s': 'motions/s',
        'cpu_ms_a_motion': 'CPU ms a motion',
        'floor_ms_a_motion': 'floor [ms]',
        'memory_mb': 'memory [MB]',
    },
    'stream': {
        'bodies': 'bodies',
        'chunks_per_s': 'chunks/s',
        'chunk_took_median_s': 'a chunk, median [s]',
        'chunk_took_slowest_s': 'slowest [s]',
        'ahead_least_s': 'least ahead [s]',
        'core_percent': '% of a core',
        'memory_mb': 'memory [MB]',
    },
}


def table(mode: str, rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    columns = COLUMNS[mode]
    lines = ['| ' + ' | '.join(columns.values()) + ' |', '|' + '---|' * len(columns)]
    for row in rows:
        cells = [f'{row[name]:.3g}' if row[name] < 100 else f'{row[name]:.0f}' for name in columns]
        lines.append('| ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw latency, throughput and CPU time of commands by the number of bodies."""
    with extra('eval'):
        import matplotlib

        matplotlib.use('Agg')
        from matplotlib import pyplot

    figure, (latency, throughput, busy) = pyplot.subplots(1, 3, figsize=(12, 3.2))
    numbers = [row['bodies'] for row in rows]
    for name, label in (('median_s', 'median'), ('p95_s', 'p95')):
        latency.plot(numbers, [1e3 * row[name] for row in rows], marker='o', ms=3, label=label)
    alone = 1e3 * rows[0]['median_s'] / numbers[0]
    latency.plot(numbers, [alone * n for n in numbers], ':', color='grey', label='one by one')
    latency.set(xlabel='bodies', ylabel='command to trajectory [ms]', xscale='log', yscale='log')
    latency.legend()
    throughput.plot(numbers, [row['motions_per_s'] for row in rows], marker='o', ms=3)
    throughput.set(xlabel='bodies', ylabel='motions per second', xscale='log', ylim=(0, None))
    for name, line, label in (
        ('cpu_ms_a_motion', 'o-', 'measured'),
        ('floor_ms_a_motion', '--', 'floor of the network'),
    ):
        busy.plot(numbers, [row['bodies'] * row[name] for row in rows], line, ms=3, label=label)
    busy.set(xlabel='bodies', ylabel='CPU ms of a command to all', xscale='log', yscale='log')
    busy.legend()
    for axes in (latency, throughput, busy):
        axes.set_xticks(numbers, [str(number) for number in numbers])
        axes.minorticks_off()
    figure.tight_layout()
    figure.savefig(path, dpi=100)


def measure(mode: str, count: int, options: argparse.Namespace) -> dict[str, Any]:
    """Start a process of ``count`` bodies and measure it.

    Raises:
        FailedError: it ended, or a body did not answer.
    """
    parameters: dict[str, object] = {
        'device': 'cpu',
        'mode': mode,
        'checkpoint': options.checkpoint or ('stream' if mode == 'stream' else ''),
    }
    if mode == 'clip':
        parameters['duration_s'] = MOTION_S
    with Harness() as harness:
        bodies = Bodies(harness, count, parameters)
        if mode == 'clip':
            return commands(bodies, options.rounds)
        return moving_on(bodies, options.seconds)


def main(argv: list[str] | None = None) -> int:
    """Return 0 if all bodies answered."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.bodies',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--mode', choices=('clip', 'stream'), default='clip')
    parser.add_argument('--bodies', type=int, nargs='+', default=NUMBERS, metavar='N')
    parser.add_argument('--rounds', type=int, default=ROUNDS, help='commands of each, mode clip')
    parser.add_argument('--seconds', type=float, default=STREAM_S, help='of motion, mode stream')
    parser.add_argument('--checkpoint', default='', help='folder of the model (the shipped one)')
    parser.add_argument('-o', '--output', type=Path, metavar='FILE', help='JSON to write')
    parser.add_argument('--plot', type=Path, metavar='FILE', help='image of mode clip to write')
    options = parser.parse_args(argv)
    said, rows = circumstances(), []
    for count in options.bodies:
        try:
            rows.append(measure(options.mode, count, options))
        except FailedError as error:
            print(f'{count} bodies: {error}', file=sys.stderr)
            return 1
        print(rows[-1], file=sys.stderr, flush=True)
    if options.mode == 'clip':
        rows = with_floors(rows, options.checkpoint)
    if options.output is not None:
        report = {'circumstances': said, 'mode': options.mode, 'rows': rows}
        options.output.write_text(json.dumps(report, indent=2) + '\n', encoding='utf-8')
    if options.plot is not None and options.mode == 'clip':
        plot(rows, options.plot)
    print(said, table(options.mode, rows), sep='\n\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
