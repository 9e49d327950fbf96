# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""generate_node's steering: a walk that goes on, at a velocity, to a pose or along a path.

The worker steps a second ahead and then to a stand, again and again; each piece is joined to the
plan, and what the plan has from now on is published. So every trajectory ends in a stance, and a
body that nobody steers any more comes to one. Steering takes over from any motion at its pose and
speed, and the next motion takes over from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from mgpt3_ros.body.body_trajectory import BodyState
from mgpt3_ros.body.commands.meaning import ARMS, Action
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.stance import on_the_way
from mgpt3_ros.body.steering.courses import Velocity
from mgpt3_ros.body.steering.gait import Gaits
from mgpt3_ros.body.steering.gestures import Gesture
from mgpt3_ros.body.steering.walker import Course, Walker, Walking
from mgpt3_ros.body.stream_plan import LATE_S, StreamPlan
from mgpt3_ros.body.window import model_joints
from mgpt3_ros.model.errors import TextError
from mgpt3_ros.model.finishing.settling import standing_pose
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.worker import Job
from mgpt3_ros.nodes.commands import Command, Step
from mgpt3_ros.nodes.generation import SAMPLING_PARAMETERS, Generated, Sampling, carried_out
from mgpt3_ros.nodes.steps import Steps, StepsRequest, drawn_gaits, stepped

if TYPE_CHECKING:
    from mgpt3_ros.nodes.generate_node import GenerateNode

Source = Literal['velocity', 'goal', 'words']

REST = Velocity(np.zeros(3))
_PERIOD_S = 0.02
_LEAD_S = 0.2  # from publishing to the first point: the body is on its way to it already
_SPARE_S = 0.2  # of steps that are left when new ones are asked for
_KEPT = 200  # frames whose states are kept


@dataclass
class _Task:
    """What the body follows, for which command. said: whether a trajectory shows it.

    new: it has not been stepped yet. why: what is told when it rests.
    """

    step: Step
    course: Course
    source: Source
    why: str = ''
    new: bool = True
    said: bool = False
    notes: list[str] = field(default_factory=list)


