# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a motion shows what was asked for, told on ~/status by ``judged``.

No motion waits for that: the model says what it sees in it when it is on its way, and of a stream
once an action is over. What is to be drawn goes before what is to be looked at.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
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
        self._waiting: deque[tuple[Step, _Look]] = deque()
        self._job: Job[Confidence | None] | None = None  # that looks at the first of them
        self._paused = False

    def over(self, step: Step, joints: Sequence[Array]) -> None:
        """Have the worker look at what was drawn of an action: in pieces (F, 22, 3) [m]."""
        drawn_s = sum(map(len, joints)) / FPS
        if self._node.unknown_text == 'draw' or drawn_s < self._shortest_s:
            return
        self._waiting.append((step, seen(step.asked, np.concatenate(joints))))
        if len(self._waiting) > _MOST:
            self._leave()
            self._waiting.popleft()
        self._begin()

    def pause(self) -> None:
        """Look at nothing until :meth:`go_on`: the worker has to draw, then it is planned."""
        self._paused = True
        self._leave()

    def go_on(self) -> None:
        """Look at what waits."""
        self._paused = False
        self._begin()

    def on_worker(self) -> None:
        """Tell what the worker has seen."""
        while self._job is not None and self._job.done():
            (step, _), job, self._job = self._waiting.popleft(), self._job, None
            self._tell(step, job)
            self._begin()

    def stop(self) -> None:
        """Forget what waits."""
        self._leave()
        self._waiting.clear()

    def _begin(self) -> None:
        if self._waiting and self._job is None and not self._paused:
            self._job = self._node.host.run(self._waiting[0][1], self._node.wake)

    def _leave(self) -> None:
        if self._job is not None:
            self._job.stop()
            self._job = None

    def _tell(self, step: Step, job: Job[Confidence | None]) -> None:
        node = self._node
        try:
            confidence = job.result()
        except Cancelled:
            return
        except Exception as error:
            node.report_failure(f'judging a motion failed: {error}', error, job.trace)
            return
        shown = None if confidence is None else confidence['shown']
        if confidence is None or shown is None:
            return  # of this checkpoint nobody knows what it can do, or not this
        reason = '' if shown else doubt(confidence)
        node.tell(step, 'judged', reason=reason, shown=str(shown).lower())


def seen(text: str, joints: Array) -> _Look:
    """The worker's call that judges joints (T, 22, 3) [m] by what was asked."""

    def call(model: MotionGPT3, job: Job[Confidence | None]) -> Confidence | None:
        from mgpt3_ros.model.motion import Motion

        return model.confidence(text, Motion(joints.astype(np.float32), FPS), job.should_stop)

    return call
