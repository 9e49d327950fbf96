# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Inputs per second of ``mgpt3 batch``, by number of workers.

    python -m benchmarks.batch                    # 1, 2, ... up to the cores
    python -m benchmarks.batch --workers 1 2 --ray

Sentences are drawn and their motions captioned, all workers' CPU seconds counted. What a run costs
beside its inputs (starting Python, loading the model in each worker) is found with a quarter of
them and taken off. "A core each" is what follows where every worker has a core; seconds of the
clock are those of the machine as it is: look at its load.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.prompts import PROMPTS
from benchmarks.table import circumstances

INPUTS = 256
UNIT = 8  # so that a quarter of them keeps every worker busy


@dataclass(frozen=True)
class Taken:
    """Seconds of a run: of the clock, and of all its processes on cores."""

    wall_s: float
    cpu_s: float


def main(argv: list[str] | None = None) -> int:
    """Measure, and print a table that is also Markdown."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.batch',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cores = len(os.sched_getaffinity(0))
    counts = list(range(1, cores + 1))
    parser.add_argument('--workers', type=int, nargs='+', default=counts, help='numbers to try')
    parser.add_argument('--inputs', type=int, default=INPUTS, help=f'default: {INPUTS}')
    parser.add_argument('--ray', help='address of a cluster, measured beside the processes')
    options = parser.parse_args(argv)
    print(circumstances(), end='\n\n')
    titles = 'part', 'workers', 'CPU ms an input', 'inputs/s, a core each', 'inputs/s, clock'
    print(f'| {" | ".join(titles)} | start [CPU s] |\n{"|---" * 6}|')
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_sentences(folder / 'many.txt', options.inputs)
        write_sentences(folder / 'few.txt', options.inputs // 4)
        engines = [['--workers', str(count)] for count in options.workers]
        engines += [['--ray', options.ray]] if options.ray else []
        for number, engine in enumerate(engines):
            measure(folder, number, engine, options.inputs)
    return 0


def measure(folder: Path, number: int, engine: list[str], inputs: int) -> None:
    """Print the rows of one engine."""
    drawn = {name: folder / f'{number}-{name}' for name in ('few', 'many')}
    further = inputs - inputs // 4
    for part in ('generate', 'caption'):
        took = {}
        for name in drawn:
            given = folder / f'{name}.txt' if part == 'generate' else drawn[name]
            out = drawn[name] if part == 'generate' else folder / f'{number}-{name}-captions'
            took[name] = timed(
                ['batch', part, str(given), '-o', str(out), '--unit', str(UNIT), *engine]
            )
        few, many = took['few'], took['many']
        each_s = (many.cpu_s - few.cpu_s) / further
        start_s = many.cpu_s - inputs * each_s
        workers = int(engine[1]) if engine[1].isdigit() else 1
        later_s = many.wall_s - few.wall_s
        clock = f'{further / later_s:.1f}' if later_s > 0 else 'lost in noise'
        cells = (
            engine[1],
            f'{each_s * 1e3:.1f}',
            f'{workers / each_s:.1f}',
            clock,
            f'{start_s:.1f}',
        )
        print(f'| {part} | {" | ".join(cells)} |')


def timed(words: list[str]) -> Taken:
    """Run ``mgpt3`` in a process."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, '-m', 'mgpt3_ros.cli.main', *words],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(time.perf_counter() - began, cpu_s)


def write_sentences(path: Path, count: int) -> None:
    """Write so many prompts, the same few over and over."""
    known = list(PROMPTS)
    lines = [known[number % len(known)] for number in range(count)]
    path.write_text(''.join(f'{line}\n' for line in lines), encoding='utf-8')


if __name__ == '__main__':
    sys.exit(main())
