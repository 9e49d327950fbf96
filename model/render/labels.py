# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is written over the picture: caption, clock, progress, and which colour is which side.

OpenCV's classic font names are used: OpenCV 4 draws them as strokes, OpenCV 5 as a real typeface
that also has accents and Chinese.
"""

from __future__ import annotations

import cv2
import numpy as np

from mgpt3_ros.model.figure.cones import LEFT_COLOUR, RIGHT_COLOUR

INK = (38, 44, 56)
FAINT_INK = (116, 124, 138)
RAIL = (204, 209, 217)
BOLD, REGULAR = cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_SIMPLEX
_CAP_HEIGHT = 21.0  # px of a capital letter at font scale 1
MAX_LINES = 3


def text_width(text: str, size: float, font: int = REGULAR) -> int:
    """Return the width [px] of a line of text whose capitals are ``size`` px high."""
    (width, _), _ = cv2.getTextSize(text, font, size / _CAP_HEIGHT, _stroke(size))
    return int(width)


def write(
    image: np.ndarray,
    text: str,
    at: tuple[int, int],
    size: float,
    colour: tuple[int, int, int] = INK,
    font: int = REGULAR,
) -> None:
    """Write a line with its left end on the base line ``at`` (x, y); capitals ``size`` px high."""
    scale = size / _CAP_HEIGHT
    cv2.putText(image, text, at, font, scale, colour, _stroke(size), cv2.LINE_AA)


def wrap(text: str, size: float, width: int, font: int = REGULAR) -> list[str]:
    """Break ``text`` into lines of at most ``width`` px, and at most three; the rest is cut."""
    lines: list[str] = []
    for word in text.split():
        longer = f'{lines[-1]} {word}' if lines else word
        if lines and text_width(longer, size, font) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    cut = len(lines) > MAX_LINES
    lines = lines[:MAX_LINES]
    for i, line in enumerate(lines):
        ellipsis = '...' if cut and i == MAX_LINES - 1 else ''
        while len(line) > 1 and text_width(line + ellipsis, size, font) > width:
            line, ellipsis = line[:-1], '...'
        lines[i] = line + ellipsis
    return lines


class Labels:
    """Writes the same caption and legend on each frame, and its time."""

    def __init__(self, size: tuple[int, int], title: str | None, duration_s: float | None) -> None:
        """Prepare labels for images of ``size`` (width, height); no duration means no clock."""
        self.width, self.height = size
        self.margin = round(0.045 * self.height)
        self.large, self.small = self.height / 40, self.height / 56
        self.lines = wrap(title or '', self.large, self.width - 2 * self.margin, BOLD)
        self.duration_s = duration_s

    def draw(self, image: np.ndarray, time_s: float = 0.0) -> None:
        """Write on ``image`` (H, W, 3) RGB."""
        y = self.margin + round(self.large)
        for line in self.lines:
            write(image, line, (self.margin, y), self.large, INK, BOLD)
            y += round(1.9 * self.large)
        base = self.height - self.margin
        x = self.width - self.margin
        for name, colour in (('right', RIGHT_COLOUR), ('left', LEFT_COLOUR)):
            x -= text_width(name, self.small)
            write(image, name, (x, base), self.small, FAINT_INK)
            radius = round(0.55 * self.small)
            x -= round(1.2 * self.small)
            centre = (x, base - round(self.small / 2))
            cv2.circle(image, centre, radius, colour, -1, cv2.LINE_AA)
            x -= round(2.2 * self.small)
        if self.duration_s is not None:
            self._draw_clock(image, base, time_s)

    def _draw_clock(self, image: np.ndarray, base: int, time_s: float) -> None:
        assert self.duration_s is not None
        clock = f'{time_s:.1f} / {self.duration_s:.1f} s'
        write(image, clock, (self.margin, base), self.small, FAINT_INK)
        left = self.margin + text_width('00.0 / 00.0 s', self.small) + round(1.2 * self.small)
        length = round(0.2 * self.width)
        y, thick = base - round(self.small / 2), max(2, round(self.small / 4))
        done = left + round(length * min(time_s / max(self.duration_s, 1e-6), 1.0))
        cv2.line(image, (left, y), (left + length, y), RAIL, thick, cv2.LINE_AA)
        cv2.line(image, (left, y), (done, y), INK, thick, cv2.LINE_AA)


def _stroke(size: float) -> int:
    return max(1, round(size / 14))
