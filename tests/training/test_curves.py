# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Curves of a run: which figures are drawn, where, and ``mgpt3 plot``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mgpt3_ros.cli import main as cli
from mgpt3_ros.training.curves import (
    HEADER,
    LINE,
    MEASURED,
    PANEL,
    PLOT,
    draw_curves,
    find_stages,
    read_curves,
    running_mean,
    ticks,
    value_range,
)
from mgpt3_ros.training.trainer import TrainingError


def write_log(folder: Path, records: Iterable[dict[str, Any]], age: int = 0) -> Path:
    folder.mkdir(parents=True)
    lines = [json.dumps(record) for record in records]
    (folder / 'log.jsonl').write_text('\n'.join(lines) + '\n')
    os.utime(folder / 'log.jsonl', (10**9 - age, 10**9 - age))
    return folder


def falling(steps: int = 50) -> list[dict[str, Any]]:
    return [{'step': 10 * i, 'loss': 2.0 - i / steps, 'rate': 1e-3} for i in range(1, steps + 1)]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of two stages; the one that comes first by name was trained last."""
    write_log(tmp_path / 'run' / 'vae', falling(), age=100)
    extra = [{'step': 200, 'val': {'error': 0.4}}, {'step': 400, 'val': {'error': 0.3}}]
    write_log(tmp_path / 'run' / 'align', [*falling(), *extra], age=10)
    return tmp_path / 'run'


def test_stages_come_in_the_order_of_training(run: Path) -> None:
    assert [stage.name for stage in find_stages(run)] == ['vae', 'align']
    assert find_stages(run / 'align') == [run / 'align']


def test_curves_hold_the_figures_of_the_log(run: Path) -> None:
    curves = read_curves(run / 'align')
    assert [(curve.name, curve.measured) for curve in curves] == [
        ('loss', False), ('error', True), ('rate', False),
    ]  # fmt: skip
    assert curves[0].steps.tolist() == list(range(10, 510, 10))
    assert curves[0].values == pytest.approx(np.linspace(1.98, 1.0, 50))
    assert curves[1].steps.tolist() == [200, 400]
    assert curves[1].values.tolist() == [0.4, 0.3]


def columns_of(panel: np.ndarray, colour: tuple[int, int, int]) -> dict[int, float]:
    """Mean height [px from above] of a colour in each column that has it."""
    y, x = (panel == colour).all(axis=-1).nonzero()
    return {int(column): float(y[x == column].mean()) for column in np.unique(x)}


def test_a_falling_loss_is_drawn_falling(run: Path) -> None:
    image = draw_curves([run / 'align'], columns=3)
    assert image.shape == (HEADER + PANEL[1], 3 * PANEL[0], 3)
    panel = image[HEADER:, : PANEL[0]]
    drawn = columns_of(panel, LINE)
    left, top, right, bottom = PLOT
    assert min(drawn) < left + 4
    assert max(drawn) > right - 4
    # 0.05 of the range is kept free above and below.
    inside = (bottom - top) / 1.1
    for column, height in drawn.items():
        share = (column - left) / (right - left)
        assert height == pytest.approx(top + 0.05 * inside + share * inside, abs=5)
    measured = columns_of(image[HEADER:, PANEL[0] : 2 * PANEL[0]], MEASURED)
    assert min(measured.items())[1] < max(measured.items())[1]  # 0.4 stands above 0.3


def test_a_stage_with_odd_figures_is_drawn(tmp_path: Path) -> None:
    records = [
        {'step': 1, 'loss': float('nan'), 'flat': 0.0, 'mixed': float('inf')},
        {'step': 2, 'loss': float('nan'), 'flat': 0.0, 'mixed': 1.0},
    ]
    image = draw_curves([write_log(tmp_path / 'odd', records)])
    assert image.shape == (HEADER + PANEL[1], 4 * PANEL[0], 3)
    single = draw_curves([write_log(tmp_path / 'one', [{'step': 1, 'loss': 2.0}])])
    assert (single == LINE).all(axis=-1).any()


def test_an_axis_is_not_stretched_by_a_bad_beginning() -> None:
    values = np.concatenate([[1000.0], np.linspace(3, 1, 500)])
    low, high = value_range(values)
    assert low < 1 < 3 < high < 4
    assert value_range(np.array([2.0, 2.0])) == (1.0, 3.0)
    assert value_range(np.array([0.0])) == (-1.0, 1.0)


@pytest.mark.parametrize(
    ('low', 'high', 'expected'),
    [(0.1, 4.2, [2, 4]), (0, 1, [0, 0.5, 1]), (-30, 45, [-20, 0, 20, 40]), (1e-4, 9e-4, None)],
)
def test_ticks_are_round(low: float, high: float, expected: list[float] | None) -> None:
    found = ticks(low, high)
    assert found == pytest.approx(expected or [2e-4, 4e-4, 6e-4, 8e-4])


def test_a_running_mean_keeps_a_straight_line() -> None:
    line = np.linspace(5, -3, 203)
    np.testing.assert_allclose(running_mean(line), line, atol=1e-9)
    noise = np.random.default_rng(0).normal(size=1000)
    assert running_mean(noise)[100:-100].std() < 0.25


def test_the_command_writes_a_picture(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'curves.png'
    assert cli.main(['plot', str(run), '-o', str(path)]) == 0
    assert capsys.readouterr().out == f'{path}: vae, align\n'
    image = cv2.imread(str(path))
    assert image is not None
    np.testing.assert_array_equal(image[..., ::-1], draw_curves([run / 'vae', run / 'align']))


def test_a_folder_without_a_log_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(TrainingError, match=r'holds no log\.jsonl'):
        find_stages(tmp_path)
    assert cli.main(['plot', str(tmp_path), '-o', str(tmp_path / 'a.png')]) == 2
    assert 'holds no log.jsonl' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(['plot', str(tmp_path), '-o', str(tmp_path / 'a.mp4')])
    assert 'is no picture' in capsys.readouterr().err
