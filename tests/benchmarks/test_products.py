# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from benchmarks import products


def test_each_product_is_timed_both_ways(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(products, 'SHAPES', ((2, 64, 64),))
    monkeypatch.setattr(products, 'LEARNED', ((8, 64, 64),))
    assert products.main([]) == 0
    printed = capsys.readouterr().out
    assert '| 2, 64 to 64 | ' in printed
    assert '| 8, 64 to 64, with both gradients | ' in printed
    assert 'auto takes oneDNN: ' in printed


def test_gradients_take_longer_than_none() -> None:
    shape = 256, 512, 512
    ways = (products.product,)
    (plain_s,) = products.taken_s(shape, ways, learns=False)
    (learned_s,) = products.taken_s(shape, (products.learned_product,), learns=True)
    assert 0 < plain_s < learned_s
