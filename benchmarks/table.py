# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a benchmark reports: a name, a value, a unit, a target, and whether it was met."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One measured value; ``target`` is the largest that is good enough, None if there is none."""

    name: str
    value: float
    unit: str
    target: float | None = None

    @property
    def met(self) -> str:
        """Say whether the target was met."""
        if self.target is None:
            return '-'
        return 'yes' if self.value <= self.target else 'NO'


def circumstances() -> str:
    """Return commit, machine and date, without which no number means anything."""
    root = Path(__file__).resolve().parent.parent
    try:
        commit = subprocess.run(
            ['git', 'describe', '--always', '--dirty'],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        commit = 'unknown'
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    load = os.getloadavg()[0]
    cores = len(os.sched_getaffinity(0))
    return (
        f'commit {commit}, {cores} cores ({platform.machine()}), '
        f'Python {platform.python_version()}, load {load:.1f}, {today}'
    )


def print_table(rows: Iterable[Row]) -> None:
    """Print the rows as a table that is also Markdown."""
    cells = [('name', 'value', 'unit', 'target', 'met')]
    for row in rows:
        target = '-' if row.target is None else f'{row.target:g}'
        value = str(row.value) if isinstance(row.value, int) else f'{row.value:.3f}'
        cells.append((row.name, value, row.unit, target, row.met))
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    for index, line in enumerate(cells):
        print('| ' + ' | '.join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + ' |')
        if index == 0:
            print('|' + '|'.join('-' * (width + 2) for width in widths) + '|')
