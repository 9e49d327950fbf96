# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Products of the paper's size by PyTorch's own library and by oneDNN, with and without gradients.

    python -m benchmarks.products

CPU time of one thread, the least of several calls in turn, with weights that come from memory.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from benchmarks.table import circumstances
from mgpt3_ros.model.network.onednn import faster, faster_in_training, learned_product, product

# Rows, inputs, outputs: of a word, of a step of the head with guidance, of several, of prompts.
SHAPES = (
    *((1, 768, 2304), (1, 768, 50257), (2, 1024, 1024), (2, 1024, 3072), (2, 768, 50257)),
    *((16, 768, 3072), (16, 768, 50257), (256, 768, 3072)),
)
LEARNED = ((160, 768, 3072), (160, 1024, 3072))  # words of a batch of 8 captions
REPEATS = 8


def taken_s(
    shape: tuple[int, int, int], ways: tuple[Callable[[Tensor, Tensor], Tensor], ...], learns: bool
) -> list[float]:
    """The least CPU seconds of a product by each way; with both gradients if it ``learns``."""
    rows, inputs, outputs = shape
    x = torch.randn(rows, inputs, requires_grad=learns)
    weights = [torch.randn(outputs, inputs, requires_grad=learns) for _ in range(3)]
    best = [float('inf')] * len(ways)
    for number in range(REPEATS):
        for index, way in enumerate(ways):
            weight = weights[(len(ways) * number + index) % len(weights)]
            begun = time.process_time()
            with torch.set_grad_enabled(learns):
                made = way(x, weight)
            if learns:
                torch.autograd.grad(made, (x, weight), made.detach())
            best[index] = min(best[index], time.process_time() - begun)
    return best


def main(argv: list[str] | None = None) -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.products',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args(argv)
    torch.set_num_threads(1)
    print(circumstances(), end='\n\n')
    print(
        "| rows, inputs to outputs | PyTorch's own [us] | oneDNN [us] | gain |\n|---|---|---|---|"
    )
    for shapes, learns, way in ((SHAPES, False, product), (LEARNED, True, learned_product)):
        for shape in shapes:
            plain_s, fast_s = taken_s(shape, (F.linear, way), learns)
            rows, inputs, outputs = shape
            name = f'{rows}, {inputs} to {outputs}' + (', with both gradients' if learns else '')
            print(
                f'| {name} | {1e6 * plain_s:.0f} | {1e6 * fast_s:.0f} | {plain_s / fast_s:.2f} |'
            )
    chosen = {False: 'no', True: 'yes'}
    print(f'\nauto takes oneDNN: {chosen[faster()]}; in training: {chosen[faster_in_training()]}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
