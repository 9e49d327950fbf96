# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one thread of a process that runs the model.

Callbacks, of ROS or of a page, hand it jobs and go on; a job that is done wakes them up. So no
callback ever waits for a generation, and no signal or exception ever lands inside one.
"""

from __future__ import annotations

import threading
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from mgpt3_ros.model.errors import Cancelled, MotionGPT3Error

T = TypeVar('T')

MOST_TOGETHER = 32


class Job(Future[T]):
    """One call on the worker: a future of what comes of it, and the way to stop it.

    Its exception is :class:`~mgpt3_ros.model.errors.Cancelled` after :meth:`stop`.

    Attributes:
        trace: where it failed, for an error that nobody foresaw; else empty.
        progress: the share that is done, 0 to 1.
    """

    def __init__(self, call: Callable[[Job[T]], T]) -> None:
        super().__init__()
        self.trace = ''
        self.progress = 0.0
        self._call: Callable[[Job[T]], T] | None = call
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ask it to end at its next step; it then ends with ``Cancelled``."""
        self._stop.set()

    def should_stop(self) -> bool:
        """Whether :meth:`stop` was called; what the model polls at each step."""
        return self._stop.is_set()

    def report(self, share: float) -> None:
        """Take note of the share that is done."""
        self.progress = share

    def begin(self) -> Callable[[Job[T]], T] | None:
        """Return the call, which is made once; None for a job that was stopped before."""
        call, self._call = self._call, None
        assert call is not None
        if self.should_stop():
            self.end(Cancelled('stopped before it began'))
            return None
        return call

    def end(self, outcome: T | Exception) -> None:
        """Give what came of it, or the exception; called where that is being handled."""
        if not isinstance(outcome, Exception):
            self.set_result(outcome)
            return
        if not isinstance(outcome, MotionGPT3Error):
            self.trace = ''.join(traceback.format_exception(outcome))
        # Frames hold tensors: a kept traceback would keep the whole model.
        outcome.__cause__ = outcome.__context__ = None
        self.set_exception(outcome.with_traceback(None))

    def run(self) -> None:
        """Make the call, on the worker's thread."""
        call = self.begin()
        if call is None:
            return
        try:
            outcome: T | Exception = call(self)
        except Exception as error:  # whatever goes wrong, who asked must hear of it and live
            outcome = error
        self.end(outcome)


class Worker:
    """A thread that runs jobs one after the other, or some of them together.

    Attributes:
        gather_s: how long it waits for others before it begins jobs that run together [s].
        expected: as many are all that can come: then it does not wait for more.
    """

    def __init__(self, name: str = 'mgpt3_worker') -> None:
        self.gather_s, self.expected = 0.0, 1
        self._waiting: deque[tuple[Job, _Together | None]] = deque()
        self._changed = threading.Condition()
        self._current: Sequence[Job] = ()
        self._stopping = False
        # A daemon, so that a native call that cannot be stopped does not keep the process alive.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(
        self,
        call: Callable[[Job[T]], T],
        wake: Callable[[], None] | None = None,
        together: Callable[[list[Job[Any]]], None] | None = None,
    ) -> Job[T]:
        """Put a call at the end of the queue.

        Args:
            call: runs on the worker's thread and gets its own job, to poll and to report to.
            wake: called on the worker's thread when the job is done, whatever comes of it.
            together: runs jobs, up to ``MOST_TOGETHER``, in the place of their own ``run``: all
                that wait with the same one when the first of them is begun. It begins and ends
                each of them.
        """
        job = Job(call)
        if wake is not None:
            job.add_done_callback(lambda _: wake())
        if self._stopping:
            job.stop()
        with self._changed:
            self._waiting.append((job, together))
            self._changed.notify()
        return job

    def close(self, timeout_s: float) -> bool:
        """Stop the running jobs and the thread; return whether the thread ended in time."""
        with self._changed:
            self._stopping = True
            for job in self._current:
                job.stop()
            self._changed.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while taken := self._take():
            jobs, together = taken
            if together is None:
                jobs[0].run()
            else:
                self._run_together(jobs, together)
            self._current = ()

    def _run_together(self, jobs: list[Job], together: _Together) -> None:
        try:
            together(jobs)
        except Exception as error:
            for job in jobs:
                if not job.done():
                    job.end(error)

    def _take(self) -> tuple[list[Job], _Together | None] | None:
        """Wait for what is to be run next; None: nothing any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            if not self._waiting:
                return None
            together = self._waiting[0][1]
            if together is None:
                jobs = [self._waiting.popleft()[0]]
            else:

                def alike() -> list[Job]:
                    return [job for job, how in self._waiting if how == together]

                enough = min(self.expected, MOST_TOGETHER)
                self._changed.wait_for(
                    lambda: len(alike()) >= enough or self._stopping, self.gather_s
                )
                jobs = alike()[:MOST_TOGETHER]
                self._waiting = deque(one for one in self._waiting if one[0] not in jobs)
            self._current = jobs
            if self._stopping:
                for job in jobs:
                    job.stop()
            return jobs, together


_Together = Callable[[list[Job[Any]]], None]
