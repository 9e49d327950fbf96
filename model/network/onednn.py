# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Large products through oneDNN, on a CPU whose other library is slower.

On some processors MKL multiplies at half of what the same core does with oneDNN, most of all few
rows; on others both are level. Which it is here, a measurement of some milliseconds decides, not a
name. The results differ by rounding; weights stay as they are, in memory once.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.network.text.branch import TextTables
from mgpt3_ros.model.network.vae.mld import MldVae

CHOICES = ('never', 'auto', 'always')
_SMALLEST = 2**20  # weights of a product; below, there is little to gain
_MEASURED = (
    1024,
    3072,
)  # inputs and outputs: among the layers of GPT-2 124M, and out of the cache
_ROWS = (2, 16)  # a step of one motion with guidance; a word of several captions
_MANY = 1024  # rows, from which on also small weights are worth it
_MEASURED_MANY = (256, 1024)  # inputs and outputs: of the paper's VAE
_ROWS_LEARNED = 160  # words of a batch of 8 captions
_GAIN = 1.15  # less is within what a busy machine makes of two equals
_REPEATS = 6
_OPERATION = getattr(torch.ops.mkldnn, '_linear_pointwise', None)


def product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """X (..., K) by weights (N, K): (..., N), as ``functional.linear``; by oneDNN if it can."""
    plain = torch.is_grad_enabled() or torch.is_autocast_enabled('cpu')
    if plain or x.dtype != torch.float32 or not x.numel():
        return functional.linear(x, weight, bias)
    return _onednn(x, weight, bias)


