# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A table that is looked up and multiplied: the plain gradient, made once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from mgpt3_ros.model.network.onednn import learned_product
from mgpt3_ros.model.network.text.table import TableUse, looked_up, multiplied

Product = Callable[[Tensor, Tensor], Tensor]
WORDS, WIDTH = 11, 5
IDS = torch.tensor([[3, 1, 4, 1], [5, 9, 2, 6]])


class MadeOfShape(TorchDispatchMode):
    """Counts operations whose result is a new tensor of a shape."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape, self.made, self.seen = torch.Size(shape), 0, set[int]()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.shape == self.shape:
            self.made += result.untyped_storage().data_ptr() not in self.seen
            self.seen.add(result.untyped_storage().data_ptr())
        return result


def gradient(
    shared: bool, half: bool, times: int = 1, product: Product = functional.linear
) -> tuple[Tensor, Tensor, int]:
    """Of a table and a matrix between look-up and product; how many tables backward makes."""
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(WORDS, WIDTH, generator=generator, requires_grad=True)
    between = torch.randn(WIDTH, WIDTH, generator=generator, requires_grad=True)
    loss = torch.zeros(())
    with torch.autocast('cpu', torch.bfloat16, enabled=half):
        for number in range(times):
            use, ids = TableUse(product), IDS.roll(number)
            words = looked_up(table, ids, use) if shared else functional.embedding(ids, table)
            hidden = torch.tanh(words @ between)
            if shared:
                logits = multiplied(hidden[:, :3], table, use)
            else:
                logits = functional.linear(hidden[:, :3], table)
            loss = loss + logits.float().square().mean() + words.square().mean()
    with MadeOfShape((WORDS, WIDTH)) as count:
        count.seen.add(table.untyped_storage().data_ptr())  # a view of it is not made
        loss.backward()
    assert table.grad is not None
    assert between.grad is not None
    return table.grad, between.grad, count.made


# Not of several in half precision: there the plain way sums in it, and this one in full.
@pytest.mark.parametrize(('half', 'times'), [(False, 1), (False, 3), (True, 1)])
@pytest.mark.parametrize('product', [functional.linear, learned_product])
def test_the_gradient_is_the_plain_one(half: bool, times: int, product: Product) -> None:
    found, plain = gradient(True, half, times, product), gradient(False, half, times)
    for one, other in zip(found[:2], plain[:2], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)


def test_one_table_is_made_where_the_plain_way_makes_two() -> None:
    assert gradient(True, False)[2] == 1
    assert gradient(False, False)[2] >= 2


def test_words_without_a_product_have_a_gradient_too() -> None:
    table = torch.randn(WORDS, WIDTH, requires_grad=True)
    looked_up(table, IDS, TableUse()).sum().backward()
    plain = torch.zeros(WORDS, WIDTH).index_add_(0, IDS.flatten(), torch.ones(8, WIDTH))
    assert table.grad is not None
    torch.testing.assert_close(table.grad, plain)
