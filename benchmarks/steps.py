# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How few steps of the sampler lose nothing: quality against steps and time.

    python -m benchmarks.steps --data PACK                   # the shipped checkpoint
    python -m benchmarks.steps --data PACK --checkpoint runs/heads/ddpm-0/align -o steps

For each sampler that the head's kind has, motions are drawn from the captions of the validation
clips and from the paraphrases, as the model card does. Of a share p of n motions, twice
sqrt(p (1 - p) / n) to either side is noise. Seconds are CPU seconds of one thread for a motion of
a batch, and for one sentence alone.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.table import circumstances
from benchmarks.variants import Judge
from mgpt3_ros.model.checkpoints.checkpoint import write_text
from mgpt3_ros.model.extras import extra
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.heads.base import DenoisingHead
from mgpt3_ros.training.evaluation.measures import (
    generate_all,
    grouped,
    obeyed,
    recognition,
    spread_ratio,
)
from mgpt3_ros.training.evaluation.motion_quality import bodies

STEPS = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 50, 100)
SAMPLERS = {'flow': ('euler', 'heun'), 'ddpm': ('ddpm', 'ddim', 'dpm-solver++')}
SENTENCE, ALONE = 'a person walks forward', 7
JITTER = 'jitter [m/s^3]'


def main(argv: list[str] | None = None) -> int:
    """Measure, print the table, and write it with a plot where ``-o`` names a file."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.steps',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--data', type=Path, required=True, help='folder of a pack')
    parser.add_argument('--checkpoint', help='folder (default: the shipped one)')
    parser.add_argument('--steps', type=int, nargs='+', default=STEPS, help='numbers to try')
    parser.add_argument('--draws', type=int, default=1, help='motions of each prompt (default: 1)')
    parser.add_argument('-o', '--output', type=Path, help='.json and .png, without the suffix')
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    model = MotionGPT3.from_pretrained(options.checkpoint, device='cpu')
    print(circumstances(), end='\n\n')
    titles = 'sampler', 'steps', 'action', 'mean over actions', 'wrong side', 'paraphrases'
    more = 'jitter over real', 'spread over real', 'ms a motion', 'ms alone'
    print(f'| {" | ".join((*titles, *more))} |\n{"|---" * 10}|', flush=True)
    rows = []
    judge = Judge(options.data)
    for sampler in SAMPLERS[model.config.network.head.kind]:
        for steps in options.steps:
            rows.append(measure(model, judge, sampler, steps, options.draws))
            print(line(rows[-1]), flush=True)
    if options.output is not None:
        write_text(options.output.with_suffix('.json'), json.dumps(rows, indent=2) + '\n')
        plot(rows, options.output.with_suffix('.png'))
    return 0


def measure(
    model: MotionGPT3, judge: Judge, sampler: str, steps: int, draws: int = 1
) -> dict[str, Any]:
    """Figures of the checkpoint with this sampler and number of steps."""
    head = model.network.head
    assert isinstance(head, DenoisingHead)
    before = head.config
    head.config = dataclasses.replace(before, sampler=sampler, num_inference_steps=steps)
    try:
        texts = [clip.captions[0] for clip in judge.clips]
        began = time.thread_time()
        made = [joints for n in range(draws) for joints in generate_all(model, texts, 1000 * n)]
        batched_s = (time.thread_time() - began) / len(made)
        found = recognition(judge.actions * draws, judge.recogniser.predict(made))
        understood = obeyed(model, judge.recogniser, judge.paraphrases, draws)
        alone_s = statistics.median(_alone(model) for _ in range(ALONE))
    finally:
        head.config = before
    real = [clip.joints for clip in judge.clips]
    spread = spread_ratio(grouped(judge.actions, real), grouped(judge.actions * draws, made))
    return {
        'sampler': sampler,
        'steps': steps,
        'motions': len(made),
        'action': found.action.value,
        'mean over actions': found.mean_over_actions,
        'wrong side': found.side_wrong.value,
        'paraphrases': understood.mean_over_actions,
        'jitter over real': bodies(made)[JITTER] / bodies(real)[JITTER],
        'spread over real': spread,
        'ms a motion': batched_s * 1e3,
        'ms alone': alone_s * 1e3,
    }


def _alone(model: MotionGPT3) -> float:
    began = time.thread_time()
    model.generate(SENTENCE, 6.0, generator=torch.Generator().manual_seed(0))
    return time.thread_time() - began


def line(row: dict[str, Any]) -> str:
    """A row of the table."""
    shares = [f'{row[name]:.3f}' for name in ('action', 'mean over actions', 'wrong side')]
    shares += [f'{row[name]:.2f}' for name in ('paraphrases', 'jitter over real')]
    shares += [f'{row["spread over real"]:.2f}', f'{row["ms a motion"]:.1f}']
    return f'| {row["sampler"]} | {row["steps"]} | {" | ".join(shares)} | {row["ms alone"]:.1f} |'


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw the share of right actions against steps, and against time."""
    with extra('eval'):
        import matplotlib

        matplotlib.use('Agg')
        from matplotlib import pyplot

    figure, (by_steps, by_time) = pyplot.subplots(1, 2, figsize=(9, 3.2), sharey=True)
    for sampler in dict.fromkeys(row['sampler'] for row in rows):
        own = [row for row in rows if row['sampler'] == sampler]
        shares = [row['action'] for row in own]
        noise = [
            2 * math.sqrt(s * (1 - s) / row['motions']) for s, row in zip(shares, own, strict=True)
        ]
        steps = [row['steps'] for row in own]
        by_steps.errorbar(steps, shares, noise, marker='o', ms=3, capsize=2, label=sampler)
        by_time.plot([row['ms alone'] for row in own], shares, marker='o', ms=3, label=sampler)
    by_steps.set(xscale='log', xlabel='steps', ylabel='right action')
    by_time.set(xscale='log', xlabel='CPU ms of a sentence')
    by_steps.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=100)


if __name__ == '__main__':
    sys.exit(main())
