# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Captions with their times as files: JSON lines, CSV, and subtitles."""

from __future__ import annotations

import csv
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TextIO

from mgpt3_ros.model.atomic_files import whole_file


@dataclass(frozen=True)
class Caption:
    """What was seen between two moments.

    start_s, end_s: since the beginning of the bag. start_stamp_ns, end_stamp_ns: of the messages.
    """

    start_s: float
    end_s: float
    start_stamp_ns: int
    end_stamp_ns: int
    caption: str


class CaptionFile(ABC):
    """Writes captions to an open file as they come."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    @abstractmethod
    def add(self, caption: Caption) -> None:
        """Write one more."""

    def end(self) -> None:  # noqa: B027 - most have nothing to say behind
        """Write what stands at the end."""


class JsonLines(CaptionFile):
    """An object a line, with the fields of :class:`Caption`."""

    def add(self, caption: Caption) -> None:
        """Write a line."""
        self.file.write(json.dumps(asdict(caption), ensure_ascii=False) + '\n')


class Csv(CaptionFile):
    """A header, then a row each, with the fields of :class:`Caption`."""

    def __init__(self, file: TextIO) -> None:
        super().__init__(file)
        self._rows = csv.writer(file, lineterminator='\n')
        self._rows.writerow([f.name for f in fields(Caption)])

    def add(self, caption: Caption) -> None:
        """Write a row."""
        self._rows.writerow(asdict(caption).values())


class SubRip(CaptionFile):
    """Subtitles: windows overlap, subtitles do not, so each is shown until the next begins."""

    def __init__(self, file: TextIO) -> None:
        super().__init__(file)
        self._waiting: Caption | None = None
        self._count = 0

    def add(self, caption: Caption) -> None:
        """Write the one before, now that its end is known."""
        if self._waiting is not None:
            self._show(self._waiting, min(self._waiting.end_s, caption.start_s))
        self._waiting = caption

    def end(self) -> None:
        """Write the last."""
        if self._waiting is not None:
            self._show(self._waiting, self._waiting.end_s)

    def _show(self, caption: Caption, end_s: float) -> None:
        if end_s <= caption.start_s:
            return
        self._count += 1
        span = f'{_clock(caption.start_s)} --> {_clock(end_s)}'
        self.file.write(f'{self._count}\n{span}\n{caption.caption}\n\n')


KINDS: dict[str, type[JsonLines | SubRip | Csv]] = {
    '.jsonl': JsonLines,
    '.srt': SubRip,
    '.csv': Csv,
}


@contextmanager
def caption_file(path: Path) -> Iterator[CaptionFile]:
    """Open the writer of a .jsonl, .srt or .csv, which is there whole or not at all."""
    kind = KINDS[path.suffix.lower()]
    with whole_file(path) as partial, partial.open('w', encoding='utf-8', newline='') as file:
        captions = kind(file)
        yield captions
        captions.end()


def _clock(seconds: float) -> str:
    """Return 01:02:03,456."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f'{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02},{rest % 1000:03}'
