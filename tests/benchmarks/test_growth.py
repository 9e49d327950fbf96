# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import growth
from benchmarks.floor import Rates, counted
from tests.support.streams import small_model
from tests.support.tiny import tiny_model

pytestmark = pytest.mark.slow


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model()
    monkeypatch.setattr(growth, 'sized', lambda width: model)
    monkeypatch.setattr(growth, 'measured_rates', lambda: Rates(1e9, 1e9))
    for name in ('BATCHES', 'FRAME_COUNTS', 'TOKENS', 'WIDTHS', 'MINUTES'):
        monkeypatch.setattr(growth, name, getattr(growth, name)[:2])


@pytest.mark.usefixtures('small')
def test_a_report_has_every_series_with_its_floor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small_model().save_pretrained(tmp_path / 'stream')
    call = ['--repeats', '1', '--stream', str(tmp_path / 'stream'), '-o', str(tmp_path / 'made')]
    assert growth.main(call) == 0
    report = json.loads((tmp_path / 'made.json').read_text())
    titles = [title for title, _ in growth.SERIES.values()]
    assert list(report['series']) == [*titles, 'minutes of a stream, a step']
    for rows in report['series'].values():
        assert len(rows) == (1 if rows is report['series']['captions in a batch'] else 2)
        assert all(row['seconds'] > 0 and row['floor_s'] > 0 for row in rows)
    sizes = {title: [row['size'] for row in rows] for title, rows in report['series'].items()}
    assert sizes['motions in a batch'] == [1, 2]
    assert sizes['frames of a motion'] == [20, 40]
    assert (tmp_path / 'made.png').stat().st_size > 1000
    printed = capsys.readouterr().out
    assert '| motions in a batch | 1: ' in printed


def test_growth_is_the_ratio_to_the_floor_at_the_end_over_that_at_the_beginning() -> None:
    rows = [
        {'size': 1.0, 'seconds': 2.0, 'floor_s': 1.0},
        {'size': 8.0, 'seconds': 6.0, 'floor_s': 4.0},
    ]
    assert growth.growth(rows) == pytest.approx(0.75)


def test_sizes_are_what_they_say() -> None:
    model = tiny_model()
    for tokens in (5, 20):
        count = len(model.tokenizer.encode(growth.worded(model, tokens)))
        assert tokens <= count <= tokens + 8
    few = counted(lambda: growth.written(model, 1, 3)).flops
    assert counted(lambda: growth.written(model, 1, 6)).flops > few
    assert model.pipeline.config.decoding.max_tokens == 40
