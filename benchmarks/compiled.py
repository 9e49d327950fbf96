# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether ``torch.compile`` pays: parts of the model at the paper's size, plain and compiled.

    python -m benchmarks.compiled

Only parts of fixed shape are worth a try: the rest meets other lengths at every call. Seconds are
CPU seconds of one thread, medians of calls in turn; a compilation pays for itself after as many
calls as the last column says. It needs a C++ compiler.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.speed import full_size_model
from benchmarks.table import circumstances
from mgpt3_ros.model.motiongpt3 import MotionGPT3

STEPS, TOKENS, PAIRS = 100, 170, 32  # of a motion; of a batch of 8 captions; of its head's loss
Part = Callable[[Callable[..., Any]], Callable[[], object]]


def parts(model: MotionGPT3) -> dict[str, Part]:
    """By name: what to compile, as a function of the compiler, and a call of it."""
    network, head = model.network, model.network.head.network
    layer = network.backbone.layers[0]
    channels, width = head.input.in_features, head.input.out_features
    x, time_of = torch.randn(PAIRS, channels), torch.rand(PAIRS) * 1000
    condition, tokens = torch.randn(PAIRS, width), torch.randn(TOKENS, 768)

    def steps(compiler: Callable[..., Any]) -> Callable[[], object]:
        step = compiler(head.modulated)
        with torch.no_grad():
            by = head.modulations(head.embed_time(time_of[:1]), condition[:2])

        def call() -> None:
            with torch.no_grad():
                for _ in range(STEPS):
                    step(x[:2], by)

        return call

    def loss(compiler: Callable[..., Any]) -> Callable[[], object]:
        forward = compiler(head.forward)

        def call() -> None:
            head.zero_grad()
            forward(x, head.embed_time(time_of), condition).square().mean().backward()

        return call

    def block(compiler: Callable[..., Any]) -> Callable[[], object]:
        forward = compiler(layer.motion.forward)

        def call() -> None:
            layer.motion.zero_grad()
            forward(tokens, tokens).square().mean().backward()

        return call

    return {
        f'{STEPS} steps of the head': steps,
        f'loss of the head, {PAIRS} pairs, both ways': loss,
        f'a block of the backbone, {TOKENS} tokens, both ways': block,
    }


def measure(part: Part, repeats: int) -> tuple[float, float, float]:
    """Seconds of a plain call, of a compiled one, and of the compilation."""
    plain, compiled = part(lambda function: function), part(torch.compile)
    begun = time.process_time()
    compiled()
    first = time.process_time() - begun
    plain()
    taken: tuple[list[float], list[float]] = [], []
    for _ in range(repeats):
        for own, call in zip(taken, (plain, compiled), strict=True):
            begun = time.process_time()
            call()
            own.append(time.process_time() - begun)
    medians = [statistics.median(own) for own in taken]
    return medians[0], medians[1], first - medians[1]


def main(argv: list[str] | None = None) -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.compiled',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--repeats', type=int, default=7)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    print(circumstances(), end='\n\n')
    print('| part | plain ms | compiled ms | gain | compilation s | pays after |')
    print('|---|---|---|---|---|---|')
    for name, part in parts(full_size_model(onednn='never')).items():
        plain, compiled, once = measure(part, options.repeats)
        calls = f'{once / (plain - compiled):.0f} calls' if compiled < plain else 'never'
        print(
            f'| {name} | {1e3 * plain:.1f} | {1e3 * compiled:.1f} | {plain / compiled:.2f} '
            f'| {once:.1f} | {calls} |',
            flush=True,
        )
    return 0


if __name__ == '__main__':
    sys.exit(main())