class Steering:
    """The steps of a generate_node's body."""

    def __init__(self, node: GenerateNode) -> None:
        self._node = node
        self._gaits: Gaits | None = None
        self._task: _Task | None = None
        self._drawing: Job[Gaits] | None = None
        self._stepping: tuple[Job[Steps], StepsRequest, _Entry | None] | None = None
        self._waving: tuple[Step, Job[Generated]] | None = None
        self._forget()
        self._took_s = 0.1
        self._timer = node.create_timer(
            _PERIOD_S, self.advance, clock=node.steady_clock, autostart=False
        )

    def _forget(self) -> None:
        """Let go of the plan: the next steps begin where the body then is."""
        self._plan: StreamPlan | None = None
        self._walker: Walker | None = None
        self._states: dict[int, Walking] = {}
        self._walked = 0  # the last frame that follows the course
        self._gesture: Gesture | None = None

    @property
    def busy(self) -> bool:
        """Whether the body is steered."""
        return self._task is not None

    @property
    def source(self) -> Source | None:
        """What steers the body; None: nothing."""
        return self._task.source if self._task is not None else None

    @property
    def resting(self) -> bool:
        """Whether it was told to come to rest, or nothing steers it."""
        return self._task is None or self._task.course is REST

    # ------------------------------------------------------------------ what to follow

    def follow(self, step: Step, course: Course, source: Source, note: str = '') -> None:
        """Steer the body for a command from now on."""
        node, before = self._node, self._task
        if before is None:
            node.stop_all(f'command {step.command.number} steers the body', halt=False)
        else:
            self._let_go(before, f'command {step.command.number} steers the body')
        self._task = _Task(step, course, source, notes=[note] if note else [])
        node.tell(step, 'generating')
        self.advance()

    def change(self, course: Course, why: str = '') -> None:
        """Follow another course for the same command; ``why`` is told when it rests."""
        assert self._task is not None
        self._task.course, self._task.new, self._task.why = course, True, why
        self.advance()

    def rest(self, why: str) -> None:
        """Come to a stand, step by step."""
        if not self.resting:
            self.change(REST, why)

    def wave(self, step: Step) -> None:
        """Have the arms of a steered body do something."""
        node, action = self._node, step.part
        assert isinstance(action, Action)
        if self._waving is not None:
            (old, job), self._waving = self._waving, None
            job.stop()
            node.drop(old, 'a newer command replaced it')
        sampling = Sampling(*(node.parameters[name] for name in SAMPLING_PARAMETERS))
        drawing = partial(
            carried_out,
            action=action,
            duration_s=node.parameters['duration_s'],
            sampling=sampling,
            profile=node.profile,
            stands=None,
            at_rest=True,
        )
        self._waving = step, node.host.draw(drawing, node.wake)
        node.tell(step, 'generating')

    def can_do(self, step: Step) -> bool:
        """Whether a command can be done by the arms of a body that goes on walking."""
        part = step.part
        alone = isinstance(part, Action) and part.name in ARMS and part.arms is None
        return alone and step.count == 1

    # ------------------------------------------------------------------ letting go

    def release(self, reason: str) -> None:
        """Another motion has taken the body over."""
        task = self._task
        self._drop_work()
        if task is not None:
            self._let_go(task, reason)
        self._forget()

    def stop(self) -> dict[int, tuple[Command | Step, str]]:
        """Drop all; return by number the commands that nobody has seen anything of yet."""
        task, waving = self._task, self._waving
        self._drop_work()
        self._forget()
        found: dict[int, tuple[Command | Step, str]] = {}
        if task is not None and not task.said:
            found[task.step.command.number] = task.step, 'being generated'
        if waving is not None:
            found[waving[0].command.number] = waving[0], 'being generated'
        return found

    def _drop_work(self) -> None:
        self._task = None
        for job in (self._drawing, self._stepping and self._stepping[0]):
            if job:
                job.stop()
        if self._waving is not None:
            self._waving[1].stop()
        self._drawing = self._stepping = self._waving = None
        self._timer.cancel()

    def _let_go(self, task: _Task, reason: str) -> None:
        self._node.drop(task.step, reason)

    # ------------------------------------------------------------------ stepping

    def advance(self) -> None:
        """Have the next steps made where it is time."""
        task, node = self._task, self._node
        if task is None:
            self._timer.cancel()
            return
        self._timer.reset()
        if self._drawing is not None or self._stepping is not None:
            return
        if self._gaits is None:
            sampling = Sampling(*(node.parameters[name] for name in SAMPLING_PARAMETERS))
            self._drawing = node.host.run(partial(drawn_gaits, sampling=sampling), node.wake)
            return
        now_s = node.clock.motion_s()
        plan = self._plan
        if plan is not None and now_s >= plan.end_s:
            if self._stands and not task.new:
                self._done(task)
                return
            self._forget()
            plan = None
        soonest_s = _LEAD_S + 2 * self._took_s
        ahead_s = np.inf if self._stands else 0.0
        if plan is not None and not self._stands:
            ahead_s = self._walked / FPS - plan.phase_at(now_s)
        if task.new or ahead_s < soonest_s + _SPARE_S:
            self._step(task, plan, now_s + soonest_s)

    @property
    def _stands(self) -> bool:
        """Whether the course itself has come to a stand."""
        last = self._states.get(self._walked)
        return last is not None and last.still

    def _step(self, task: _Task, plan: StreamPlan | None, at_s: float) -> None:
        """Have the worker step from ``at_s`` on."""
        node, entry = self._node, None
        assert self._gaits is not None
        if plan is None:
            entry = _entered(node, at_s - node.clock.motion_s())
            walker = Walker(self._gaits)
            request = StepsRequest(entry.past, task.course)
        else:
            assert self._walker is not None
            walker = self._walker
            frame = min(int(np.ceil(plan.phase_at(at_s) * FPS)), max(self._states))
            state = self._states[frame]
            if task.new:
                state = replace(state, along=0.0)
            past = plan.history(frame)
            request = StepsRequest(past, task.course, state, self._gesture)
        call = partial(stepped, walker=walker, request=request, profile=node.profile)
        self._stepping = node.host.run(call, node.wake), request, entry

    def on_worker(self) -> None:
        """Take what the worker has made."""
        if self._drawing is not None and self._drawing.done():
            job, self._drawing = self._drawing, None
            self._took(job, lambda: setattr(self, '_gaits', job.result()))
        if self._stepping is not None and self._stepping[0].done():
            (stepping, request, entry), self._stepping = self._stepping, None
            self._took(stepping, lambda: self._publish(stepping.result(), request, entry))
        if self._waving is not None and self._waving[1].done():
            (step, waving), self._waving = self._waving, None
            try:
                self._begin_gesture(step, waving.result())
            except Exception as error:
                self._node.fail(step, error, waving.trace)

    def _took(self, job: Job, use: object) -> None:
        """Use what a job gave; where it failed, the command has failed."""
        task = self._task
        try:
            use()  # type: ignore[operator]
        except Exception as error:
            self._task = None
            self._forget()  # what was published ends at rest
            if task is not None:
                self._node.fail(task.step, error, job.trace)
        self.advance()

    def _publish(self, steps: Steps, request: StepsRequest, entry: _Entry | None) -> None:
        """Join steps to the plan, and send what it has from now on.

        Raises:
            GenerationError: the motion is unfit; nothing was sent.
        """
        node, task, plan = self._node, self._task, self._plan
        if task is None:
            return
        self._took_s = 0.7 * self._took_s + 0.3 * steps.took_s
        now_s = node.clock.motion_s()
        lead_s = _LEAD_S
        if entry is not None:
            lead_s = entry.at_s - now_s if entry.before is not None else entry.lead_s
            if lead_s < LATE_S:  # it took longer than was thought
                self._took_s = max(self._took_s, 2 * steps.took_s)
                return
            plan = StreamPlan(entry.state, steps.clip, entry.past[-1], entry.before)
        assert plan is not None
        begin = steps.states[0].frame
        longer = plan.longer(
            begin, steps.clip, steps.joints, node.timing(lead_s), node.clock.motion_s
        )
        if longer is None:
            task.new = True
            return
        self._plan, self._walker = longer, steps.walker
        kept = {f: state for f, state in self._states.items() if begin - _KEPT < f < begin}
        self._states = kept | {state.frame: state for state in steps.states}
        self._walked = begin + steps.walked
        now_s = node.clock.motion_s()
        trajectory = longer.message(now_s)
        if entry is not None and entry.before is not None and node.playing is not None:
            before, limits = node.playing.trajectory, node.profile.position_limits
            elapsed_s = node.playing.elapsed_s(now_s)
            trajectory = on_the_way(trajectory, before, elapsed_s, limits)
        node.send(trajectory, task.step, begun_s=now_s)
        node.report_success()
        task.new = task.new and task.course is not request.course
        if not task.said:
            task.said = True
            node.tell_published(task.step, task.notes, '', '')

    def _done(self, task: _Task) -> None:
        """Say that the body stands where it shall."""
        last = self._states[max(self._states)]
        self._drop_work()
        self._forget()
        ends = getattr(task.course, 'ends', None)
        if ends is None:
            self._node.tell(task.step, 'stopped', reason=task.why)
            return
        far, turned = ends(last)
        self._node.tell(
            task.step,
            'done',
            reason=f'stands {100 * far:.0f} cm and {np.degrees(turned):.0f} degrees from the goal',
        )

    def _begin_gesture(self, step: Step, generated: Generated) -> None:
        """Take the arms of a drawn motion on as soon as steps can show them.

        Raises:
            TextError: the body is not steered any more.
        """
        if self._plan is None or self._task is None:
            raise TextError('the body has come to rest meanwhile: say it again')
        node = self._node
        soonest_s = node.clock.motion_s() + _LEAD_S + 2 * self._took_s
        begin = int(np.ceil(self._plan.phase_at(soonest_s) * FPS)) + 2
        action = step.part
        assert isinstance(action, Action)
        self._gesture = Gesture(generated.motion.joints.astype(np.float64), action.name, begin)
        self._task.new = True
        node.tell_published(step, list(generated.notes), generated.info['duration_s'], 'predicted')
        self.advance()

    def health_values(self) -> dict[str, str]:
        """What of the steering is worth knowing, for /diagnostics."""
        return {'steered_by': self.source or '', 'steps_took_s': f'{self._took_s:.3f}'}


