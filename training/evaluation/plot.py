# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of an evaluation as a picture: a panel per measure, a dot with its interval per row."""

from __future__ import annotations

import math
import os
from pathlib import Path

import cv2
import numpy as np

from mgpt3_ros.model.render.labels import BOLD, FAINT_INK, INK, RAIL, text_width, write
from mgpt3_ros.training.curves import ticks
from mgpt3_ros.training.evaluation.results import Evaluation, Figure

PANEL = 380  # px, width
NAMES = 210  # px, left of the panels, for the rows' names
ROW = 26  # px
TOP, BOTTOM = 40, 30  # px above and below the rows of a panel
SIDE = 24  # px
HEADER = 48  # px
COLUMNS = 3
REAL = (150, 150, 150)  # rows that are no model's
MADE = (38, 118, 214)


def plot_evaluation(found: Evaluation, output: Path) -> None:
    """Write the picture as .png, whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    image = draw_evaluation(found)
    done, data = cv2.imencode('.png', cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not done:
        raise OSError(f'{output} could not be encoded')
    partial = output.with_name(output.name + '.partial')
    partial.write_bytes(data.tobytes())
    os.replace(partial, output)


def draw_evaluation(found: Evaluation, columns: int = COLUMNS) -> np.ndarray:
    """Return a picture (H, W, 3) RGB.

    Grey rows are what no model made; a grey line goes on through all rows where it stands, so
    that one sees which figures reach it.
    """
    makers = list(found.figures)
    measures = list(dict.fromkeys(m for group in found.figures.values() for m in group))
    height = TOP + ROW * len(makers) + BOTTOM
    rows = []
    for begin in range(0, len(measures), columns):
        part = measures[begin : begin + columns]
        panels = [_panel(found, measure, makers, height) for measure in part]
        panels += [_blank(PANEL, height)] * (columns - len(part))
        rows.append(np.hstack([_names(makers, height), *panels]))
    header = _blank(NAMES + columns * PANEL, HEADER)
    title = ', '.join(
        [found.protocol, *(str(found.settings[k]) for k in ('evaluator',) if k in found.settings)]
    )
    write(header, title, (SIDE, 32), 15, INK, BOLD)
    return np.vstack([header, *rows])


def _blank(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), 255, np.uint8)


def _height(row: int) -> int:
    return TOP + ROW * row + ROW // 2


def _names(makers: list[str], height: int) -> np.ndarray:
    image = _blank(NAMES, height)
    for row, maker in enumerate(makers):
        ink = FAINT_INK if _is_real(maker) else INK
        at = NAMES - 8 - text_width(maker, 10)
        write(image, maker, (max(at, 4), _height(row) + 4), 10, ink)
    return image


def _panel(found: Evaluation, measure: str, makers: list[str], height: int) -> np.ndarray:
    image = _blank(PANEL, height)
    write(image, measure, (SIDE, TOP - 14), 11, INK)
    shown = {
        row: found.figures[maker][measure]
        for row, maker in enumerate(makers)
        if measure in found.figures[maker] and math.isfinite(found.figures[maker][measure].mean)
    }
    if not shown:
        write(image, 'not finite', (SIDE, _height(0)), 10, FAINT_INK)
        return image
    low, high = _range(list(shown.values()))
    left, right = SIDE, PANEL - SIDE

    def across(value: float) -> int:
        return round(left + (value - low) / (high - low) * (right - left))

    bottom = TOP + ROW * len(makers)
    for value in ticks(low, high):
        cv2.line(image, (across(value), TOP), (across(value), bottom), RAIL, 1)
        label = f'{value:.4g}'
        write(image, label, (across(value) - text_width(label, 8) // 2, bottom + 16), 8, FAINT_INK)
    for row, one in shown.items():
        ink = REAL if _is_real(makers[row]) else MADE
        x, y = across(one.mean), _height(row)
        if ink == REAL:
            cv2.line(image, (x, TOP), (x, bottom), REAL, 1, cv2.LINE_AA)
        if math.isfinite(one.low) and math.isfinite(one.high):
            cv2.line(image, (across(one.low), y), (across(one.high), y), ink, 2, cv2.LINE_AA)
        cv2.circle(image, (x, y), 5, ink, -1, cv2.LINE_AA)
        label = f'{one.mean:.3g}'
        beside = x + 10 if x < (left + right) // 2 else x - 10 - text_width(label, 8)
        write(image, label, (beside, y - 4), 8, INK)
    return image


def _is_real(maker: str) -> bool:
    return maker.startswith('real')


def _range(shown: list[Figure]) -> tuple[float, float]:
    ends = [v for one in shown for v in (one.mean, one.low, one.high) if math.isfinite(v)]
    low, high = min(ends), max(ends)
    margin = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    return low - margin, high + margin
