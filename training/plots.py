# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of numbers: the curves of a run, and the figures of an evaluation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter1d

from mgpt3_ros.model.atomic_files import whole_file
from mgpt3_ros.model.extras import extra
from mgpt3_ros.training.evaluation.results import Evaluation
from mgpt3_ros.training.run_log import LOG, read_log

with extra('train'):
    from matplotlib.figure import Figure

COLUMNS = 4
PANEL = (3.6, 2.4)  # inches
SMOOTHED = 25  # a running mean is over this part of the curve
VALIDATED = 'val: '  # before the names of what validation measured
PLACES = {'loss': -1, 'gradient_norm': 1, 'rate': 2, 'samples_per_s': 3}  # of panels; others: 0


def find_stages(run: Path) -> list[Path]:
    """Folders with a log: the folder itself, or the stages in it, oldest first.

    Raises:
        FileNotFoundError: there is none.
    """
    if (run / LOG).is_file():
        return [run]
    stages = [path.parent for path in run.glob(f'*/{LOG}')]
    if not stages:
        raise FileNotFoundError(
            f'{run} holds no {LOG}, nor do its folders: give the folder that '
            '`mgpt3 train --output` was given, or one of its stages'
        )
    # A stage begins when the one before it has ended.
    return sorted(stages, key=lambda folder: ((folder / LOG).stat().st_mtime, folder.name))


def read_curves(stage: Path) -> dict[str, np.ndarray]:
    """Curves (2, N) of a stage, steps and values, by name: its loss, the terms of it, the rest.

    Values may be NaN. What validation measured is named ``val: ...``.
    """
    found: dict[str, list[tuple[int, float]]] = {}
    for record in read_log(stage):
        figures: dict[str, Any] = record.get('val', record)
        for name, value in figures.items():
            if name != 'step':
                name = f'{VALIDATED}{name}' if 'val' in record else name
                found.setdefault(name, []).append((record['step'], float(value)))
    # A term of the training comes before the same one of the validation.
    names = sorted(
        found,
        key=lambda name: (PLACES.get(name.removeprefix(VALIDATED), 0), name.startswith(VALIDATED)),
    )
    return {name: np.array(found[name], dtype=np.float64).T for name in names}


def plot_run(run: Path, output: Path) -> list[Path]:
    """Draw the curves of a run, or of one of its stages, into a .png or .jpg.

    Returns:
        The folders that were drawn.

    Raises:
        OSError: the run has no log, or the file cannot be written.
    """
    stages = find_stages(run)
    _save(draw_curves(stages), output)
    return stages


def draw_curves(stages: Sequence[Path]) -> Figure:
    """Return a picture with a part for each stage, and a panel in it for each curve."""
    curves = [read_curves(stage) for stage in stages]
    names = [{name.removeprefix(VALIDATED) for name in of_stage} for of_stage in curves]
    rows = [math.ceil(max(len(each), 1) / COLUMNS) for each in names]
    size = COLUMNS * PANEL[0], sum(rows) * PANEL[1] + 0.4 * len(stages)
    figure = Figure(figsize=size, layout='constrained')
    parts = figure.subfigures(len(stages), squeeze=False, height_ratios=rows)[:, 0]
    for part, stage, of_stage, count in zip(parts, stages, curves, rows, strict=True):
        part.suptitle(stage.resolve().name, weight='bold')
        panels = part.subplots(count, COLUMNS, squeeze=False).flat
        drawn: dict[str, Any] = {}
        for name, (steps, values) in of_stage.items():
            # What validation measured goes into the panel of the same term.
            known = drawn.get(name.removeprefix(VALIDATED))
            axes = next(panels) if known is None else known
            drawn[name] = axes
            _draw_curve(axes, name, steps, values, known is not None)
        for axes in list(panels):  # those that no curve took
            axes.axis('off')
    return figure


def _draw_curve(
    axes: Any, name: str, steps: np.ndarray, values: np.ndarray, beside: bool = False
) -> None:
    """Draw a curve; ``beside``: into the panel of another, which has its title already."""
    finite = np.isfinite(values)
    steps, values = steps[finite], values[finite]
    axes.grid(alpha=0.3)
    if not len(values):
        axes.set_title(f'{name}: no finite value', fontsize='small')
        return
    title = f'{name}: {values[-1]:.4g}'
    if beside:
        title = f'{axes.get_title()}, {VALIDATED}{values[-1]:.4g}'
    axes.set_title(title, fontsize='small')
    if name.startswith(VALIDATED) or len(values) == 1:
        axes.plot(steps, values, '.-', color='C1')
        return
    axes.plot(steps, values, color='C0', alpha=0.3)
    axes.plot(steps, uniform_filter1d(values, 1 + len(values) // SMOOTHED, mode='nearest'))
    # A few first values may stand above the picture.
    high = max(np.quantile(values, 0.99), values[len(values) // 2 :].max())
    if high > values.min():
        axes.set_ylim(top=high + 0.05 * (high - values.min()))


def plot_evaluation(found: Evaluation, output: Path) -> None:
    """Draw the figures of an evaluation into a .png.

    Raises:
        OSError: the file cannot be written.
    """
    _save(draw_evaluation(found), output)


def draw_evaluation(found: Evaluation) -> Figure:
    """Return a picture with a panel per measure, and in it a dot with its interval per row.

    Grey rows are what no model made; a grey line goes on through all rows where it stands, so
    that one sees which figures reach it.
    """
    makers = list(found.figures)
    measures = list(dict.fromkeys(m for group in found.figures.values() for m in group))
    rows = math.ceil(len(measures) / COLUMNS)
    size = COLUMNS * PANEL[0], rows * (0.8 + 0.3 * len(makers)) + 0.4
    figure = Figure(figsize=size, layout='constrained')
    figure.suptitle(', '.join([found.protocol, *filter(None, [found.settings.get('evaluator')])]))
    panels = figure.subplots(rows, COLUMNS, squeeze=False, sharey=True).flat
    for measure, axes in zip(measures, panels, strict=False):
        axes.set_title(measure, fontsize='small')
        axes.set_yticks(range(len(makers)), makers)
        axes.set_ylim(len(makers) - 0.5, -0.5)
        for row, maker in enumerate(makers):
            one = found.figures[maker].get(measure)
            if one is None or not math.isfinite(one.mean):
                continue
            real = maker.startswith('real')
            if real:
                axes.axvline(one.mean, color='0.6')
            colour = '0.6' if real else 'C0'
            axes.plot([one.low, one.high], [row, row], color=colour)
            axes.plot(one.mean, row, 'o', color=colour)
            axes.annotate(f'{one.mean:.3g}', (one.mean, row), (6, 2), textcoords='offset points')
    for axes in list(panels):
        axes.axis('off')
    return figure


def _save(figure: Figure, output: Path) -> None:
    with whole_file(output) as partial:
        figure.savefig(partial, format=output.suffix[1:].lower(), dpi=100)
