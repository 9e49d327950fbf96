# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of runs and evaluations: which figures are drawn, and ``mgpt3 plot``."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mgpt3_ros.cli import main as cli
from mgpt3_ros.training.evaluation.results import Evaluation, Figure
from mgpt3_ros.training.plots import draw_curves, draw_evaluation, find_stages, read_curves


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
    assert list(curves) == ['loss', 'val: error', 'rate']
    steps, values = curves['loss']
    assert steps.tolist() == list(range(10, 510, 10))
    assert values == pytest.approx(np.linspace(1.98, 1.0, 50))
    assert curves['val: error'].tolist() == [[200, 400], [0.4, 0.3]]


def panels(figure: Any) -> dict[str, Any]:
    """Axes that show something, by the beginning of their title."""
    return {axes.get_title().rpartition(':')[0]: axes for axes in figure.get_axes() if axes.lines}


def test_what_the_log_says_is_drawn(run: Path) -> None:
    figure = draw_curves([run / 'vae', run / 'align'])
    assert [part.get_suptitle() for part in figure.subfigs] == ['vae', 'align']
    assert sum(axes.axison for axes in figure.get_axes()) == 2 + 3
    shown = panels(figure.subfigs[1])
    assert list(shown) == ['loss', 'val: error', 'rate']
    raw, mean = (line.get_xydata() for line in shown['loss'].lines)
    np.testing.assert_array_equal(raw.T, read_curves(run / 'align')['loss'])
    assert (np.diff(mean[:, 1]) < 0).all()  # it falls
    (measured,) = shown['val: error'].lines
    assert measured.get_xydata().tolist() == [[200, 0.4], [400, 0.3]]


def test_a_stage_with_odd_figures_is_drawn(tmp_path: Path) -> None:
    records = [
        {'step': 1, 'loss': float('nan'), 'flat': 0.0, 'mixed': float('inf')},
        {'step': 2, 'loss': float('nan'), 'flat': 0.0, 'mixed': 1.0},
    ]
    figure = draw_curves([write_log(tmp_path / 'odd', records)])
    assert figure.get_axes()[0].get_title() == 'loss: no finite value'
    shown = panels(figure)
    assert list(shown) == ['flat', 'mixed']
    assert shown['mixed'].lines[0].get_xydata().tolist() == [[2, 1]]
    empty = write_log(tmp_path / 'empty', [])
    single = write_log(tmp_path / 'one', [{'step': 1, 'loss': 2.0}])
    assert list(panels(draw_curves([empty, single]))) == ['loss']


def test_an_axis_is_not_stretched_by_a_bad_beginning(tmp_path: Path) -> None:
    values = [1000.0, *np.linspace(3, 1, 500)]
    records = [{'step': step, 'loss': value} for step, value in enumerate(values)]
    (axes,) = panels(draw_curves([write_log(tmp_path / 'a', records)])).values()
    low, high = axes.get_ylim()
    assert low < 1 < 3 < high < 4


def test_figures_of_an_evaluation_are_drawn_with_their_intervals() -> None:
    none = Figure(math.nan, math.nan, math.nan, 5)
    figures = {
        'real': {'x': Figure(1.0, math.nan, math.nan, 5), 'y': Figure(0.0, 0.0, 0.0, 5)},
        'model': {'x': Figure(2.0, 1.5, 2.5, 5, 3), 'z': none},
    }
    shown = draw_evaluation(Evaluation('t2m', figures, settings={'evaluator': 'tmr'}))
    assert shown.get_suptitle() == 't2m, tmr'
    x, y, z, *unused = shown.get_axes()
    assert [axes.get_title() for axes in (x, y, z)] == ['x', 'y', 'z']
    assert [label.get_text() for label in x.get_yticklabels()] == ['real', 'model']
    assert [line.get_xydata().tolist() for line in x.lines[-2:]] == [
        [[1.5, 1], [2.5, 1]],
        [[2, 1]],
    ]
    assert x.lines[0].get_xdata() == [1, 1]  # through all rows
    assert not z.lines
    assert all(not axes.axison for axes in unused)


def test_the_command_writes_a_picture(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'curves.png'
    assert cli.main(['plot', str(run), '-o', str(path)]) == 0
    assert capsys.readouterr().out == f'{path}: vae, align\n'
    image = cv2.imread(str(path))
    assert image is not None
    assert image.std() > 5  # something is drawn
    assert cli.main(['plot', str(run / 'vae'), '-o', str(tmp_path / 'vae.jpg')]) == 0
    assert cv2.imread(str(tmp_path / 'vae.jpg')).shape[0] < image.shape[0]


def test_a_folder_without_a_log_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(FileNotFoundError, match=r'holds no log\.jsonl'):
        find_stages(tmp_path)
    assert cli.main(['plot', str(tmp_path), '-o', str(tmp_path / 'a.png')]) == 2
    assert 'holds no log.jsonl' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(['plot', str(tmp_path), '-o', str(tmp_path / 'a.mp4')])
    assert 'end it in one of .png, .jpg, .jpeg' in capsys.readouterr().err
