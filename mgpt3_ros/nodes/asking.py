# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The door ``~/ask`` of caption_node: instructions, answered in words or by a motion.

The body that is observed is the motion in question. Answers are JSON on ``~/answer``; a motion is
also a trajectory of joints on ``~/answer_trajectory``, which commands nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory

from mgpt3_ros.body.body_trajectory import BodyTrajectory
from mgpt3_ros.body.from_motion import clip_of, following
from mgpt3_ros.body.profiles import JointProfile
from mgpt3_ros.body.window import Window
from mgpt3_ros.model.errors import TextError
from mgpt3_ros.model.language.instructions import PLACE, about_what_is_seen
from mgpt3_ros.model.worker import Job
from mgpt3_ros.nodes.commands import fit_text
from mgpt3_ros.nodes.generation import Sampling
from mgpt3_ros.nodes.listening_node import to_stamp
from mgpt3_ros.nodes.messages import to_messages

if TYPE_CHECKING:
    from mgpt3_ros.model.conversation import Conversation
    from mgpt3_ros.model.motiongpt3 import MotionGPT3
    from mgpt3_ros.nodes.caption_node import CaptionNode

NEW_TALK = 'new conversation'  # what forgets what was said
_LONGEST_TEXT = 512
_MOST_WAITING = 8


@dataclass(frozen=True)
class Answered:
    """An answer, its motion in the joints of the body, None of words, and the talk it is of."""

    text: str
    kind: str
    task: str
    decided_by: str
    trajectory: BodyTrajectory | None
    talk: Conversation | None = None


class Asking:
    """Takes instructions one after the other."""

    def __init__(self, node: CaptionNode) -> None:
        self._node = node
        self._running: tuple[str, int, Job[Answered]] | None = None
        self._waiting: list[str] = []
        self._talk: Conversation | None = None  # with a model that talks
        node.create_subscription(String, '~/ask', self._on_ask, 10)
        self._answers = node.create_lifecycle_publisher(String, '~/answer', 10)
        self._motions = node.create_lifecycle_publisher(JointTrajectory, '~/answer_trajectory', 10)

    def stop(self, reason: str) -> None:
        """Drop what is asked, and forget what was said."""
        self._talk = None
        waiting, self._waiting = self._waiting, []
        if self._running is not None:
            (prompt, _, job), self._running = self._running, None
            job.stop()
            waiting = [prompt, *waiting]
        for prompt in waiting:
            self._refuse(prompt, reason)

    def on_worker(self) -> None:
        """Publish what the worker has answered, and take what waits."""
        if self._running is None or not self._running[2].done():
            return
        (prompt, stamp_ns, job), self._running = self._running, None
        try:
            given = job.result()
            self._talk = given.talk
            self._publish(prompt, stamp_ns, given)
        except Exception as error:
            self._refuse(prompt, str(error))
        while self._waiting and self._running is None:
            self._begin(self._waiting.pop(0))

    def _on_ask(self, message: String) -> None:
        if not (self._node.active and self._node.enabled):
            return
        try:
            prompt, _ = fit_text(message.data, _LONGEST_TEXT)
        except TextError as error:
            self._refuse(message.data[:_LONGEST_TEXT], str(error))
            return
        if self._running is None:
            self._begin(prompt)
        elif len(self._waiting) < _MOST_WAITING:
            self._waiting.append(prompt)
        else:
            self._refuse(prompt, f'{_MOST_WAITING} questions wait already')

    def _begin(self, prompt: str) -> None:
        if prompt.strip(' .!').lower() == NEW_TALK:
            self._talk = None
            self._publish(prompt, 0, Answered('a new conversation', 'text', 'talk', 'rules', None))
            return
        window, refusal = None, ''
        asked = prompt
        if PLACE not in asked and about_what_is_seen(asked):
            asked = f'{asked} {PLACE}'
        if PLACE in asked:
            window, refusal = self._node.look()
        if refusal:
            self._refuse(prompt, refusal)
            return
        profile = self._node.profile

        talk = self._talk

        def call(model: MotionGPT3, job: Job[Answered]) -> Answered:
            return respond(model, job, asked, window, profile, talk)

        stamp_ns = 0 if window is None else window.stop_ns
        self._running = prompt, stamp_ns, self._node.host.run(call, self._node.wake)

    def _publish(self, prompt: str, stamp_ns: int, given: Answered) -> None:
        said = {
            'prompt': prompt,
            'kind': given.kind,
            'text': given.text,
            'task': given.task,
            'decided_by': given.decided_by,
        }
        if given.trajectory is not None:
            joints, _ = to_messages(
                given.trajectory,
                to_stamp(stamp_ns),
                self._node.parameters['world_frame'],
                'base_link',
            )
            self._motions.publish(joints)
        self._answers.publish(String(data=json.dumps({**said, 'reason': ''})))

    def _refuse(self, prompt: str, reason: str) -> None:
        said = dict.fromkeys(('kind', 'text', 'task', 'decided_by'), '')
        said |= {'prompt': prompt, 'reason': reason}
        self._answers.publish(String(data=json.dumps(said)))


def respond(
    model: MotionGPT3,
    job: Job[Answered],
    prompt: str,
    window: Window | None,
    profile: JointProfile,
    talk: Conversation | None = None,
) -> Answered:
    """Answer a prompt about ``window``, where it has a place for it; for the worker.

    ``talk``: what was said so far; None for nothing yet.
    """
    observed = None if window is None else window.resampled()
    seen = [] if observed is None else [observed.motion(profile)]
    if talk is None and model.talks:
        talk = model.conversation()
    answering = model.respond if talk is None else talk.say
    given = answering(prompt, seen, sampling=Sampling().options(job))
    trajectory = None
    if given.motion is not None and given.task == 'predict' and observed is not None:
        trajectory = following(observed, seen[0], given.motion, profile)
    elif given.motion is not None:
        clip = clip_of(given.motion, profile)
        times = np.arange(len(clip.positions)) / clip.fps
        rows = clip.positions, clip.base_pos, clip.base_rot
        trajectory = BodyTrajectory.through(clip.names, times, *rows)
    return Answered(given.text, given.kind, given.task, given.decided_by, trajectory, talk)
