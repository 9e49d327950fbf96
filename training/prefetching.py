# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Batches that are made while the step before them is computed.

A batch is a function of its step, so nothing is lost when one that was made is not asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar('T')


class Prefetched(Generic[T]):
    """Calls ``make(step)``; asked for steps in turn, it has the next one made in a thread.

    Args:
        make: of a step, what is wanted; it is never called for two steps at once.
        steps: of the run: nothing is made beyond them.
    """

    def __init__(self, make: Callable[[int], T], steps: int) -> None:
        self._make, self._steps = make, steps
        self._thread = ThreadPoolExecutor(1, thread_name_prefix='batches')
        self._ahead: tuple[int, Future[T]] | None = None

    def __call__(self, step: int) -> T:
        """What ``make`` gives or raises."""
        ahead, self._ahead = self._ahead, None
        found = ahead[1] if ahead and ahead[0] == step else self._thread.submit(self._make, step)
        made = found.result()
        if step + 1 < self._steps:
            self._ahead = step + 1, self._thread.submit(self._make, step + 1)
        return made

    def close(self) -> None:
        """End the thread; a batch that is being made is waited for."""
        self._thread.shutdown(cancel_futures=True)
