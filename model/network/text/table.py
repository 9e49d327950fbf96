# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A table of words that is looked up and, later in the same pass, multiplied: one dense gradient.

Left to itself, autograd makes a gradient as large as the table for each of the two, and adds them:
of GPT-2's 154 MB that is a tenth of what the table costs. Here the rows that were looked up are
added to the gradient of the product. The gradient is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation


class TableUse:
    """One pass through a table (V, D): what its product leaves for its look-up to add to.

    Backward comes to the product first, since its hidden states are made of what was looked up.
    ``product`` multiplies (..., K) by weights (N, K), forth and back.
    """

    def __init__(self, product: Callable[[Tensor, Tensor], Tensor] = F.linear) -> None:
        self.product = product
        self.gradient: Tensor | None = None

    def keep(self, gradient: Tensor) -> None:
        """Keep the gradient (V, D) of a product."""
        self.gradient = gradient if self.gradient is None else self.gradient.add_(gradient)

    def take(self, table: Tensor) -> Tensor:
        """The gradient so far, to be added to."""
        kept, self.gradient = self.gradient, None
        return torch.zeros_like(table) if kept is None else kept


def looked_up(table: Tensor, ids: Tensor, use: TableUse) -> Tensor:
    """Rows (..., D) of a table (V, D) at ids (...)."""
    return _LookedUp.apply(table, ids, use)


def multiplied(hidden: Tensor, table: Tensor, use: TableUse) -> Tensor:
    """Products (..., V) of hidden states (..., D) that come from what ``use`` looked up."""
    return _Multiplied.apply(hidden, table, use)


class _LookedUp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, ids: Tensor, use: TableUse) -> Tensor:
        ctx.save_for_backward(table, ids)
        ctx.use = use
        return F.embedding(ids, table)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        table, ids = ctx.saved_tensors
        rows = gradients[0].flatten(0, -2).to(table.dtype)
        return ctx.use.take(table).index_add_(0, ids.flatten(), rows), None, None


class _Multiplied(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, table: Tensor, use: TableUse) -> Tensor:
        ctx.save_for_backward(hidden, table)
        ctx.use = use
        return use.product(hidden, table)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        hidden, table = ctx.saved_tensors
        (gradient,) = gradients  # of half precision under autocast, as that of the plain product
        rows = gradient.flatten(0, -2)
        of_table = ctx.use.product(rows.t(), hidden.flatten(0, -2).to(rows.dtype).t())
        ctx.use.keep(of_table.to(table.dtype))
        of_hidden = ctx.use.product(gradient, table.to(gradient.dtype).t())
        return of_hidden.to(hidden.dtype), None, None
