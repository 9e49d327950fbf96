# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""generate_node's mode ``clip``: each action is a whole motion, sent when its turn has come.

The worker draws an action while the one before still plays; what is drawn waits until that one
ends, or is left on the way by what follows it. Mode ``stream`` is in
:mod:`mgpt3_ros.nodes.streaming`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from mgpt3_ros.body.commands.meaning import LEGS, Action, Rest
from mgpt3_ros.body.steering.courses import steady
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.worker import Job
from mgpt3_ros.nodes.commands import Command, Step, held_joints
from mgpt3_ros.nodes.generation import (
    SAMPLING_PARAMETERS,
    Fit,
    Generated,
    Sampling,
    carried_out,
    generate,
)
from mgpt3_ros.nodes.judging import Judge
from mgpt3_ros.nodes.lifecycle import WARN_EVERY_S
from mgpt3_ros.nodes.robot_motion import RobotMotions
from mgpt3_ros.nodes.take_over import MEETING_S, TakeOver
from mgpt3_ros.robots.pace import WORTH_SAYING

if TYPE_CHECKING:
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.model.motiongpt3 import MotionGPT3
    from mgpt3_ros.model.pipelines.together import Work
    from mgpt3_ros.nodes.generate_node import GenerateNode

_WAITING_PERIOD_S = 0.02
# Of an action on the one before: the body is on its way already, and goes on while it is planned.
_JOIN_LEAD_S = 0.1 + MEETING_S


