# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""generate_node's mode ``stream``: a body that moves on, and does something else at a word.

The worker draws a chunk when the motion that is known grows short, or at once where there are new
words: these take effect a moment from now, however much was drawn ahead. Each chunk is joined to
the plan, and what the plan has from now on is published. Every trajectory ends at rest.

When is nothing published? A command whose length is stated comes to rest after it; so does
"stop". As soon as a chunk hardly moves then, or ``REST_S`` later, no more is drawn: the last
trajectory ends at rest, and the body stands until the next command.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mgpt3_ros.body.body_trajectory import BodyState
from mgpt3_ros.body.stream_plan import StreamPlan
from mgpt3_ros.body.window import model_joints
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.durations import stated_duration
from mgpt3_ros.model.worker import Job
from mgpt3_ros.nodes.chunks import Chunk, ChunkRequest, LiveBody, seen_until
from mgpt3_ros.nodes.commands import Command, Step, held_joints
from mgpt3_ros.nodes.doing import JUDGED_CHUNKS, Doing, bounded_s, first_pose, from_standing_s
from mgpt3_ros.nodes.generation import SAMPLING_PARAMETERS, Sampling
from mgpt3_ros.nodes.judging import SHORTEST_S, Judge
from mgpt3_ros.nodes.lifecycle import WARN_EVERY_S
from mgpt3_ros.robots.pace import WORTH_SAYING

if TYPE_CHECKING:
    from mgpt3_ros.nodes.generate_node import GenerateNode

PARAMETER_NAMES = ('mode', 'chunks_ahead')

REST_S = 2.0  # [s] that a body may take to come to rest by itself

_PERIOD_S = 0.02
_LEAD_S = 0.2  # from publishing to the first point: the body is on its way to it already
_CALM_SPEED = 0.1  # [m/s] of the fastest joint of one who stands
_LOOKED_AT = 70  # frames that a model of the stream form looks back at


