# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What weights of less precision change: motions and captions of a checkpoint beside float32's.

    python -m benchmarks.precision                           # the shipped checkpoint
    python -m benchmarks.precision --checkpoint FOLDER --prompts 64

The same prompts are drawn with the same noise for 5 s; the motions that float32 draws are
captioned by each. Times are CPU ms of one thread for a motion with its caption.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.prompts import PROMPTS
from benchmarks.table import circumstances
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import SamplingOptions

DTYPES = ('float32', 'bfloat16', 'float16')
SECONDS = 5.0
HANDS = [20, 21]  # the wrists, which move furthest


def measure(
    checkpoint: str | None, dtype: str, texts: Sequence[str], plain: Sequence[Motion] = ()
) -> dict[str, Any]:
    """Motions of texts, captions of ``plain`` (or of these motions), memory and time."""
    model = MotionGPT3.from_pretrained(checkpoint, 'cpu', dtype)
    begun = time.process_time()
    motions: list[Motion] = []
    for number, text in enumerate(texts):
        noise = torch.Generator().manual_seed(number)
        drawn = model.pipeline.generate(
            [text], SECONDS, SamplingOptions(generator=noise), refuse=False
        )
        motions += drawn
    captions = [model.caption(motion) for motion in plain or motions]
    weights = [*model.network.parameters(), *model.network.buffers()]
    return {
        'dtype': dtype,
        'motions': motions,
        'captions': captions,
        'ms': 1e3 * (time.process_time() - begun) / len(texts),
        'mb': sum(weight.numel() * weight.element_size() for weight in weights) / 1e6,
    }


def compared(found: dict[str, Any], plain: dict[str, Any]) -> dict[str, float]:
    """How far joints are from those of ``plain`` [mm], and the share of captions that are its."""
    pairs = list(zip(found['motions'], plain['motions'], strict=True))
    off = [np.linalg.norm(one.joints - other.joints, axis=-1) for one, other in pairs]
    same = [a == b for a, b in zip(found['captions'], plain['captions'], strict=True)]
    return {
        'mean mm': 1e3 * float(np.mean([each.mean() for each in off])),
        'hands p95 mm': 1e3 * float(np.percentile([each[:, HANDS] for each in off], 95)),
        'largest mm': 1e3 * float(np.max([each.max() for each in off])),
        'same captions': float(np.mean(same)),
    }


def main(argv: list[str] | None = None) -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.precision',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--checkpoint', help='folder (default: the shipped one)')
    parser.add_argument('--prompts', type=int, default=len(PROMPTS), help='(default: all)')
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    print(circumstances(), end='\n\n')
    print('| weights | MB | ms | mean mm | hands p95 mm | largest mm | same captions |')
    print('|---|---|---|---|---|---|---|')
    texts, plain = list(PROMPTS)[: options.prompts], None
    for dtype in DTYPES:
        shown = [] if plain is None else plain['motions']
        found = measure(options.checkpoint, dtype, texts, shown)
        plain = plain or found
        numbers = compared(found, plain)
        print(
            f'| {dtype} | {found["mb"]:.0f} | {found["ms"]:.0f} | {numbers["mean mm"]:.2f} '
            f'| {numbers["hands p95 mm"]:.1f} | {numbers["largest mm"]:.1f} '
            f'| {numbers["same captions"]:.2f} |',
            flush=True,
        )
    return 0


if __name__ == '__main__':
    sys.exit(main())
