# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for a GPU that counts what would wait for one, on whatever device it is run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

# What needs the numbers themselves, so that the program waits until a GPU has computed them.
_LOOKS = {
    *(Tensor.tolist, Tensor.item, Tensor.numpy, Tensor.cpu, Tensor.__array__),
    *(Tensor.__bool__, Tensor.__int__, Tensor.__float__, Tensor.__index__, Tensor.__contains__),
    *(Tensor.nonzero, torch.nonzero, torch.masked_select, Tensor.masked_select, torch.argwhere),
    *(torch.unique, Tensor.unique, torch.equal, torch.allclose, torch.isclose),
}
_INDEXING = {Tensor.__getitem__, Tensor.__setitem__, Tensor.index_put, Tensor.index_put_}
_MADE_HERE = {torch.tensor, torch.as_tensor}  # of Python's numbers: they must be sent


class Waits(TorchFunctionMode):
    """Counts waits for a device and data sent to one, by name, in its block."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """All of them."""
        return self.counts.total()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Take note, and call."""
        options = kwargs or {}
        name = getattr(func, '__name__', str(func))
        if func in _LOOKS or (func in _INDEXING and _by_truth(args[1:])):
            self.counts[name] += 1
        sent = func in _MADE_HERE and 'device' in options
        if sent or (func is Tensor.to and _names_device((*args[1:], options))):
            self.counts[name] += 1
        return func(*args, **options)


def _by_truth(indices: Any) -> bool:
    """Whether an index has a mask in it, whose true places must be counted first."""
    if isinstance(indices, Tensor):
        return indices.dtype == torch.bool and indices.dim() > 0
    return isinstance(indices, tuple | list) and any(map(_by_truth, indices))


def _names_device(arguments: tuple[Any, ...]) -> bool:
    """Whether a device is among the arguments of ``to``, the last of which are keywords."""
    *given, options = arguments
    return 'device' in options or any(isinstance(each, torch.device | str) for each in given)
