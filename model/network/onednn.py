# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Large linear layers through oneDNN, for inference on a CPU whose other library is slower.

On some processors MKL multiplies at half of what the same core does with oneDNN; on others both
are level. Which it is here, a measurement of a few milliseconds decides, not a name. The results
differ by rounding, and weights are in memory twice.
"""

from __future__ import annotations

import functools
import time

import torch
from torch import Tensor, nn
from torch.nn import functional

from mgpt3_ros.model.errors import CheckpointError

CHOICES = ('off', 'auto', 'on')
_SMALLEST = 2**18  # weights of a layer; below, turning numbers over costs more than it gains
_ROWS = (1, 128)  # a token of a caption; a motion's steps at once
_GAIN = 1.15  # less is within what a busy machine makes of two equals
_REPEATS = 5


class OneDnnLinear(nn.Linear):
    """A linear layer that oneDNN computes where no gradient is wanted; its weights are its own."""

    def __init__(self, plain: nn.Linear) -> None:
        super().__init__(plain.in_features, plain.out_features, plain.bias is not None, 'meta')
        self.weight, self.bias = plain.weight, plain.bias
        from torch.utils import mkldnn  # compiles scripts when it is imported

        # In a tuple: no part of the module's state.
        self._packed = (mkldnn.to_mkldnn(plain),)

    def forward(self, x: Tensor) -> Tensor:
        """X (..., in_features) to (..., out_features)."""
        if torch.is_grad_enabled() or x.dtype != torch.float32 or not x.numel():
            return functional.linear(x, self.weight, self.bias)
        rows = self._packed[0](x.reshape(-1, self.in_features).contiguous())
        return rows.view(*x.shape[:-1], self.out_features)


def use_onednn(network: nn.Module, choice: str) -> int:
    """Put oneDNN behind the large linear layers of a network on the CPU.

    Args:
        network: changed in place.
        choice: 'off'; 'on'; 'auto' where it is measured to be faster for a layer's size.

    Returns:
        How many layers were taken.

    Raises:
        CheckpointError: another choice.
    """
    if choice not in CHOICES:
        raise CheckpointError(f'onednn is {choice!r}: use one of {", ".join(CHOICES)}')
    if choice == 'off' or not torch.backends.mkldnn.is_available():
        return 0
    taken = 0
    for owner in list(network.modules()):
        for name, layer in list(owner.named_children()):
            if type(layer) is nn.Linear and _fits(layer, choice):
                setattr(owner, name, OneDnnLinear(layer))
                taken += 1
    return taken


def _fits(layer: nn.Linear, choice: str) -> bool:
    weight = layer.weight
    if weight.device.type != 'cpu' or weight.dtype != torch.float32:
        return False
    if weight.numel() < _SMALLEST:
        return False
    return choice == 'on' or faster(layer.in_features, layer.out_features)


@functools.cache
def faster(inputs: int, outputs: int) -> bool:
    """Whether oneDNN is faster on this machine, with this number of threads, at such a layer."""
    plain = nn.Linear(inputs, outputs)
    other = OneDnnLinear(plain)
    gains = []
    with torch.inference_mode():
        for rows in _ROWS:
            x = torch.randn(rows, inputs, generator=torch.Generator().manual_seed(0))
            best = [float('inf')] * 2
            for _ in range(_REPEATS):  # in turn, so that what else runs meets both
                for index, layer in enumerate((plain, other)):
                    best[index] = min(best[index], _seconds(layer, x))
            gains.append(best[0] / best[1])
    return min(gains) >= 1.0 and max(gains) >= _GAIN


def _seconds(layer: nn.Module, x: Tensor) -> float:
    begun = time.process_time()  # not the clock, which a busy machine stretches
    layer(x)
    return time.process_time() - begun
