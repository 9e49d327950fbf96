# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of long bags, on short ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import bags


def test_time_and_memory_of_a_bag_are_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bags, 'SMALL_MB', 0.5)
    size = ('--size', '2.5', '--storage', 'sqlite3', '--compression', 'message')
    assert bags.main([*size, '--folder', str(tmp_path)]) == 0
    table = capsys.readouterr().out
    cells = re.findall(r'^\| (\w.*?) +\| (\d[\d.]*) ', table, re.MULTILINE)
    values = {name: float(value) for name, value in cells}
    assert 9 < values['bag lasts'] < 12
    assert 1 <= values['captions'] <= 5  # one for each segment that is found
    assert 100 < values['largest memory'] < 1500
    assert list(tmp_path.iterdir()) == []
