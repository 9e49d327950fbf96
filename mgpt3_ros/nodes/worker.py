# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one thread of a process that runs the model.

ROS callbacks hand it jobs and go on; a job that is done wakes them up. So no callback ever waits
for a generation, and no signal or exception ever lands inside one.
"""

from __future__ import annotations

import logging
import queue
import threading
import traceback
from collections.abc import Callable
from typing import Generic, TypeVar

from mgpt3_ros.model.errors import Cancelled, MotionGPT3Error

T = TypeVar('T')


def _nobody() -> None:
    """Wake no one: the caller waits for the job itself."""


class Job(Generic[T]):
    """One call on the worker: what came of it, and the way to stop it.

    Attributes:
        error: why it failed; :class:`~mgpt3_ros.model.errors.Cancelled` after :meth:`stop`.
        trace: where it failed, for an error that nobody foresaw; else empty.
        progress: the share that is done, 0 to 1.
    """

    def __init__(self, call: Callable[[Job[T]], T], wake: Callable[[], None]) -> None:
        self.error: Exception | None = None
        self.trace = ''
        self.progress = 0.0
        self._call: Callable[[Job[T]], T] | None = call
        self._wake = wake
        self._result: T | None = None
        self._stop = threading.Event()
        self._done = threading.Event()

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return self._done.is_set()

    @property
    def result(self) -> T:
        """What the call returned.

        Raises:
            Exception: what the call raised.
        """
        if self.error is not None:
            raise self.error
        assert self.done
        return self._result  # type: ignore[return-value]

    def stop(self) -> None:
        """Ask it to end at its next step; it then ends with ``Cancelled``."""
        self._stop.set()

    def should_stop(self) -> bool:
        """Whether :meth:`stop` was called; what the model polls at each step."""
        return self._stop.is_set()

    def report(self, share: float) -> None:
        """Take note of the share that is done."""
        self.progress = share

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is done, or for ``timeout_s``; return whether it is done."""
        return self._done.wait(timeout_s)

    def run(self) -> None:
        """Make the call, on the worker's thread."""
        assert self._call is not None
        try:
            if self.should_stop():
                raise Cancelled('stopped before it began')
            self._result = self._call(self)
        except Exception as error:  # whatever goes wrong, the node must hear of it and live
            if not isinstance(error, MotionGPT3Error):
                self.trace = traceback.format_exc()
            # Frames hold tensors: a kept traceback would keep the whole model.
            self.error = error.with_traceback(None)
            self.error.__cause__ = self.error.__context__ = None
        self._call = None
        self._done.set()
        self._wake()


class Worker:
    """A thread that runs jobs one after the other."""

    def __init__(self, name: str = 'mgpt3_worker') -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._current: Job | None = None
        self._stopping = False
        # A daemon, so that a native call that cannot be stopped does not keep the process alive.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, call: Callable[[Job[T]], T], wake: Callable[[], None] = _nobody) -> Job[T]:
        """Put a call at the end of the queue.

        Args:
            call: runs on the worker's thread and gets its own job, to poll and to report to.
            wake: called on the worker's thread when the job is done.
        """
        job = Job(call, wake)
        if self._stopping:
            job.stop()
        self._jobs.put(job)
        return job

    def close(self, timeout_s: float) -> bool:
        """Stop the running job and the thread; return whether the thread ended in time."""
        self._stopping = True
        if self._current is not None:
            self._current.stop()
        self._jobs.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._current = job
            if self._stopping:
                job.stop()
            try:
                job.run()
            except Exception:  # from waking a node that is gone
                logging.getLogger(__name__).exception('a finished job could not report')
            self._current = None