def _onednn(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The operation that PyTorch's own compiler puts in place of a linear layer.

    The public way, a tensor of oneDNN's own and back, costs as much as half of a product of two
    rows. It serves where a build of PyTorch lacks the operation.
    """
    if _OPERATION is not None:
        return _OPERATION(x, weight, bias, 'none', [], '')
    return _public(x, weight, bias)


def _public(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    rows = functional.linear(x.reshape(-1, x.shape[-1]).to_mkldnn(), weight, bias)
    return rows.to_dense().view(*x.shape[:-1], len(weight))


class _Learned(torch.autograd.Function):
    """The operation with its gradients, each a product by oneDNN as well.

    The public way knows gradients, but copies weights to and fro: a quarter more time of all.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """X (..., K), weight (N, K), bias (N,): (..., N)."""
        ctx.save_for_backward(x, weight)
        return _onednn(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Of what is asked for: g W, gT x and the sum of g (..., N)."""
        x, weight = ctx.saved_tensors
        of_x, of_weight, of_bias = ctx.needs_input_grad
        grad = grad.contiguous()
        rows = grad.reshape(-1, grad.shape[-1])
        return (
            _onednn(grad, weight.T, None) if of_x else None,
            _onednn(rows.T, x.reshape(-1, x.shape[-1]).T, None) if of_weight else None,
            rows.sum(dim=0) if of_bias else None,
        )


def learned_product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """As :func:`product`, but with gradients by oneDNN, too."""
    if not torch.is_grad_enabled():
        return product(x, weight, bias)
    if x.dtype != torch.float32 or not x.numel() or torch.is_autocast_enabled('cpu'):
        return functional.linear(x, weight, bias)
    if _OPERATION is None:
        return _public(x, weight, bias)
    return _Learned.apply(x, weight, bias)


def product_of_many(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """As :func:`learned_product` where rows are many, whose weights may be few; else plain."""
    many = x.numel() >= _MANY * x.shape[-1]
    return (learned_product if many else functional.linear)(x, weight, bias)


class OneDnnLinear(nn.Linear):
    """A linear layer that oneDNN computes; its weights are its own.

    ``learns``: whether oneDNN computes gradients, too; else they are computed as ever.
    """

    def __init__(self, plain: nn.Linear, learns: bool = False) -> None:
        super().__init__(plain.in_features, plain.out_features, plain.bias is not None, 'meta')
        self.weight, self.bias, self.learns = plain.weight, plain.bias, learns

    def forward(self, x: Tensor) -> Tensor:
        """X (..., in_features) to (..., out_features)."""
        return (learned_product if self.learns else product)(x, self.weight, self.bias)


def use_onednn(network: nn.Module, choice: str, learns: bool = False) -> int:
    """Put oneDNN behind the large products of a network on the CPU.

    Args:
        network: changed in place.
        choice: 'never'; 'always'; 'auto' where it is measured to be faster here.
        learns: whether it is for training: gradients are computed, and measured, so as well.

    Returns:
        How many products were taken.

    Raises:
        CheckpointError: another choice.
    """
    if choice not in CHOICES:
        raise CheckpointError(f'onednn is {choice!r}: use one of {", ".join(CHOICES)}')
    if choice == 'never' or not torch.backends.mkldnn.is_available():
        return 0
    large: list[Callable[[], None]] = []
    of_many: list[Callable[[], None]] = []
    for owner in list(network.modules()):
        if isinstance(owner, MldVae) and _is_plain(owner.frame_out.weight):
            of_many.append(functools.partial(setattr, owner, 'product', product_of_many))
        if isinstance(owner, TextTables) and owner.tied and _fits(owner.wte.weight):
            way = learned_product if learns else product
            large.append(functools.partial(setattr, owner, 'product', way))
        for name, layer in list(owner.named_children()):
            kinds = (nn.Linear, OneDnnLinear) if learns else (nn.Linear,)
            if isinstance(layer, nn.Linear) and type(layer) in kinds and _fits(layer.weight):
                fast = OneDnnLinear(layer, learns)
                large.append(functools.partial(setattr, owner, name, fast))
    if choice == 'auto':
        if large and not (faster_in_training() if learns else faster()):
            large = []
        if of_many and not (faster_in_training() if learns else faster_for_many()):
            of_many = []
    for take in (*large, *of_many):
        take()
    return len(large) + len(of_many)


def _is_plain(weight: Tensor) -> bool:
    return weight.device.type == 'cpu' and weight.dtype == torch.float32


def _fits(weight: Tensor) -> bool:
    return _is_plain(weight) and weight.numel() >= _SMALLEST


@functools.cache
def faster() -> bool:
    """Whether oneDNN is faster on this machine, with this number of threads, at large layers."""
    with torch.inference_mode():
        gains = [_gain(rows, product) for rows in _ROWS]
    return min(gains) >= 1.0 and max(gains) >= _GAIN


@functools.cache
def faster_for_many() -> bool:
    """The same of many rows and small weights."""
    with torch.inference_mode():
        return _gain(_MANY, product, _MEASURED_MANY) >= _GAIN


@functools.cache
def faster_in_training() -> bool:
    """The same of a product with both of its gradients."""
    with torch.enable_grad():
        return _gain(_ROWS_LEARNED, learned_product) >= _GAIN


def _gain(
    rows: int, way: Callable[[Tensor, Tensor], Tensor], sizes: tuple[int, int] = _MEASURED
) -> float:
    """How many times faster than the plain product another way is, at the best of each."""
    inputs, outputs = sizes
    x = torch.ones(rows, inputs, requires_grad=torch.is_grad_enabled())
    weights = [torch.ones(outputs, inputs) for _ in range(3)]  # in turn: they come from memory
    best = [float('inf')] * 2
    for number in range(_REPEATS):
        for index, each in enumerate((functional.linear, way)):  # what else runs meets both
            weight = weights[(2 * number + index) % len(weights)]
            weight.requires_grad_(torch.is_grad_enabled())
            best[index] = min(best[index], _seconds(each, x, weight))
    return best[0] / best[1]


def _seconds(way: Callable[[Tensor, Tensor], Tensor], x: Tensor, weight: Tensor) -> float:
    begun = time.process_time()  # not the clock, which a busy machine stretches
    made = way(x, weight)
    if made.requires_grad:
        made.sum().backward()
    return time.process_time() - begun
