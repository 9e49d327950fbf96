# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one thread of a process that runs the model.

Callbacks, of ROS or of a page, hand it jobs and go on; a job that is done wakes them up. So no
callback ever waits for a generation, and no signal or exception ever lands inside one.
"""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from mgpt3_ros.model.errors import Cancelled, MotionGPT3Error

T = TypeVar('T')


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

    def run(self) -> None:
        """Make the call, on the worker's thread."""
        call, self._call = self._call, None
        assert call is not None
        try:
            if self.should_stop():
                raise Cancelled('stopped before it began')
            result = call(self)
        except Exception as error:  # whatever goes wrong, who asked must hear of it and live
            if not isinstance(error, MotionGPT3Error):
                self.trace = traceback.format_exc()
            # Frames hold tensors: a kept traceback would keep the whole model.
            error.__cause__ = error.__context__ = None
            self.set_exception(error.with_traceback(None))
        else:
            self.set_result(result)


class Worker:
    """A thread that runs jobs one after the other."""

    def __init__(self, name: str = 'mgpt3_worker') -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._current: Job | None = None
        self._stopping = False
        # A daemon, so that a native call that cannot be stopped does not keep the process alive.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(
        self, call: Callable[[Job[T]], T], wake: Callable[[], None] | None = None
    ) -> Job[T]:
        """Put a call at the end of the queue.

        Args:
            call: runs on the worker's thread and gets its own job, to poll and to report to.
            wake: called on the worker's thread when the job is done, whatever comes of it.
        """
        job = Job(call)
        if wake is not None:
            job.add_done_callback(lambda _: wake())
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
            job.run()
            self._current = None
