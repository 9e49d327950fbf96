# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What this machine can do, and how fast a piece of work could be on it.

The floor of inference is the time that its matrix products take at the machine's own rates: each
as long as its arithmetic or as reading its weights once, whichever is longer.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

_TRIES = 8
_LINEAR = ('mkldnn_linear', 'mkldnn::_linear_pointwise')


@dataclass(frozen=True)
class Rates:
    """flops: of a large product [1/s]; read: of memory [byte/s]."""

    flops: float
    read: float

    def as_dict(self) -> dict[str, float]:
        """Both, in the units of the tables."""
        return {'gflops': self.flops / 1e9, 'read_gb_s': self.read / 1e9}


def measured_rates() -> Rates:
    """Rates of one thread, the best of several tries; oneDNN's product or MKL's, as is faster."""
    from torch.utils import mkldnn  # warns when it is imported

    rows, inner, out = 1024, 768, 3072
    x = torch.randn(rows, inner)
    layers = [nn.Linear(inner, out) for _ in range(4)]  # in turn: none stays in the cache
    products: list[list[Callable[[Tensor], Tensor]]] = [list(layers)]
    if torch.backends.mkldnn.is_available():
        products.append([mkldnn.to_mkldnn(layer) for layer in layers])
    numbers = torch.ones(50_000_000)
    with torch.inference_mode():
        best = min(_best(layer, x) for group in products for layer in group)
    return Rates(2 * rows * inner * out / best, 4 * len(numbers) / _best(torch.sum, numbers))


def _best(work: Callable[[Tensor], Tensor], given: Tensor) -> float:
    """The least CPU time of a call [s]."""
    taken = []
    for _ in range(_TRIES):
        begin = time.process_time()
        work(given)
        taken.append(time.process_time() - begin)
    return min(taken)


class Products(TorchDispatchMode):
    """Counts matrix products and attentions under it.

    Attributes:
        shapes: (count, m, k, n) of each product: (m, k) by (k, n), ``count`` times.
        attention: floating-point operations of attentions.
    """

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[int, int, int, int]] = []
        self.attention = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Take note of a product, and compute it."""
        name = func._schema.name.removeprefix('aten::')
        if name in _LINEAR:  # oneDNN's: (..., k) by (n, k)
            one, other = args[:2]
            rows = one.numel() // one.shape[-1]
            self.shapes.append((1, rows, one.shape[-1], other.shape[0]))
        elif name in ('mm', 'addmm'):
            one, other = args[-2:]
            self.shapes.append((1, *one.shape, other.shape[1]))
        elif name in ('bmm', 'baddbmm'):
            one, other = args[-2:]
            self.shapes.append((*one.shape, other.shape[2]))
        elif name.startswith('_scaled_dot_product'):
            queries, keys = args[:2]
            self.attention += 4 * math.prod(queries.shape) * keys.shape[-2]
        else:  # in inference mode also what is made of other operations arrives whole
            with self:
                made = func.decompose(*args, **(kwargs or {}))
            if made is not NotImplemented:
                return made
        return func(*args, **(kwargs or {}))

    @property
    def flops(self) -> int:
        """Of all products and attentions."""
        return self.attention + sum(2 * c * m * k * n for c, m, k, n in self.shapes)

    @property
    def weights_read(self) -> int:
        """Bytes of the second factors, in float32."""
        return sum(4 * c * k * n for c, m, k, n in self.shapes if m)

    def floor_s(self, rates: Rates) -> float:
        """The least time that all this can take [s]."""
        products = sum(
            max(2 * c * m * k * n / rates.flops, 4 * c * k * n / rates.read)
            for c, m, k, n in self.shapes
            if m
        )
        return products + self.attention / rates.flops


def counted(work: Callable[[], object]) -> Products:
    """Do some work once and count its products; PyTorch's fused encoder is taken apart for it."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with Products() as products:
            work()
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
    return products