@dataclass(frozen=True)
class _Entry:
    """Where steps begin: the body (T, 22, 3) [m] up to the time ``at_s``, and its state there.

    before: the state and the joints of one frame earlier, where it moves. lead_s: of a body that
    stands, from publishing to the first point.
    """

    past: Array
    state: BodyState
    at_s: float
    lead_s: float
    before: tuple[BodyState, Array] | None


def _entered(node: GenerateNode, ahead_s: float) -> _Entry:
    """Where the body will be ``ahead_s`` from now."""
    at_s = node.clock.motion_s() + ahead_s
    known = [node.body_state(ahead_s - back / FPS)[1] for back in (2, 1, 0)]
    states = [state for state in known if state is not None]
    lead_s = float(node.parameters['lead_in_s'])
    if not states:
        stand = standing_pose()
        states = [_standing(node, stand)]
        past = np.stack([stand, stand])
        return _Entry(past, states[0], at_s, lead_s, None)
    poses = [(state.positions, state.base_pos, state.base_rot) for state in states]
    past = model_joints(node.profile, *(np.stack(part) for part in zip(*poses, strict=True)))
    if not node.moving():
        if node.playing is not None and not node.starts_from_joint_states():
            lead_s = min(lead_s, _LEAD_S)
        still = np.repeat(past[-1:], 2, axis=0)
        return _Entry(still, states[-1].at_rest(), at_s, lead_s, None)
    return _Entry(past, states[-1], at_s, ahead_s, (states[-2], past[-2]))


def _standing(node: GenerateNode, stand: Array) -> BodyState:
    """A body that stands upright at the world's origin."""
    positions, base_pos, base_rot = node.profile.from_joints(np.stack([stand, stand]), FPS)
    still = np.zeros(3)
    return BodyState(
        positions[0], np.zeros_like(positions[0]), base_pos[0], base_rot[0], still, still
    )
