# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Captions as people write them: a text file beside a motion, a caption a line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.training.data.clip import DataError


@dataclass(frozen=True)
class CaptionLine:
    """A line of a caption file; start and end [s] are both 0 for the whole motion."""

    text: str
    start_s: float
    end_s: float

    @property
    def is_part(self) -> bool:
        """Whether it speaks of a part of the motion."""
        return (self.start_s, self.end_s) != (0.0, 0.0)

    def rows(self, count: int) -> slice:
        """The rows of features, of ``count``, of which it speaks."""
        if not self.is_part:
            return slice(0, count)
        return slice(int(self.start_s * FPS), min(int(self.end_s * FPS), count))


def text_lines(content: bytes) -> list[str]:
    """Lines of a text file in UTF-8, with a byte order mark or without, from any system.

    Only line ends part lines: no vertical tab or line separator within a caption does.

    Raises:
        UnicodeDecodeError: it is no UTF-8.
    """
    text = content.decode('utf-8-sig')
    return text.replace('\r\n', '\n').replace('\r', '\n').split('\n')


def parse_caption_line(line: str) -> CaptionLine:
    """Read ``caption#tokens#start#end``.

    Raises:
        ValueError: it has another form, no caption, or times that are no part of a motion.
    """
    fields = line.strip().split('#')
    if len(fields) != 4:
        raise ValueError(f'{len(fields)} fields, not caption#tokens#start#end')
    text = fields[0].strip()
    if not text:
        raise ValueError('no caption')
    # HumanML3D writes nan where no time was given.
    start, end = (0.0 if math.isnan(time) else time for time in map(float, fields[2:]))
    if (start, end) != (0.0, 0.0) and not 0 <= start < end < math.inf:
        raise ValueError(f'from {start:g} s to {end:g} s is no part of a motion')
    return CaptionLine(text, start, end)


def without_suffix(file: Path) -> Path:
    """The path of a motion without its suffix; a bag's folder has none."""
    return file if file.is_dir() else file.with_suffix('')


def caption_file(file: Path) -> Path:
    """Where the captions of a motion are: in the .txt beside it."""
    stem = without_suffix(file)
    return stem.with_name(f'{stem.name}.txt')


def load_captions(file: Path, text: str = '') -> list[CaptionLine]:
    """Read the captions of a motion file: the lines of the .txt beside it.

    A line is a caption, or ``caption#tokens#start#end`` for a part of the motion [s].

    Args:
        file: the motion's.
        text: what serves without a .txt.

    Raises:
        DataError: there is none, or a line has another form.
    """
    beside = caption_file(file)
    if beside.is_file():
        try:
            lines = text_lines(beside.read_bytes())
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f'{beside.name} cannot be read: {error}') from error
    else:
        lines = [text]
    captions = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            whole = '#' not in line
            text = ' '.join(line.split())
            captions.append(CaptionLine(text, 0.0, 0.0) if whole else parse_caption_line(line))
        except ValueError as error:
            raise DataError(f'{beside.name} line {number}: {error}') from error
    if not captions:
        raise DataError(f'no caption: write a line or more into {beside.name}')
    return captions
