# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bulk work that is broken off: jobs in which a unit kills its own process, or the one above."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgpt3_ros.cli import main as cli
from mgpt3_ros.cli.batch import _job
from mgpt3_ros.cli.batch.generate import GenerateJob
from mgpt3_ros.cli.batch.processes import in_processes
from mgpt3_ros.cli.batch.running import PLAN, PROGRESS, run_batch
from mgpt3_ros.cli.batch.work import Do, Failure, Item, Job, Task, Unit, grouped


@dataclass(frozen=True)
class CountingJob(Job):
    """Writes the name of each unit into a file; some units do worse.

    count: of units. log: a line for each time that a unit is begun. dies: the unit that kills its
    process, each time, or only the first if ``once``. refuses: the one that fails.
    """

    count: int
    log: Path
    dies: str = ''
    once: bool = False
    refuses: str = ''

    def settings(self) -> dict[str, Any]:
        """Nothing but the number decides."""
        return {'count': self.count}

    def units(self) -> list[Unit]:
        """One input each."""
        return grouped([Item(f'in/{n}', str(n)) for n in range(self.count)], 1)

    def load(self) -> Do:
        """Nothing is needed."""
        return self._do

    def _do(self, unit: Unit, folder: Path) -> list[Failure]:
        again = unit.name in begun(self.log)
        with self.log.open('a') as file:
            file.write(f'{unit.name}\n')
        if unit.name == self.dies and not (again and self.once):
            os.kill(os.getpid(), signal.SIGKILL)
        if unit.name == self.refuses:
            return [Failure(unit.name, 'it is the one')]
        path = folder / f'{unit.name}.txt'
        path.parent.mkdir()
        path.write_text(unit.items[0].source)
        return []


@dataclass(frozen=True)
class FatalJob(GenerateJob):
    """Draws motions; the unit ``fatal`` kills the process above its own."""

    fatal: str = ''

    def load(self) -> Do:
        """Load the model."""
        draw = super().load()

        def do(unit: Unit, folder: Path) -> list[Failure]:
            if unit.name == self.fatal:
                os.kill(os.getppid(), signal.SIGKILL)
                signal.pause()  # until that is noticed
            return draw(unit, folder)

        return do


def begun(log: Path) -> list[str]:
    """Units that a CountingJob has begun, in order."""
    return log.read_text().splitlines() if log.exists() else []


def generate_job(words: Sequence[str]) -> GenerateJob:
    """The job of ``mgpt3 batch generate WORDS``."""
    job = _job(cli.build_parser().parse_args(['batch', 'generate', *words]))
    assert isinstance(job, GenerateJob)
    return job


def run_fatal(words: Sequence[str], out: Path, unit: int, workers: int) -> None:
    """Run the work in processes, of which one kills this one at a unit."""
    job = generate_job(words)
    fatal = FatalJob(job.inputs, job.size, job.arguments, job.units()[unit].name)

    def engine(task: Task, units: list[Unit]) -> Any:
        return in_processes(task, units, workers)

    run_batch('generate', fatal, out, engine, resume=False)


def results(out: Path) -> dict[str, bytes]:
    """All files of a run but its progress, whose order is by chance."""
    files = (path for path in out.rglob('*') if path.is_file() and path.name != PROGRESS)
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def progress(out: Path) -> list[str]:
    """The units that are done, as often as they are written down."""
    lines = (out / PROGRESS).read_text().splitlines()
    assert (out / PLAN).is_file()
    return [json.loads(line)['unit'] for line in lines]
