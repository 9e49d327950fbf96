# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is computed on which shapes: a recorded GPU graph can serve what is the same each time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Operation = tuple[str, tuple[tuple[int, ...], ...]]


class Operations(TorchDispatchMode):
    """Takes note of each operation in its block, with the shapes of its tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Operation] = []

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Take note, and compute."""
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        self.seen.append((str(func), tuple(tuple(each.shape) for each in given)))
        return func(*args, **(kwargs or {}))


def recorded(work: Any) -> list[Operation]:
    """What a call computes."""
    with torch.no_grad(), Operations() as operations:
        work()
    return operations.seen
