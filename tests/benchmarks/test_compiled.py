# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from benchmarks import compiled


def test_what_a_compiler_costs_and_gains_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler itself takes half a minute: here one that does nothing."""
    monkeypatch.setattr(compiled.torch, 'compile', lambda function: function)
    called: list[int] = []
    plain, fast, once = compiled.measure(lambda compiler: lambda: called.append(1), 3)
    assert len(called) == 1 + 1 + 2 * 3
    assert min(plain, fast) >= 0
    assert once == pytest.approx(0, abs=1)
