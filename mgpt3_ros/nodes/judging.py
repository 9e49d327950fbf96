# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a motion shows what was asked for, told on ~/status by ``judged``.

No motion waits for that: the model says what it sees in it when it is on its way, and of a stream
once an action is over. What is to be drawn goes before what is to be looked at.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.model.errors import Cancelled
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.confidence import Confidence, doubt
from mgpt3_ros.model.worker import Job
from mgpt3_ros.nodes.commands import Step

if TYPE_CHECKING:
    from mgpt3_ros.model.motiongpt3 import MotionGPT3
    from mgpt3_ros.nodes.generate_node import GenerateNode

SHORTEST_S = 1.5  # [s] of an action in a stream that can be judged
_MOST = 8  # motions that wait to be looked at; of more the oldest are left

_Look = Callable[['MotionGPT3', Job[Confidence | None]], Confidence | None]


class Judge:
    """What the model sees in the actions of a generate_node.

    ``shortest_s``: what is shorter is not judged.
    """

    def __init__(self, node: GenerateNode, shortest_s: float = 0.0) -> None:
        self._node, self._shortest_s = node, shortest_s
        self._looking: deque[tuple[Step, _Look, Job[Confidence | None]]] = deque()

    def over(self, step: Step, joints: Sequence[Array]) -> None:
        """Have the worker look at what was drawn of an action: in pieces (F, 22, 3) [m]."""
        drawn_s = sum(map(len, joints)) / FPS
        if self._node.unknown_text == 'draw' or drawn_s < self._shortest_s:
            return
        look = seen(step.asked, np.concatenate(joints))
        self._looking.append((step, look, self._node.host.run(look, self._node.wake)))
        while len(self._looking) > _MOST:
            self._looking.popleft()[-1].stop()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Let what the worker is given inside go before all that is to be looked at."""
        waiting, self._looking = self._looking, deque()
        for _, _, job in waiting:
            job.stop()
        yield
        for step, look, job in waiting:
            if not job.done() or job.exception() is not None:
                job = self._node.host.run(look, self._node.wake)
            self._looking.append((step, look, job))

    def on_worker(self) -> None:
        """Tell what the worker has seen."""
        node = self._node
        while self._looking and self._looking[0][-1].done():
            step, _, job = self._looking.popleft()
            try:
                confidence = job.result()
            except Cancelled:
                continue
            except Exception as error:
                node.report_failure(f'judging a motion failed: {error}', error, job.trace)
                continue
            shown = None if confidence is None else confidence['shown']
            if confidence is None or shown is None:
                continue  # of this checkpoint nobody knows what it can do, or not this
            reason = '' if shown else doubt(confidence)
            node.tell(step, 'judged', reason=reason, shown=str(shown).lower())

    def stop(self) -> None:
        """Look at nothing more."""
        for _, _, job in self._looking:
            job.stop()
        self._looking.clear()


def seen(text: str, joints: Array) -> _Look:
    """The worker's call that judges joints (T, 22, 3) [m] by what was asked."""

    def call(model: MotionGPT3, job: Job[Confidence | None]) -> Confidence | None:
        from mgpt3_ros.model.motion import Motion

        return model.confidence(text, Motion(joints.astype(np.float32), FPS), job.should_stop)

    return call
