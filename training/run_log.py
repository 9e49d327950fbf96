# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a run writes down while it goes: ``log.jsonl``, and TensorBoard where it is installed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOG = 'log.jsonl'
BOARD = 'tensorboard'
Track = Callable[[dict[str, float], int], object]


class RunLog:
    """Appends records of a run to its folder; a process that is not the main one writes nothing.

    Args:
        folder: run folder, made where it is missing.
        step: the step that the run goes on from; TensorBoard forgets what a killed run had
            written after it.
        writes: whether this process is the one that writes.
        track: told the scalars of each record and its step too.
    """

    def __init__(
        self, folder: Path, step: int, writes: bool = True, track: Track | None = None
    ) -> None:
        self._file = self._board = None
        self._track = track
        if not writes:
            return
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / LOG).open('a' if step else 'w', encoding='utf-8')
        self._board = _open_board(folder / BOARD, step)

    def write(self, record: dict[str, Any]) -> None:
        """Append a record with a ``step``; its figures, nested ones too, become scalars."""
        if self._file is None:
            return
        self._file.write(json.dumps(record) + '\n')
        self._file.flush()
        scalars = _scalars(record)
        if self._board is not None:
            for name, value in scalars.items():
                self._board.add_scalar(name, value, record['step'])
        if self._track is not None:
            self._track(scalars, record['step'])

    def close(self) -> None:
        """Close the files."""
        for file in (self._file, self._board):
            if file is not None:
                file.close()

    def __enter__(self) -> RunLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Records of a run in the order of their steps.

    Where a killed run did steps again, the later record counts; a last line that was cut off by
    the kill is left out.

    Raises:
        OSError: there is no log in the folder.
    """
    found: dict[tuple[int, bool], dict[str, Any]] = {}
    for line in (folder / LOG).read_text(encoding='utf-8').splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[record['step'], 'val' in record] = record
    return [found[key] for key in sorted(found)]


def _scalars(record: dict[str, Any], prefix: str = 'train') -> dict[str, float]:
    scalars = {}
    for name, value in record.items():
        if isinstance(value, dict):
            scalars.update(_scalars(value, name))
        elif name != 'step':
            scalars[f'{prefix}/{name}'] = float(value)
    return scalars


def _open_board(folder: Path, step: int) -> Any:
    """Return TensorBoard's writer, or None where TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=step + 1)
