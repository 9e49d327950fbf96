# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a stream showed what was asked for, told on ~/status once an action is over.

In mode clip a motion is looked at before it is published; a stream is drawn while it plays. So the
model says afterwards what it sees in what was drawn for an action, between two chunks (some tenths
of a chunk's time), and a status ``judged`` tells whether that is the asked action.
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

SHORTEST_S = 1.5  # [s] of an action that can be judged


class StreamJudge:
    """What the model sees in the actions of a generate_node's stream."""

    def __init__(self, node: GenerateNode) -> None:
        self._node = node
        self._looking: deque[tuple[Step, Job[Confidence | None]]] = deque()

    def over(self, step: Step, joints: Sequence[Array]) -> None:
        """Have the worker look at an action that is over: its chunks (F, 22, 3) [m]."""
        drawn_s = sum(map(len, joints)) / FPS
        if self._node.unknown_text == 'draw' or drawn_s < SHORTEST_S:
            return
        look = seen(step.asked, np.concatenate(joints))
        self._looking.append((step, self._node.host.run(look, self._node.wake)))

    def on_worker(self) -> None:
        """Tell what the worker has seen."""
        node = self._node
        while self._looking and self._looking[0][1].done():
            step, job = self._looking.popleft()
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
        for _, job in self._looking:
            job.stop()
        self._looking.clear()


def seen(
    text: str, joints: Array
) -> Callable[[MotionGPT3, Job[Confidence | None]], Confidence | None]:
    """The worker's call that judges joints (T, 22, 3) [m] by what was asked."""

    def call(model: MotionGPT3, job: Job[Confidence | None]) -> Confidence | None:
        from mgpt3_ros.model.motion import Motion

        return model.confidence(text, Motion(joints.astype(np.float32), FPS))

    return call
