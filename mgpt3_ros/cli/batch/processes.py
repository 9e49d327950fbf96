# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Workers as processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import connection

from mgpt3_ros.cli.batch.work import Done, Lost, Results, Task, Unit, do_unit

_AHEAD = 2  # units submitted for each worker, so that one is ready when one is done
_DIED = 'the process that worked on it died (killed, or out of memory): --resume tries it again'


def in_this_process(task: Task, units: list[Unit]) -> Results:
    """Do units here, one after the other."""
    for unit in units:
        yield do_unit(task, unit)


def in_processes(task: Task, units: list[Unit], workers: int) -> Results:
    """Do units in a pool; give them as they are done.

    A pool ends when one of its processes dies. Those units that were under way are then done one
    after the other, so that it shows which of them kills; the others go on in a new pool.
    """
    waiting = deque(units)
    while waiting:
        suspects = deque((yield from _pool(task, waiting, workers, _AHEAD * workers)))
        while suspects:
            for unit in (yield from _pool(task, suspects, 1, 1)):
                yield Lost(unit, _DIED)


def _pool(
    task: Task, waiting: deque[Unit], workers: int, ahead: int
) -> Generator[Done, None, list[Unit]]:
    """Take units off ``waiting``, ``ahead`` at once, until none is left or a process died.

    Returns:
        Units that were under way when it died.
    """
    pending: dict[Future[Done], Unit] = {}
    with _started(min(workers, len(waiting))) as pool:
        while waiting or pending:
            with suppress(BrokenProcessPool):  # its futures say so too
                while waiting and len(pending) < ahead:
                    pending[pool.submit(do_unit, task, waiting[0])] = waiting[0]
                    waiting.popleft()
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            if any(isinstance(future.exception(), BrokenProcessPool) for future in done):
                done, _ = wait(pending)  # all end now
            broken = []
            for future in done:
                unit = pending.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    broken.append(unit)
                else:
                    yield future.result()
            if broken or not done:
                return broken
    return []


@contextmanager
def _started(workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool that ends with the block, without doing what waits in it."""
    spawn = multiprocessing.get_context('spawn')  # forks of a process with threads may hang
    pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=_begin)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """In a worker: Ctrl-C ends it after its unit, through the pool; with the parent it dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def outlived() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=outlived, daemon=True).start()
