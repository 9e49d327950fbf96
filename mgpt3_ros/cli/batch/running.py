# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A run of bulk work: what is done is written down, and the next run goes on from there.

In the folder of results stand ``batch.json`` (what was asked), ``progress.jsonl`` (a line for each
unit that is done; only the process that runs the batch writes it), ``failures.jsonl`` and
``remarks.jsonl``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgpt3_ros.cli.batch.work import (
    PARTIAL,
    Done,
    Failure,
    Job,
    Lost,
    Remark,
    Results,
    Task,
    Unit,
)
from mgpt3_ros.model.atomic_files import whole_file
from mgpt3_ros.model.errors import ConfigError

PLAN, PROGRESS = 'batch.json', 'progress.jsonl'
FAILURES, REMARKS = 'failures.jsonl', 'remarks.jsonl'
Engine = Callable[[Task, list[Unit]], Results]


@dataclass(frozen=True)
class Summary:
    """Counts of inputs, and of remarks on them, of all runs together.

    said: what the job says of its end.
    """

    done: int
    failed: int
    lost: int
    remarks: int
    said: str


def run_batch(kind: str, job: Job, out: Path, engine: Engine, resume: bool) -> Summary:
    """Do all units that are not done yet.

    Args:
        kind: what the work is called.
        job: does it.
        out: folder of the results, new or that of an earlier run.
        engine: who does it where.
        resume: whether ``out`` may hold an earlier run, which is gone on with.

    Raises:
        ConfigError: ``out`` holds something else, or a run with other inputs or settings.
        MotionGPT3Error, OSError: no unit can be done; what is done stays.
    """
    units = job.units()
    _begin(out, _plan(kind, job, units), resume)
    finished = _read_progress(out / PROGRESS, units)
    todo = [unit for unit in units if unit.name not in finished]
    lost: list[Failure] = []
    try:
        if todo:
            task = Task(uuid.uuid4().hex, job, out.absolute())
            _follow(engine(task, todo), units, todo, out, finished, lost)
    finally:
        _sweep(out)
        ends = [finished[unit.name] for unit in units if unit.name in finished]
        known = [failure for done in ends for failure in done.failures]
        remarks = [remark for done in ends for remark in done.remarks]
        _write_lines(out / FAILURES, [failure._asdict() for failure in (*known, *lost)])
        _write_lines(out / REMARKS, [remark._asdict() for remark in remarks])
    said = '' if lost else job.finish(out, units)
    total = sum(len(unit.items) for unit in units)
    return Summary(total - len(known) - len(lost), len(known), len(lost), len(remarks), said)


def _follow(
    results: Results,
    units: list[Unit],
    todo: list[Unit],
    out: Path,
    finished: dict[str, Done],
    lost: list[Failure],
) -> None:
    """Write down what becomes of each unit, and show it as one bar."""
    from tqdm import tqdm

    total = sum(len(unit.items) for unit in units)
    before = total - sum(len(unit.items) for unit in todo)
    with (
        (out / PROGRESS).open('a', encoding='utf-8') as progress,
        tqdm(total=total, initial=before, desc='batch', disable=None) as bar,
    ):
        for result in results:
            if isinstance(result, Lost):
                lost += [Failure(item.name, result.reason) for item in result.unit.items]
            else:
                finished[result.unit.name] = result
                progress.write(_line(result))
                progress.flush()
            bar.update(len(result.unit.items))
            failed = len(lost) + sum(len(done.failures) for done in finished.values())
            bar.set_postfix(failed=failed, refresh=False)


def _line(done: Done) -> str:
    record: dict[str, Any] = {'unit': done.unit.name}
    record['failures'] = [failure._asdict() for failure in done.failures]
    if done.remarks:
        record['remarks'] = [remark._asdict() for remark in done.remarks]
    return json.dumps(record, ensure_ascii=False) + '\n'


def _plan(kind: str, job: Job, units: list[Unit]) -> dict[str, Any]:
    """What a later run must have in common with this one."""
    digest = hashlib.sha256()
    for unit in units:
        for item in unit.items:
            digest.update(f'{unit.name}\0{item.name}\0{item.source}\n'.encode())
    inputs = {'count': sum(len(unit.items) for unit in units), 'sha256': digest.hexdigest()}
    return {'batch': kind, 'inputs': inputs, 'settings': job.settings()}


def _begin(out: Path, plan: dict[str, Any], resume: bool) -> None:
    """See that ``out`` is new, or of the same work."""
    path = out / PLAN
    if path.is_file() and not resume:
        raise ConfigError(f'{out} holds an earlier run: --resume goes on with it')
    if not path.is_file() and out.exists() and any(out.iterdir()):
        raise ConfigError(f'{out} exists and is no folder of a batch: give a new name')
    if path.is_file():
        found = json.loads(path.read_text(encoding='utf-8'))
        other = [key for key in plan if found.get(key) != plan[key]]
        if other:
            raise ConfigError(
                f'{out} was begun with other {" and ".join(other)}: give what {path} says, or '
                'a new folder'
            )
        _sweep(out)
        return
    out.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        partial.write_text(json.dumps(plan, indent=2) + '\n', encoding='utf-8')


def _sweep(out: Path) -> None:
    """Remove what killed workers had begun to write."""
    for left in out.glob(f'{PARTIAL}*'):
        shutil.rmtree(left, ignore_errors=True)


def _read_progress(path: Path, units: list[Unit]) -> dict[str, Done]:
    """What became of the units that are done; a line that broke off is cut away."""
    if not path.is_file():
        return {}
    lines = path.read_text(encoding='utf-8').splitlines(keepends=True)
    whole = [line for line in lines if line.endswith('\n')]
    if whole != lines:
        sys.stderr.write(f'{path}: its last line broke off; that unit is done again\n')
        with whole_file(path) as partial:
            partial.write_text(''.join(whole), encoding='utf-8')
    named = {unit.name: unit for unit in units}
    records = {record['unit']: record for record in map(json.loads, whole)}
    return {
        name: Done(
            named[name],
            tuple(Failure(**each) for each in record['failures']),
            tuple(Remark(**each) for each in record.get('remarks', ())),
        )
        for name, record in records.items()
    }


def _write_lines(path: Path, records: list[dict[str, str]]) -> None:
    with whole_file(path) as partial:
        lines = [json.dumps(record, ensure_ascii=False) + '\n' for record in records]
        partial.write_text(''.join(lines), encoding='utf-8')
