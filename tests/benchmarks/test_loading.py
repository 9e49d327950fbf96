# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import loading
from tests.support.tiny import save_tiny_model

pytestmark = pytest.mark.slow


def test_import_start_and_memory_are_measured_in_new_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, 'REPEATS', 1)
    monkeypatch.setenv('PYTHONDONTWRITEBYTECODE', '1')
    rows = {row.name: row for row in loading.measure(save_tiny_model(tmp_path))}
    assert rows['ready from disk'].value > 0
    drawn = rows['memory when it has drawn, over the weights'].value
    assert drawn >= rows['memory when ready, over the weights'].value > 0
    assert [row.target for row in rows.values()] == [0.3, 0.4, 1.3, 1.3]
    told = loading._run('import os; print(os.environ.get("PYTHONDONTWRITEBYTECODE"))')
    assert told.strip() == 'None'  # a package that is installed is compiled
