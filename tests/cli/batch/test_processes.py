# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bulk work in processes, some of which are killed."""

from __future__ import annotations

import json
import signal
from functools import partial
from pathlib import Path

import pytest

from mgpt3_ros.cli import main as cli
from mgpt3_ros.cli.batch.processes import in_processes, in_this_process
from mgpt3_ros.cli.batch.running import FAILURES, run_batch
from tests.support import apart, bulk
from tests.support.bulk import CountingJob
from tests.support.tiny import SENTENCES

two = partial(in_processes, workers=2)


def test_processes_give_what_one_gives(tmp_path: Path) -> None:
    job = CountingJob(8, tmp_path / 'log', refuses='in/5')
    for name, engine in (('one', in_this_process), ('two', two)):
        found = run_batch('count', job, tmp_path / name, engine, False)
        assert (found.done, found.failed, found.lost) == (7, 1, 0)
        assert sorted(bulk.progress(tmp_path / name)) == [f'in/{n}' for n in range(8)]
    assert bulk.results(tmp_path / 'one') == bulk.results(tmp_path / 'two')
    assert json.loads((tmp_path / 'two' / FAILURES).read_text()) == {
        'item': 'in/5',
        'reason': 'it is the one',
    }


def test_a_worker_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    job = CountingJob(10, tmp_path / 'log', dies='in/4', once=True)
    found = run_batch('count', job, tmp_path / 'out', two, False)
    assert (found.done, found.failed, found.lost) == (10, 0, 0)
    assert sorted(bulk.progress(tmp_path / 'out')) == [f'in/{n}' for n in range(10)]
    assert bulk.begun(job.log).count('in/4') == 2
    plain = CountingJob(10, tmp_path / 'plain')
    run_batch('count', plain, tmp_path / 'one', in_this_process, False)
    assert bulk.results(tmp_path / 'out') == bulk.results(tmp_path / 'one')


def test_a_unit_that_always_kills_is_told_and_tried_again_on_resume(tmp_path: Path) -> None:
    job = CountingJob(6, tmp_path / 'log', dies='in/2')
    found = run_batch('count', job, tmp_path / 'out', two, False)
    assert (found.done, found.failed, found.lost) == (5, 0, 1)
    (failure,) = (tmp_path / 'out' / FAILURES).read_text().splitlines()
    assert json.loads(failure)['item'] == 'in/2'
    assert 'died' in json.loads(failure)['reason']
    healed = CountingJob(6, tmp_path / 'healed')
    assert run_batch('count', healed, tmp_path / 'out', two, True).done == 6
    assert bulk.begun(healed.log) == ['in/2']  # the others stand
    assert (tmp_path / 'out' / FAILURES).read_text() == ''


@pytest.mark.slow
def test_a_run_that_is_killed_is_resumed_to_the_same_bytes(
    checkpoint: str, tmp_path: Path
) -> None:
    sentences = tmp_path / 'list.txt'
    sentences.write_text('\n'.join(SENTENCES * 3))
    words = [str(sentences), '--checkpoint', checkpoint, '--unit', '2', '--duration', '1']

    def call(out: Path, *more: str) -> list[str]:
        return [*words, '-o', str(out), *more]

    one, out = tmp_path / 'one', tmp_path / 'out'
    assert cli.main(['batch', 'generate', *call(one, '--workers', '1')]) == 0
    process = apart.started(tmp_path / 'said', bulk.run_fatal, call(out), out, 3, 2)
    assert apart.exit_code(process) == -signal.SIGKILL, (tmp_path / 'said').read_text()
    before = bulk.progress(out)
    written = {path: path.stat().st_mtime_ns for path in out.rglob('*.npz')}
    assert len(set(before)) == len(before) < 6
    assert cli.main(['batch', 'generate', *call(out, '--workers', '2', '--resume')]) == 0
    after = bulk.progress(out)
    assert after[: len(before)] == before
    assert sorted(after) == sorted(bulk.progress(one))
    assert bulk.results(out) == bulk.results(one)
    assert len(list(out.rglob('*.npz'))) == 12
    done = {item for name in before for item in _items(one, name)}
    assert all(path.stat().st_mtime_ns == at for path, at in written.items() if path.name in done)


def _items(out: Path, unit: str) -> list[str]:
    """Files of a unit of two."""
    first = int(unit.rpartition('/')[2])
    return [f'{number:07}.npz' for number in (first, first + 1)]
