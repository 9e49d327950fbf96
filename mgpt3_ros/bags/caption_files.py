# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Captions with their times as files: JSON lines, CSV, and subtitles."""

from __future__ import annotations

import csv
import json
import os
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TextIO


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
    """A file of captions, written as they come; it is there whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(path.name + '.partial')
        self._file: TextIO

    def __enter__(self) -> CaptionFile:
        self._file = self._partial.open('w', encoding='utf-8', newline='')
        self.begin(self._file)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.end(self._file)
            self._file.close()
            if kind is None:
                os.replace(self._partial, self._path)
        finally:
            self._file.close()
            self._partial.unlink(missing_ok=True)

    def add(self, caption: Caption) -> None:
        """Write one more."""
        self.write(self._file, caption)

    def begin(self, file: TextIO) -> None:  # noqa: B027 - most have nothing to say before
        """Write what stands at the beginning."""

    @abstractmethod
    def write(self, file: TextIO, caption: Caption) -> None:
        """Write one caption."""

    def end(self, file: TextIO) -> None:  # noqa: B027 - most have nothing to say behind
        """Write what stands at the end."""


class JsonLines(CaptionFile):
    """An object a line, with the fields of :class:`Caption`."""

    def write(self, file: TextIO, caption: Caption) -> None:
        """Write a line."""
        file.write(json.dumps(asdict(caption), ensure_ascii=False) + '\n')


class Csv(CaptionFile):
    """A header, then a row each, with the fields of :class:`Caption`."""

    def begin(self, file: TextIO) -> None:
        """Write the header."""
        csv.writer(file, lineterminator='\n').writerow([f.name for f in fields(Caption)])

    def write(self, file: TextIO, caption: Caption) -> None:
        """Write a row."""
        csv.writer(file, lineterminator='\n').writerow(asdict(caption).values())


class SubRip(CaptionFile):
    """Subtitles: windows overlap, subtitles do not, so each is shown until the next begins."""

    def begin(self, file: TextIO) -> None:
        """Forget what was waiting."""
        self._waiting: Caption | None = None
        self._count = 0

    def write(self, file: TextIO, caption: Caption) -> None:
        """Write the one before, now that its end is known."""
        if self._waiting is not None:
            self._show(file, self._waiting, min(self._waiting.end_s, caption.start_s))
        self._waiting = caption

    def end(self, file: TextIO) -> None:
        """Write the last."""
        if self._waiting is not None:
            self._show(file, self._waiting, self._waiting.end_s)

    def _show(self, file: TextIO, caption: Caption, end_s: float) -> None:
        if end_s <= caption.start_s:
            return
        self._count += 1
        span = f'{_clock(caption.start_s)} --> {_clock(end_s)}'
        file.write(f'{self._count}\n{span}\n{caption.caption}\n\n')


def caption_file(path: Path) -> CaptionFile:
    """Return the writer for a file that ends in .jsonl, .srt or .csv."""
    kinds: dict[str, type[JsonLines | SubRip | Csv]] = {
        '.jsonl': JsonLines,
        '.srt': SubRip,
        '.csv': Csv,
    }
    return kinds[path.suffix.lower()](path)


def _clock(seconds: float) -> str:
    """Return 01:02:03,456."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f'{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02},{rest % 1000:03}'