class Streaming:
    """The live body of a generate_node.

    Attributes:
        chunks: how many were published.
    """

    def __init__(self, node: GenerateNode) -> None:
        self._node = node
        self._body = LiveBody(node.profile)
        self._plan: StreamPlan | None = None
        self._doing: Doing | None = None
        self._judge = Judge(node, SHORTEST_S)
        self._running: tuple[Job[Chunk], ChunkRequest, BodyState | None] | None = None
        self._astray = False  # the model went on from where the plan does not
        self._too_late = False  # new words came back when their moment had passed
        self._chunk_s, self._took_s, self._joining_s = 0.4, 0.05, 0.0
        self.chunks = 0
        self._timer = node.create_timer(
            _PERIOD_S, self.advance, clock=node.steady_clock, autostart=False
        )

    @property
    def busy(self) -> bool:
        """Whether a command is being carried out."""
        return self._doing is not None and self._doing.step is not None

    @property
    def job(self) -> Job[Chunk] | None:
        """What the worker draws now."""
        return None if self._running is None else self._running[0]

    def advance(self) -> None:
        """Do what is due: take the next command, or draw the next chunk."""
        node, now_s = self._node, self._node.clock.motion_s()
        if self._running is None and self._doing is not None and self._blind():
            node.stop_all('the joint states have stopped')
        if self._running is not None:
            return
        self._take_turn(now_s)
        if self._doing is None:
            self._timer.cancel()
            return
        self._timer.reset()
        if self._plan is None and node.moving():
            return  # it is being stopped
        ahead_s = node.parameters['chunks_ahead'] * self._chunk_s
        moves = self._plan is not None and node.moving()
        if (
            not self._doing.said
            or self._plan is None
            or (self._doing.action is None and not moves)
            or (self._doing.action is None and self._plan.ahead_s(now_s) < ahead_s)
        ):
            self._draw(now_s, moves)

    def on_worker(self) -> None:
        """Publish what the worker has drawn, and tell what it has seen."""
        self._judge.on_worker()
        if self._running is None or not self._running[0].done():
            return
        (job, request, state), self._running = self._running, None
        doing = self._doing
        assert doing is not None
        try:
            self._publish(job.result(), request, state, doing)
        except Exception as error:
            self._doing = self._plan = None  # what was published ends at rest
            if doing.step is not None:
                self._node.fail(doing.step, error, job.trace)
            else:
                self._node.report_failure(f'coming to rest failed: {error}', error, job.trace)
        self.advance()

    def stop(self) -> dict[int, tuple[Command | Step, str]]:
        """Drop all; return by number the command that nobody has seen anything of yet."""
        doing, self._doing, self._plan = self._doing, None, None
        if self._running is not None:
            self._running[0].stop()
            self._running = None
        self._body = LiveBody(self._node.profile)
        self._judge.stop()
        self._timer.cancel()
        if doing is None or doing.step is None or doing.said:
            return {}
        return {doing.step.command.number: (doing.step, f'being generated{doing.step}')}

    def finish(self, reason: str) -> None:
        """Let what is done be the last: it ends when the model expects it to."""
        if self._doing is not None and self._doing.following is not None:
            self._node.drop(self._doing.following, reason)
        if self._doing is not None:
            self._doing.last = True

    def health_values(self) -> dict[str, str]:
        """What of the stream is worth knowing, for /diagnostics."""
        ahead_s, slower = 0.0, 1.0
        if self._plan is not None:
            now_s = self._node.clock.motion_s()
            ahead_s, slower = self._plan.ahead_s(now_s), self._plan.slower(now_s)
        return {
            'chunks': str(self.chunks),
            'chunk_took_s': f'{self._took_s:.3f}',
            'ahead_s': f'{ahead_s:.2f}',
            'slowed_down': f'{slower:.2f}',
        }

    # ------------------------------------------------------------------ whose turn it is

    def _take_turn(self, now_s: float) -> None:
        """Let the next action begin, or the body come to rest, where it is time."""
        node, doing = self._node, self._doing
        if node.parameters['queue_policy'] == 'latest' and node.waiting():
            self._replace()
            self._begin(Step(node.take_command()))
            return
        if doing is None:
            if node.waiting():
                self._begin(Step(node.take_command()))
            return
        ends_s = doing.ends_s
        waited_for = node.waiting() or doing.last
        if ends_s is None and doing.step is not None and doing.said and waited_for:
            ends_s = doing.begun_s + doing.expected_s
        if not doing.said or ends_s is None or now_s < ends_s - _LEAD_S:
            return
        if doing.step is None:
            self._go_over(None)
        elif doing.following is not None:
            self._begin(doing.following)
        elif node.waiting():
            self._begin(Step(node.take_command()))
        elif doing.action is not None:  # that ends in a stance
            self._go_over(None)
        else:
            self._go_over(Doing(None, said=doing.text is None, ends_s=now_s + REST_S))

    def _replace(self) -> None:
        """Say of what is left of the command that a newer one takes its place."""
        doing = self._doing
        if doing is None or doing.step is None:
            return
        if not doing.said:
            self._node.drop(doing.step, 'a newer command replaced it')
        elif (following := doing.following) is not None:
            self._node.drop(following, f'a newer command replaced it before{following}')

    def _begin(self, step: Step) -> None:
        self._go_over(Doing(step))
        self._node.tell(step, 'generating')

    def _go_over(self, to: Doing | None) -> None:
        """Leave what is done for something else; it is judged by what was drawn of it."""
        doing, self._doing = self._doing, to
        if doing is not None and doing.step is not None and doing.text is not None:
            self._judge.over(doing.step, doing.drawn)

    def _blind(self) -> bool:
        """Whether joint states are needed and have stopped."""
        parameters = self._node.parameters
        needed = parameters['require_joint_state'] or parameters['closed_loop']
        return needed and not self._node.sees_body

    # ------------------------------------------------------------------ drawing

    def _draw(self, now_s: float, moves: bool) -> None:
        """Have the worker draw what comes next."""
        doing, plan, state = self._doing, self._plan, None
        assert doing is not None
        if plan is None or not moves:
            state, past = self._standing()
            done = None
            if state is not None:
                rows = state.positions, state.base_pos, state.base_rot
                positions, base_pos, base_rot = (np.stack([row, row]) for row in rows)
                done = positions, base_pos, base_rot
            request = ChunkRequest(0, doing.text, begins=True, past=past, done=done)
        else:
            frame = plan.last_frame
            if not doing.said and not self._too_late:
                soonest_s = now_s + _LEAD_S + 2 * self._took_s
                frame = min(frame, int(np.ceil(plan.phase_at(soonest_s) * FPS)))
            observed = self._astray or frame != plan.last_frame
            past, done = plan.history(frame), plan.rows(frame)
            if self._node.parameters['closed_loop']:
                seen = self._seen_until(plan.time_of(frame))
                if seen is not None:
                    observed, past, done = True, seen, None
            request = ChunkRequest(
                frame, doing.text, says=not doing.said, past=past, done=done, observed=observed
            )
        request = replace(
            request,
            sampling=self._sampling(),
            avoid=self._node.parameters['avoid_self_collision'],
            action=doing.action,
        )
        job = self._node.host.draw(self._body.drawing(request), self._node.wake)
        self._running = job, request, state

    def _sampling(self) -> Sampling:
        return Sampling(*(self._node.parameters[name] for name in SAMPLING_PARAMETERS))

    def _standing(self) -> tuple[BodyState | None, np.ndarray | None]:
        """Where the body stands, and so as two frames (2, 22, 3) for the model; None: unknown."""
        node, plan = self._node, self._plan
        _, state = node.body_state(self._lead_s(None))
        if state is None:
            return None, None
        if plan is not None and not node.starts_from_joint_states():
            joints = plan.joints_at(plan.end_s)
        else:
            pose = (value[None] for value in (state.positions, state.base_pos, state.base_rot))
            joints = model_joints(node.profile, *pose)[0]
        return state.at_rest(), np.stack([joints, joints])

    def _seen_until(self, until_s: float) -> np.ndarray | None:
        """The body as it was seen, up to where it will be at ``until_s``; None: it is not seen."""
        node, plan = self._node, self._plan
        window = node.buffer.window()
        if window is None or not node.sees_body or plan is None:
            return None
        try:
            observed = window.resampled()
        except MotionError:  # less than two frames
            return None
        ago_s = node.clock.now_s() - 1e-9 * observed.stamp_ns
        seen_s = node.clock.motion_s() - max(ago_s, 0.0)
        return seen_until(observed, seen_s, plan.trajectory, until_s, _LOOKED_AT, node.profile)

    # ------------------------------------------------------------------ publishing

    def _lead_s(self, plan: StreamPlan | None) -> float:
        """The time from publishing to the first point: short where the body is on its way."""
        lead_s = float(self._node.parameters['lead_in_s'])
        known = plan is not None or (
            self._node.playing is not None and not self._node.starts_from_joint_states()
        )
        return min(lead_s, _LEAD_S) if known else lead_s

    def _publish(
        self, chunk: Chunk, request: ChunkRequest, state: BodyState | None, doing: Doing
    ) -> None:
        """Join a chunk to the plan and send what the plan has from now on.

        Raises:
            GenerationError: the motion is unfit; nothing was sent.
        """
        node, plan = self._node, self._plan
        lead_s = self._lead_s(plan)
        timing = node.timing(lead_s if request.begins else lead_s + self._joining_s)
        if request.begins:
            pose = state or first_pose(chunk)
            if state is None:
                timing = node.timing(
                    max(lead_s, from_standing_s(pose, timing, node.profile.standing))
                )
            plan = StreamPlan(pose, chunk.clip, chunk.told)
        assert plan is not None
        begun_s = node.clock.motion_s()
        longer = plan.longer(request.frame, chunk.clip, chunk.joints, timing, node.clock.motion_s)
        now_s = node.clock.motion_s()
        self._joining_s = now_s - begun_s
        self._chunk_s, self._took_s = len(chunk.joints) / FPS, chunk.took_s + self._joining_s
        if longer is None:
            self._too_late = self._astray = True
            return
        # What was drawn as a whole the stream does not know of.
        self._plan, self._astray, self._too_late = longer, request.action is not None, False
        node.send(longer.message(now_s), doing.step, begun_s=now_s)
        self.chunks += 1
        doing.drawn = [*doing.drawn[1 - JUDGED_CHUNKS :], chunk.joints]
        node.report_success()
        notes, slower = list(chunk.notes), longer.slower(now_s)
        if slower > WORTH_SAYING:
            notes.append(f'slowed down {slower:.1f} times: hardly what was asked for')
        if notes:
            node.get_logger().warning('; '.join(notes), throttle_duration_sec=WARN_EVERY_S)
        if not doing.said:
            self._told(doing, now_s, chunk)
        elif doing.step is None and chunk.speed < _CALM_SPEED:
            self._doing = None

    def _told(self, doing: Doing, now_s: float, chunk: Chunk) -> None:
        """Take note that the first trajectory that shows an action is out, and say so."""
        node, step = self._node, doing.step
        doing.said, doing.begun_s, doing.expected_s = True, now_s, bounded_s(chunk.expected_s)
        if step is None:
            return
        seconds, source = self._length(step, doing)
        doing.ends_s = None if seconds is None else now_s + seconds
        notes = [step.command.note] if step.command.note else []
        notes += chunk.notes
        assert self._plan is not None
        if doing.action is not None:
            doing.ends_s = self._plan.end_s
            seconds, source = chunk.expected_s, 'text'
        if self._plan.held:
            notes.append(held_joints(self._plan.held))
        node.tell_published(step, notes, '' if seconds is None else f'{seconds:.2f}', source)

    def _length(self, step: Step, doing: Doing) -> tuple[float | None, str]:
        """How long an action lasts [s], None: until the next; and where that comes from."""
        asked_s, stated_s = self._node.parameters['duration_s'], stated_duration(step.text)[0]
        if doing.text is None:
            return stated_s or 0.0, ''
        if asked_s > 0:
            return asked_s, 'asked'
        if stated_s is not None:
            return stated_s, 'text'
        return (None, '') if step.following is None else (doing.expected_s, 'predicted')
