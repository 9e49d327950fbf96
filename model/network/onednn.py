# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Large products through oneDNN, for inference on a CPU whose other library is slower.

On some processors MKL multiplies at half of what the same core does with oneDNN, most of all few
rows; on others both are level. Which it is here, a measurement of some milliseconds decides, not a
name. The results differ by rounding; weights stay as they are, in memory once.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.network.text.branch import TextTables

CHOICES = ('off', 'auto', 'on')
_SMALLEST = 2**18  # weights of a layer; below, turning numbers over costs more than it gains
_MEASURED = (
    1024,
    3072,
)  # inputs and outputs: among the layers of GPT-2 124M, and out of the cache
_ROWS = (2, 16)  # a step of one motion with guidance; a word of several captions
_GAIN = 1.15  # less is within what a busy machine makes of two equals
_REPEATS = 6
_OPERATION = getattr(torch.ops.mkldnn, '_linear_pointwise', None)


def product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """X (..., K) by weights (N, K): (..., N), as ``functional.linear``; by oneDNN if it can."""
    if torch.is_grad_enabled() or x.dtype != torch.float32 or not x.numel():
        return functional.linear(x, weight, bias)
    return _onednn(x, weight, bias)


def _onednn(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The operation that PyTorch's own compiler puts in place of a linear layer.

    The public way, a tensor of oneDNN's own and back, costs as much as half of a product of two
    rows. It serves where a build of PyTorch lacks the operation.
    """
    if _OPERATION is not None:
        return _OPERATION(x, weight, bias, 'none', [], '')
    rows = functional.linear(x.reshape(-1, x.shape[-1]).to_mkldnn(), weight, bias)
    return rows.to_dense().view(*x.shape[:-1], len(weight))


class OneDnnLinear(nn.Linear):
    """A linear layer that oneDNN computes where no gradient is wanted; its weights are its own."""

    def __init__(self, plain: nn.Linear) -> None:
        super().__init__(plain.in_features, plain.out_features, plain.bias is not None, 'meta')
        self.weight, self.bias = plain.weight, plain.bias

    def forward(self, x: Tensor) -> Tensor:
        """X (..., in_features) to (..., out_features)."""
        return product(x, self.weight, self.bias)


def use_onednn(network: nn.Module, choice: str) -> int:
    """Put oneDNN behind the large products of a network on the CPU.

    Args:
        network: changed in place.
        choice: 'off'; 'on'; 'auto' where it is measured to be faster here.

    Returns:
        How many products were taken.

    Raises:
        CheckpointError: another choice.
    """
    if choice not in CHOICES:
        raise CheckpointError(f'onednn is {choice!r}: use one of {", ".join(CHOICES)}')
    if choice == 'off' or not torch.backends.mkldnn.is_available():
        return 0
    large: list[Callable[[], None]] = []
    for owner in list(network.modules()):
        if isinstance(owner, TextTables) and owner.tied and _fits(owner.wte.weight):
            large.append(functools.partial(setattr, owner, 'product', product))
        for name, layer in list(owner.named_children()):
            if type(layer) is nn.Linear and _fits(layer.weight):
                large.append(functools.partial(setattr, owner, name, OneDnnLinear(layer)))
    if not large or (choice == 'auto' and not faster()):
        return 0
    for take in large:
        take()
    return len(large)


def _fits(weight: Tensor) -> bool:
    on_cpu = weight.device.type == 'cpu' and weight.dtype == torch.float32
    return on_cpu and weight.numel() >= _SMALLEST


@functools.cache
def faster() -> bool:
    """Whether oneDNN is faster on this machine, with this number of threads, at large layers."""
    inputs, outputs = _MEASURED
    weights = [torch.ones(outputs, inputs) for _ in range(3)]  # in turn: they come from memory
    gains = []
    with torch.inference_mode():
        for rows in _ROWS:
            x = torch.ones(rows, inputs)
            best = [float('inf')] * 2
            for number in range(_REPEATS):
                for index, way in enumerate((functional.linear, product)):  # what runs meets both
                    weight = weights[(2 * number + index) % len(weights)]
                    best[index] = min(best[index], _seconds(way, x, weight))
            gains.append(best[0] / best[1])
    return min(gains) >= 1.0 and max(gains) >= _GAIN


def _seconds(way: Callable[[Tensor, Tensor], Tensor], x: Tensor, weight: Tensor) -> float:
    begun = time.process_time()  # not the clock, which a busy machine stretches
    way(x, weight)
    return time.process_time() - begun