class Clips:
    """The actions of a generate_node, one after the other."""

    def __init__(self, node: GenerateNode) -> None:
        self._node = node
        self._next: Step | None = None  # of a command that has begun
        self._running: tuple[Step, Job[Generated]] | None = None
        self._drawn: tuple[Step, Generated] | None = None  # ready to be published
        self._last_drawn: Motion | None = None
        self._last = 0  # the command whose later actions are not wanted any more
        self._holding: tuple[Step, float] | None = None  # and until when
        self._judge, self._take_over = Judge(node), TakeOver(node)
        self._robot_motions = RobotMotions(node.robot) if node.robot is not None else None
        self._last_motion_s = 0.0
        self._waiting = node.create_timer(
            _WAITING_PERIOD_S, self._publish_when_due, clock=node.steady_clock, autostart=False
        )

    @property
    def busy(self) -> bool:
        """Whether a command is being carried out; one that only plays is not."""
        work = (self._running, self._drawn, self._next, self._holding)
        return any(part is not None for part in work)

    @property
    def job(self) -> Job[Generated] | None:
        """What the worker draws now."""
        return None if self._running is None else self._running[1]

    def finish(self, reason: str) -> None:
        """Let what is done be the last: what comes after it is dropped."""
        rest = self._take_rest()
        work = self._running or self._drawn
        if rest is None and work is not None:  # the first action, of which nothing is seen yet
            self._last, rest = work[0].command.number, work[0].following
        if rest is not None:
            self._node.drop(rest, reason)

    def advance(self) -> None:
        """Do what is due: give way to a newer command, and begin what comes next."""
        self._give_way()
        self._begin_next()
        if self._running is None:
            self._judge.go_on()

    def stop(self) -> dict[int, tuple[Command | Step, str]]:
        """Drop all; return by number the commands that were at work, and where they stood."""
        stopped: dict[int, tuple[Command | Step, str]] = {}
        if self._running is not None:
            (step, job), self._running = self._running, None
            job.stop()
            stopped[step.command.number] = step, f'being generated{step}'
        if self._drawn is not None:
            (step, _), self._drawn = self._drawn, None
            self._waiting.cancel()
            stopped.setdefault(step.command.number, (step, f'ready{step}'))
        if self._holding is not None:
            (step, _), self._holding = self._holding, None
            stopped.setdefault(step.command.number, (step, f'resting{step}'))
        self._next = self._last_drawn = None
        self._judge.stop()
        return stopped

    def health_values(self) -> dict[str, str]:
        """How fast motions are made, for /diagnostics."""
        times = self._last_motion_s / max(self._node.last_latency_s, 1e-3)
        return {'times_real_time': f'{times:.1f}'}

    # ------------------------------------------------------------------ drawing

    def _begin_next(self) -> None:
        if self._running is not None or self._drawn is not None or self._holds():
            return
        step, self._next = self._next, None
        if step is None:
            if not self._node.waiting():
                return
            step = Step(self._node.take_command())
        if isinstance(step.part, Rest):
            self._hold(step)
            return
        if isinstance(step.part, Action) and step.part.endless and step.part.name in LEGS:
            self._node.steering.follow(step, steady(step.part), 'words', step.command.note)
            return
        self._running = step, self._draw(step)
        self._node.tell(step, 'generating')

    def _draw(self, step: Step) -> Job[Generated]:
        """Have the worker draw a step, and look at nothing until that is sent."""
        self._judge.pause()
        return self._node.host.draw(self._drawing(step), self._node.wake)

    def _drawing(self, step: Step) -> Callable[[MotionGPT3, Job[Generated]], Work[Generated]]:
        """What the worker shall draw for a step."""
        sampling = Sampling(*(self._node.parameters[name] for name in SAMPLING_PARAMETERS))
        if isinstance(step.part, Action):
            follows = not self._node.moving() or self._follows(step)
            stands = self._take_over.last_pose() if follows else None
            lead_s = self._lead_s(step)
            meets = None if follows else self._take_over.meets(step.part, lead_s)
            draw = partial(
                carried_out, action=step.part, stands=stands, at_rest=follows, meets=meets
            )
        else:
            draw = partial(
                generate,
                text=step.text,
                after=self._last_drawn if step.index else None,
                goes_on=step.following is not None,
            )
        return partial(
            draw,
            duration_s=self._node.parameters['duration_s'],
            sampling=sampling,
            profile=self._node.profile,
            fit=self._fit(),
        )

    def _follows(self, step: Step) -> bool:
        """Whether a step begins when what plays has ended."""
        waits = self._node.parameters['queue_policy'] == 'fifo'
        return bool(step.index or step.command.goes_on or waits)

    def _hold(self, step: Step) -> None:
        """Let the body rest for the time of a step, when what comes before it has ended."""
        assert isinstance(step.part, Rest)
        node = self._node
        if step.index and node.moving():
            self._next = step
            self._waiting.reset()
            return
        node.stop_playing()
        seconds = step.part.duration_s or 0.0
        self._holding = step, node.clock.motion_s() + seconds
        node.tell_published(step, [step.command.note], f'{seconds:.2f}', 'text')
        self._waiting.reset()

    def _holds(self) -> bool:
        """Whether the body rests for a time; what follows is next when that is over."""
        if self._holding is None:
            return False
        step, until_s = self._holding
        if self._node.clock.motion_s() < until_s:
            self._waiting.reset()
            return True
        self._holding, self._next = None, step.following
        return False

    def _fit(self) -> Fit | None:
        """Return what makes a clip one that the robot can do; None for another body."""
        if self._robot_motions is None:
            return None
        return partial(
            self._robot_motions.fit, avoid=self._node.parameters['avoid_self_collision']
        )

    def on_worker(self) -> None:
        """Take what the worker has drawn, and tell what it has seen."""
        self._judge.on_worker()
        if self._running is None or not self._running[1].done():
            return
        (step, job), self._running = self._running, None
        try:
            drawn = job.result()
            if self._take_over.comes_too_late(drawn):
                self._running = step, self._draw(step)
                return
            self._drawn = step, drawn
        except Exception as error:
            self._node.fail(step, error, job.trace)
        self._publish_when_due()

    # ------------------------------------------------------------------ publishing

    def _publish_when_due(self) -> None:
        """Publish what is drawn, as soon as its turn has come."""
        if self._drawn is not None and not self._due(*self._drawn):
            self._waiting.reset()
            self._judge.go_on()
            return
        self._waiting.cancel()
        if self._drawn is not None:
            (step, generated), self._drawn = self._drawn, None
            try:
                self._publish(step, generated)
                self._next = None if step.command.number == self._last else step.following
                self._last_drawn = generated.motion if self._next is not None else None
                self._give_way()
            except Exception as error:
                self._node.fail(step, error)
        self._begin_next()
        if self._running is None:
            self._judge.go_on()

    def _due(self, step: Step, generated: Generated) -> bool:
        """Whether a motion's turn has come: by policy, or where it goes on from the one before."""
        node, playing = self._node, self._node.playing
        if playing is None or not node.moving():
            return True
        if not self._follows(step):
            return True
        elapsed_s = playing.elapsed_s(node.clock.motion_s())
        if not (step.index or step.command.goes_on):
            return False  # fifo: at rest
        if generated.leave_s is None:
            return elapsed_s >= playing.trajectory.end_s - self._lead_s(step)
        leave_s = playing.elapsed_at(generated.leave_s)
        return elapsed_s >= leave_s - self._lead_s(step)

    def _lead_s(self, step: Step) -> float:
        lead_s = float(self._node.parameters['lead_in_s'])
        return min(lead_s, _JOIN_LEAD_S) if step.index or step.command.goes_on else lead_s

    def _give_way(self) -> None:
        """Under policy latest, drop what a command still has to do when a newer one waits."""
        if self._node.parameters['queue_policy'] != 'latest' or not self._node.waiting():
            return
        step = self._take_rest()
        if step is not None:
            self._node.drop(step, f'a newer command replaced it before{step}')

    def _take_rest(self) -> Step | None:
        """Take away what a command still has to do; return the first action of that."""
        step, self._next = self._next, None
        if self._holding is not None:
            (held, _), self._holding = self._holding, None
            step = held.following
        if self._running is not None and self._running[0].index:
            (step, job), self._running = self._running, None
            job.stop()
        elif self._drawn is not None and (self._drawn[0].index or self._drawn[0].command.goes_on):
            (step, _), self._drawn = self._drawn, None
            self._waiting.cancel()
        return step

    def _publish(self, step: Step, generated: Generated) -> None:
        """Join a motion to where the body is and send it.

        Raises:
            GenerationError: the motion is unfit; nothing was sent.
        """
        node = self._node
        if node.parameters['require_joint_state'] and not node.sees_body:
            raise MotionError('the joint states have stopped (require_joint_state)')
        # A body that moves goes on while it is planned what comes next.
        begun_s = node.clock.motion_s() if node.moving() else None
        trajectory, slower = self._take_over.planned(
            generated, self._lead_s(step), begun_s, self._follows(step)
        )
        node.steering.release(f'command {step.command.number} replaced it')
        node.send(trajectory, step, slower, begun_s)
        self._last_motion_s = generated.motion.duration_s
        node.report_success()
        notes = [step.command.note] if step.command.note else []
        notes += generated.notes
        if slower > 1.0:
            notes.append(f'slowed down {slower:.2f} times to keep the bounds')
        if slower > WORTH_SAYING or generated.notes:
            node.get_logger().warning('; '.join(notes), throttle_duration_sec=WARN_EVERY_S)
        if trajectory.held:
            notes.append(held_joints(trajectory.held))
            node.get_logger().warning(notes[-1], throttle_duration_sec=WARN_EVERY_S)
        duration_s = f'{float(generated.info["duration_s"]) * slower:.2f}'
        node.tell_published(step, notes, duration_s, generated.info['duration_from'])
        self._judge.over(step, [generated.motion.joints])
