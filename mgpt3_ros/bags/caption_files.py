# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Captions with their times as files: JSON lines, CSV, and subtitles."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TextIO

from mgpt3_ros.model.atomic_files import whole_file


@dataclass(frozen=True)
class Caption:
    """What was seen between two moments.

    start_s, end_s: since the beginning of the bag. start_stamp_ns, end_stamp_ns: of the messages.
    label, confidence: of its action, where segments were asked for; else '' and 0.
    """

    start_s: float
    end_s: float
    start_stamp_ns: int
    end_stamp_ns: int
    caption: str
    label: str = ''
    confidence: float = 0.0


class _Subtitles:
    """Windows overlap, subtitles do not, so each is shown until the next begins."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._waiting: Caption | None = None
        self._count = 0

    def add(self, caption: Caption | None) -> None:
        """Write the one before, now that its end is known; None writes the last."""
        shown, self._waiting = self._waiting, caption
        if shown is None:
            return
        end_s = shown.end_s if caption is None else min(shown.end_s, caption.start_s)
        if end_s > shown.start_s:
            self._count += 1
            span = f'{_clock(shown.start_s)} --> {_clock(end_s)}'
            self._file.write(f'{self._count}\n{span}\n{shown.caption}\n\n')


@contextmanager
def caption_file(path: Path) -> Iterator[Callable[[Caption], object]]:
    """Open a .jsonl, .srt or .csv, which is there whole or not at all; give what adds a caption.

    JSON has an object a line, CSV a header and a row each, with the fields of :class:`Caption`.
    """
    with whole_file(path) as partial, partial.open('w', encoding='utf-8', newline='') as file:
        if path.suffix.lower() == '.srt':
            subtitles = _Subtitles(file)
            yield subtitles.add
            subtitles.add(None)
        elif path.suffix.lower() == '.csv':
            names = [field.name for field in fields(Caption)]
            rows = csv.DictWriter(file, names, lineterminator='\n')
            rows.writeheader()
            yield lambda c: rows.writerow(asdict(c))
        else:
            yield lambda c: file.write(json.dumps(asdict(c), ensure_ascii=False) + '\n')


def _clock(seconds: float) -> str:
    """Return 01:02:03,456."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f'{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02},{rest % 1000:03}'
