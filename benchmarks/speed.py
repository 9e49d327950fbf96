# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Speed side by side with what the machine can do, part by part, on one thread.

    python -m benchmarks.speed                              # full size, random weights
    python -m benchmarks.speed --size shipped --part caption
    python -m benchmarks.speed -o here.json --against 'their/program'
    python -m benchmarks.speed --against 'env -C OTHER_COMMIT python -m benchmarks.speed --json'

Seconds are CPU seconds of one thread: what else runs on the machine hardly counts. Cases are
repeated in turn; a row is their median, with the least and the largest. The floor is that of
``benchmarks.floor`` with rates that are measured beside them. The other program prints the same
JSON; its seconds stand beside these. At full size a last table has what was measured before.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import functools
import importlib.util
import json
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.earlier import beside
from benchmarks.floor import Rates, counted, measured_rates
from benchmarks.memory import peak_gb, processor
from benchmarks.table import circumstances
from benchmarks.training import CAPTIONS, GPT2_WORDS, write_gpt2_sized_tokenizer
from mgpt3_ros.model.config import from_dict
from mgpt3_ros.model.kinematics.features import FEATURES
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network import build_network
from mgpt3_ros.model.network.onednn import CHOICES, use_onednn
from mgpt3_ros.model.pipelines import whole_clips
from mgpt3_ros.model.pipelines.config import MotionGPT3Config
from mgpt3_ros.training.run_config import load_run_config

FRAMES = 196
SENTENCE = CAPTIONS[0]
REPEATS = 5
STAGES = ('t2m', 'align', 'instruct')


@dataclasses.dataclass(frozen=True)
class Case:
    """Work that is timed. target: how many times its floor it may take at full size."""

    name: str
    part: str
    work: Callable[[MotionGPT3], object]
    target: float | None = None


def draw(
    model: MotionGPT3,
    rows: int,
    steps: int,
    sampler: str,
    frames: int = FRAMES,
    text: str = SENTENCE,
) -> None:
    """Draw motions, of the longest kind unless told otherwise, decoded and set right."""
    head = model.network.head
    head.config = dataclasses.replace(head.config, sampler=sampler)
    noise = torch.Generator().manual_seed(0)
    model.generate(
        [text] * rows, frames / 20, judge=False, num_inference_steps=steps, generator=noise
    )


def caption(model: MotionGPT3, rows: int) -> None:
    """Caption motions of 6 s."""
    model.pipeline.caption([walk()] * rows)


def predict(model: MotionGPT3, rows: int) -> None:
    """Continue 6 s by one, in several ways."""
    noise = torch.Generator().manual_seed(0)
    model.predict_many(walk(), 1.0, rows, num_inference_steps=10, generator=noise)


def publish() -> None:
    """Make the messages of a motion of 6 s."""
    from benchmarks import ros_part

    ros_part.published(walk())


CASES = (
    Case('text to motion, 1, ddpm 100', 'text-to-motion', lambda m: draw(m, 1, 100, 'ddpm'), 2.0),
    Case('text to motion, 1, ddim 10', 'text-to-motion', lambda m: draw(m, 1, 10, 'ddim'), 2.2),
    Case('text to motion, 32, ddpm 100', 'batch', lambda m: draw(m, 32, 100, 'ddpm'), 1.5),
    Case('caption, 1', 'caption', lambda m: caption(m, 1), 1.8),
    Case('caption, 16', 'batch', lambda m: caption(m, 16), 2.5),
    Case('prediction, 1', 'prediction', lambda m: predict(m, 1)),
    Case('prediction, 8', 'prediction', lambda m: predict(m, 8)),
)
# What nodes make of a motion of 6 s, where ROS is installed.
ROS = Case('motion to messages', 'ros', lambda _: publish())
PARTS = (*dict.fromkeys(case.part for case in CASES), 'ros', 'training')
TRAINING_TARGETS = dict(zip(STAGES, (1.5, 1.6, 1.25), strict=True))


@functools.cache
def walk() -> Motion:
    """A body that glides and swings, for 6 s."""
    from benchmarks.training import made_up_data

    joints = max((clip.joints for clip in made_up_data().clips), key=len)
    return Motion(joints[:120], 20.0)


