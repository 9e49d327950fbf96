# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Curves of a run as one picture: a row for each stage, a panel for each figure of its log."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mgpt3_ros.model.render.labels import BOLD, FAINT_INK, INK, RAIL, text_width, write
from mgpt3_ros.training.run_log import LOG, read_log
from mgpt3_ros.training.trainer import TrainingError

PANEL = (360, 240)  # px
PLOT = (58, 40, 344, 208)  # px in a panel: left, top, right, bottom
HEADER = 44  # px, above each stage
LINE, RAW = (38, 118, 214), (178, 206, 240)  # of the running mean, and of the figures themselves
MEASURED = (240, 112, 44)  # of validation
FIRST, LAST = ('loss',), ('gradient_norm', 'rate', 'samples_per_s')
SMOOTHED = 25  # a running mean is over this part of the curve
TICKS = 4


@dataclass(frozen=True)
class Curve:
    """A figure of a stage: steps (N,) and values (N,), which may hold NaN."""

    name: str
    steps: np.ndarray
    values: np.ndarray
    measured: bool = False


def find_stages(run: Path) -> list[Path]:
    """Folders with a log: the folder itself, or the stages in it, oldest first.

    Raises:
        TrainingError: there is none.
    """
    if (run / LOG).is_file():
        return [run]
    stages = [path.parent for path in run.glob(f'*/{LOG}')]
    if not stages:
        raise TrainingError(
            f'{run} holds no {LOG}, nor do its folders: give the folder that '
            '`mgpt3 train --output` was given, or one of its stages'
        )
    # A stage begins when the one before it has ended.
    return sorted(stages, key=lambda folder: ((folder / LOG).stat().st_mtime, folder.name))


def read_curves(stage: Path) -> list[Curve]:
    """Curves of a stage: its loss, the terms of it, validation, then how it went."""
    found: dict[tuple[str, bool], list[tuple[int, float]]] = {}
    for record in read_log(stage):
        measured = 'val' in record
        figures: dict[str, Any] = record['val'] if measured else record
        for name, value in figures.items():
            if name != 'step':
                found.setdefault((name, measured), []).append((record['step'], float(value)))

    def place(key: tuple[str, bool]) -> tuple[int, int]:
        name, measured = key
        rank = FIRST.index(name) - 9 if name in FIRST else 0
        rank = LAST.index(name) + 9 if name in LAST else rank
        return rank + measured, list(found).index(key)

    curves = []
    for name, measured in sorted(found, key=place):
        steps, values = np.array(found[name, measured], dtype=np.float64).T
        curves.append(Curve(name, steps, values, measured))
    return curves


def draw_curves(stages: Sequence[Path], columns: int = 4) -> np.ndarray:
    """Return a picture (H, W, 3) RGB of the curves of stages."""
    rows = []
    for stage in stages:
        panels = [_draw_panel(curve) for curve in read_curves(stage)]
        header = _blank(columns * PANEL[0], HEADER)
        write(header, stage.resolve().name, (16, 32), 16, INK, BOLD)
        rows.append(header)
        for begin in range(0, len(panels), columns):
            row = panels[begin : begin + columns]
            row += [_blank(*PANEL)] * (columns - len(row))
            rows.append(np.hstack(row))
    return np.vstack(rows)


def plot_run(run: Path, output: Path) -> list[Path]:
    """Draw the curves of a run, or of one of its stages, into a .png or .jpg.

    Returns:
        The folders that were drawn.

    Raises:
        TrainingError: the run has no log.
        OSError: the file cannot be written.
    """
    stages = find_stages(run)
    image = draw_curves(stages)
    done, data = cv2.imencode(output.suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not done:
        raise OSError(f'{output} could not be encoded')
    output.write_bytes(data.tobytes())
    return stages


def _blank(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), 255, np.uint8)


def _draw_panel(curve: Curve) -> np.ndarray:
    image = _blank(*PANEL)
    left, top, right, bottom = PLOT
    title = f'val: {curve.name}' if curve.measured else curve.name
    write(image, title, (left, top - 14), 11, INK)
    finite = np.isfinite(curve.values)
    values = curve.values[finite]
    if not len(values):
        write(image, 'no finite value', (left, (top + bottom) // 2), 10, FAINT_INK)
        return image
    last = f'{values[-1]:.4g}'
    write(image, last, (right - text_width(last, 10), top - 14), 10, FAINT_INK)
    bounds = value_range(values)
    _draw_axes(image, bounds, (float(curve.steps[0]), float(curve.steps[-1])))

    def points(of: np.ndarray) -> np.ndarray:
        across = (curve.steps[finite] - curve.steps[0]) / max(np.ptp(curve.steps), 1)
        up = (np.clip(of, *bounds) - bounds[0]) / (bounds[1] - bounds[0])
        x, y = left + across * (right - left), bottom - up * (bottom - top)
        return np.stack([x, y], axis=-1).round().astype(np.int32)

    if len(values) == 1:
        x, y = points(values)[0].tolist()
        cv2.circle(image, (x, y), 3, MEASURED if curve.measured else LINE, -1, cv2.LINE_AA)
    elif curve.measured:
        cv2.polylines(image, [points(values)], False, MEASURED, 2, cv2.LINE_AA)
    else:
        cv2.polylines(image, [points(values)], False, RAW, 1, cv2.LINE_AA)
        cv2.polylines(image, [points(running_mean(values))], False, LINE, 2, cv2.LINE_AA)
    return image


def value_range(values: np.ndarray) -> tuple[float, float]:
    """Lower and upper end of the axis for finite values: a few first ones may stand above it."""
    low, high = float(values.min()), float(np.quantile(values, 0.99))
    high = max(high, float(values[len(values) // 2 :].max()))
    margin = 0.05 * (high - low) or 0.5 * abs(high) or 1.0
    return low - margin, high + margin


def running_mean(values: np.ndarray) -> np.ndarray:
    """Mean of values (N,) over the neighbours of each, fewer at the ends."""
    reach = len(values) // (2 * SMOOTHED)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    middle = np.arange(len(values))
    near = np.minimum(reach, np.minimum(middle, middle[::-1]))
    return (sums[middle + near + 1] - sums[middle - near]) / (2 * near + 1)


def _draw_axes(image: np.ndarray, bounds: tuple[float, float], steps: tuple[float, float]) -> None:
    left, top, right, bottom = PLOT
    for value in ticks(*bounds):
        y = round(bottom - (value - bounds[0]) / (bounds[1] - bounds[0]) * (bottom - top))
        cv2.line(image, (left, y), (right, y), RAIL, 1)
        label = f'{value:.4g}'
        write(image, label, (left - 6 - text_width(label, 8), y + 4), 8, FAINT_INK)
    for value, x in ((steps[0], left), (steps[1], right)):
        label = f'{value:.0f}'
        at = x if x == left else x - text_width(label, 8)
        write(image, label, (at, bottom + 16), 8, FAINT_INK)


def ticks(low: float, high: float) -> list[float]:
    """Round numbers from ``low`` to ``high``, about four: multiples of 1, 2 or 5 times 10 ** n."""
    rough = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [number * step for number in range(first, last + 1)]