def full_size_model(width: int = 768, onednn: str = 'auto') -> MotionGPT3:
    """A model of the paper's size with random weights, and as many words as GPT-2 has.

    Args:
        width: of both branches, a multiple of their 12 heads.
        onednn: as in :meth:`MotionGPT3.from_pretrained`.
    """
    told = copy.deepcopy(load_run_config('paper').model)
    told['network']['backbone'] |= {'vocab_size': GPT2_WORDS, 'n_embd': width}
    config = from_dict(MotionGPT3Config, told)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        write_gpt2_sized_tokenizer(Path(folder))
        tokenizer = MotionTokenizer.load(folder)
    zero, one = np.zeros(FEATURES, np.float32), np.ones(FEATURES, np.float32)
    network = build_network(config.network)
    use_onednn(network, onednn)
    return MotionGPT3(config, network, tokenizer, FeatureStats(zero, one))


class Stopwatch:
    """CPU seconds of each part, without those of the parts that it calls."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inside: list[float] = []

    def around(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, timed."""

        def timed(*arguments: Any, **options: Any) -> Any:
            begin = time.process_time()
            self._inside.append(0.0)
            try:
                return work(*arguments, **options)
            finally:
                whole = time.process_time() - begin
                self.seconds[part] += whole - self._inside.pop()
                if self._inside:
                    self._inside[-1] += whole

        return timed

    @contextmanager
    def watching(self, model: MotionGPT3) -> Iterator[None]:
        """Time the parts of a model in this block."""
        network = model.network
        watched: list[tuple[Any, str, str]] = [
            (network.head, 'sample', 'head'),
            (network.vae, 'decode', 'decoder'),
            (network.vae, 'encode', 'encoder'),
            (network.backbone, 'forward', 'attention and rest of the backbone'),
            (network.backbone, 'text_logits', 'words'),
            (whole_clips, 'finish', 'finishing'),
            (whole_clips, 'finish_all', 'finishing'),
            (whole_clips, 'window_features', 'conversion'),
            (model.pipeline, '_bodies', 'conversion'),
        ]
        if importlib.util.find_spec('rclpy'):
            from benchmarks import ros_part

            watched += [(ros_part, name, part) for name, part in ros_part.PARTS.items()]
        for layer in network.backbone.layers:
            for branch in ('text', 'motion'):
                block = getattr(layer, branch)
                names = ('queries_keys_values', 'forward')
                watched += [(block, name, f'{branch} branch') for name in names]
        before = [(owner, name, vars(owner).get(name)) for owner, name, _ in watched]
        for owner, name, part in watched:
            setattr(owner, name, self.around(part, getattr(owner, name)))
        try:
            yield
        finally:
            for owner, name, own in before:
                if own is None:
                    delattr(owner, name)
                else:
                    setattr(owner, name, own)


def measure(model: MotionGPT3, cases: list[Case], repeats: int, rates: Rates) -> dict[str, Any]:
    """Time cases in turn, after one of each to warm up; see the module."""
    counts = {case.name: counted(functools.partial(case.work, model)) for case in cases}
    taken: dict[str, list[float]] = defaultdict(list)
    watches = {case.name: Stopwatch() for case in cases}
    for _ in range(repeats):
        for case in cases:
            begin = time.process_time()
            case.work(model)
            taken[case.name].append(time.process_time() - begin)
    memory = {}
    for case in cases:
        memory[case.name] = peak_gb(functools.partial(case.work, model))
        with watches[case.name].watching(model):
            case.work(model)
    found = {}
    for case in cases:
        count, seconds = counts[case.name], taken[case.name]
        found[case.name] = row(
            seconds, count.floor_s(rates), count.flops, count.weights_read, case.target
        )
        found[case.name]['memory_gb'] = memory[case.name]
        found[case.name]['parts'] = dict(watches[case.name].seconds)
    return found


def row(
    seconds: list[float], floor_s: float, flops: float, read: float, target: float | None
) -> dict[str, Any]:
    """What is said of a case."""
    median = statistics.median(seconds)
    return {
        'seconds': median,
        'least': min(seconds),
        'most': max(seconds),
        'gflop': flops / 1e9,
        'read_gb': read / 1e9,
        'floor_s': floor_s,
        'ratio': median / floor_s if floor_s else None,  # without products there is no floor
        'target': target,
        'met': None if target is None else median <= target * floor_s,
    }


def measure_training(repeats: int, rates: Rates) -> dict[str, Any]:
    """Time a step of each stage of the paper's training, batch 8, each in its own process."""
    found = {}
    for stage in STAGES:
        command = [sys.executable, '-m', 'benchmarks.training', '--config', 'paper', '--json']
        command += ['--device', 'cpu', '--batch-size', '8', '--steps', str(repeats)]
        done = subprocess.run(
            [*command, '--stage', stage], capture_output=True, text=True, check=True
        )
        told = json.loads(done.stdout.splitlines()[-1])
        flops = told['gflop'] * 1e9 * told['samples_a_step']
        # AdamW reads and writes 7 numbers a weight, the gradient's bound and the average 3 each.
        moved = 4 * (7 + 3 + 3) * told['trained']
        floor_s = flops / rates.flops + moved / rates.read
        seconds = told['cpu_seconds_each']
        found[f'training step, {stage}, 8'] = row(
            seconds, floor_s, flops, moved, TRAINING_TARGETS[stage]
        )
        found[f'training step, {stage}, 8']['memory_gb'] = told['memory_gb']
    return found


def table(report: dict[str, Any], other: dict[str, Any] | None) -> str:
    """The report as Markdown."""
    lines = [
        f'{report["circumstances"]}, {report["processor"]}, oneDNN: {report["onednn"]}',
        'rates of this machine: {gflops:.0f} GFLOP/s, {read_gb_s:.1f} GB/s read'.format(
            **report['rates']
        ),
        '',
        '| work | s | least to most | peak [GB] | GFLOP | GB read | floor [s] | ratio | target '
        '| met | other |',
        '|---|---|---|---|---|---|---|---|---|---|---|',
    ]
    for name, r in report['cases'].items():
        theirs = (other or {'cases': {}})['cases'].get(name)
        said = '-' if theirs is None else f'{theirs["seconds"]:.3g}'
        target = '-' if r['target'] is None else f'{r["target"]:g}'
        met = {None: '-', True: 'yes', False: 'NO'}[r['met']]
        lines.append(
            f'| {name} | {r["seconds"]:.3f} | {r["least"]:.3f} to {r["most"]:.3f} '
            f'| {_rounded(r["memory_gb"])} | {r["gflop"]:.1f} | {r["read_gb"]:.2f} '
            f'| {r["floor_s"]:.3f} | {_rounded(r["ratio"])} | {target} | {met} | {said} |'
        )
    lines += ['', '| work | parts [ms] |', '|---|---|']
    for name, r in report['cases'].items():
        if 'parts' in r:
            parts = sorted(r['parts'].items(), key=lambda item: -item[1])
            told = ', '.join(f'{part} {1000 * seconds:.1f}' for part, seconds in parts)
            lines.append(f'| {name} | {told} |')
    if report['size'] == 'full':
        lines += ['', *beside(report['cases'])]
    return '\n'.join(lines)


def _rounded(value: float | None) -> str:
    return '-' if value is None else f'{value:.2f}'


def main(argv: list[str] | None = None) -> int:
    """Measure, write and print; return 0 also where a target was missed."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.speed',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--size', choices=('full', 'shipped'), default='full')
    parser.add_argument(
        '--part', choices=PARTS, action='append', help='may be given several times (default: all)'
    )
    parser.add_argument('--repeats', type=int, default=REPEATS)
    parser.add_argument('--onednn', choices=CHOICES, default='auto', help='(default: auto)')
    parser.add_argument('-o', '--output', type=Path, metavar='FILE', help='JSON to write')
    parser.add_argument('--json', action='store_true', help='print JSON, no table')
    parser.add_argument('--against', metavar='COMMAND', help='a program that prints such JSON')
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    wanted, full = options.part or PARTS, options.size == 'full'
    every = (*CASES, ROS) if importlib.util.find_spec('rclpy') else CASES
    cases = [case for case in every if case.part in wanted]
    if not full:  # targets are of full size
        cases = [dataclasses.replace(case, target=None) for case in cases]
    rates = measured_rates()
    begin = time.process_time()
    if full:
        model = full_size_model(onednn=options.onednn)
    else:
        model = MotionGPT3.from_pretrained(device='cpu', onednn=options.onednn)
    report = {
        'circumstances': circumstances(),
        'processor': processor(),
        'onednn': options.onednn,
        'size': options.size,
        'rates': rates.as_dict(),
        'ready_s': time.process_time() - begin,
        'cases': measure(model, cases, options.repeats, rates),
        'memory_gb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }
    if 'training' in wanted and full:
        report['cases'] |= measure_training(options.repeats, rates)
    other = None
    if options.against:
        done = subprocess.run(
            shlex.split(options.against), capture_output=True, text=True, check=True
        )
        other = json.loads(done.stdout)
    if options.output is not None:
        options.output.write_text(json.dumps(report, indent=2) + '\n', encoding='utf-8')
    print(json.dumps(report) if options.json else table(report, other))
    return 0


if __name__ == '__main__':
    sys.exit(main())
