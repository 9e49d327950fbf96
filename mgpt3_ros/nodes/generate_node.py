# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text commands in, trajectories of a whole body out.

Callbacks check and enqueue; the worker draws the motion; back in the executor it is joined to
where the body then is, and published. Here are commands and whole clips; mode ``stream`` is in
:mod:`mgpt3_ros.nodes.streaming`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from std_msgs.msg import String
from std_srvs.srv import Trigger

from mgpt3_ros.body.body_trajectory import BodyTrajectory
from mgpt3_ros.body.commands.meaning import Action, Relation, Rest
from mgpt3_ros.body.commands.memory import Memory
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.stance import CLOSE_LEAD_S, closing, grounded, joints_of, meeting, on_the_way
from mgpt3_ros.model.errors import CheckpointError, MotionError, TextError
from mgpt3_ros.model.worker import Job
from mgpt3_ros.nodes.action_servers import GenerateServer, has_interfaces
from mgpt3_ros.nodes.commands import (
    Command,
    CommandQueue,
    Step,
    fit_text,
    held_joints,
    read_command,
)
from mgpt3_ros.nodes.deadman import Deadman
from mgpt3_ros.nodes.emergency_stop import STOPPED
from mgpt3_ros.nodes.generation import (
    SAMPLING_PARAMETERS,
    Generated,
    Sampling,
    carried_out,
    generate,
)
from mgpt3_ros.nodes.lifecycle import WARN_EVERY_S
from mgpt3_ros.nodes.model_host import ModelFacts, ModelHost
from mgpt3_ros.nodes.moving_node import MovingNode
from mgpt3_ros.nodes.process import run
from mgpt3_ros.nodes.robot_motion import RobotMotions
from mgpt3_ros.nodes.streaming import PARAMETER_NAMES as STREAM_PARAMETERS
from mgpt3_ros.nodes.streaming import Streaming
from mgpt3_ros.robots.pace import WORTH_SAYING

if TYPE_CHECKING:
    from mgpt3_ros.body.from_motion import BodyClip
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.model.motiongpt3 import MotionGPT3

PARAMETER_NAMES = (
    *(*SAMPLING_PARAMETERS, 'duration_s'),
    *('split_actions', 'refuse_unknown', 'queue_size', 'queue_policy'),
    *('max_command_age_s', 'deadman_topic', 'deadman_timeout_s', 'avoid_self_collision'),
    *STREAM_PARAMETERS,
)

_COMMANDS_KEPT = 1000  # that DDS holds until they are taken: each gets a status
_WAITING_PERIOD_S = 0.02
_MEETING_S = 0.1  # that joining a motion to one that plays may take
_JOIN_LEAD_S = 0.1  # of an action on the one before: the body is on its way already


class GenerateNode(MovingNode):
    """The text-to-motion node; topics, services and parameters stand in docs/interface.md."""

    def __init__(self, host: ModelHost | None = None) -> None:
        super().__init__('generate_node', PARAMETER_NAMES, host)
        self._queue = CommandQueue()
        self._numbers = 0
        self._dropped = 0
        self._last_latency_s = 0.0
        self._last_motion_s = 0.0
        self._next: Step | None = None  # of a command that has begun
        self._running: tuple[Step, Job[Generated]] | None = None
        self._drawn: tuple[Step, Generated] | None = None  # ready to be published
        self._last_drawn: Motion | None = None
        self._robot_motions = RobotMotions(self.robot) if self.robot is not None else None
        self._memory = Memory()
        self._holding: tuple[Step, float] | None = None  # and until when

        self.create_subscription(String, 'command', self._on_command, _COMMANDS_KEPT)
        self.create_service(Trigger, '~/cancel', self._on_cancel)
        self._deadman = None
        if self.parameters['deadman_topic']:
            self._deadman = Deadman(
                self,
                self.parameters['deadman_topic'],
                lambda: self.parameters['deadman_timeout_s'],
                self.steady_clock,
                self.halt,
            )
        self._waiting = self.create_timer(
            _WAITING_PERIOD_S, self._publish_when_due, clock=self.steady_clock, autostart=False
        )
        self._streaming = Streaming(self) if self.parameters['mode'] == 'stream' else None
        self._server = GenerateServer(self) if has_interfaces() else None

    def accept(self, facts: ModelFacts) -> None:
        """Refuse a model that cannot move in this mode.

        Raises:
            CheckpointError: mode stream, and the checkpoint is of the clip form.
        """
        if self._streaming is not None and facts.form != 'stream':
            raise CheckpointError(
                f'mode stream needs a checkpoint of the stream form, and {facts.name} is of the '
                'clip form: give another, or mode:=clip'
            )
        if self._streaming is None and facts.form == 'stream':
            self.get_logger().info(
                f'{facts.name} is of the stream form: mode:=stream moves without an end'
            )

    # ------------------------------------------------------------------ input

    def _on_command(self, message: String, info: Mapping[str, int]) -> None:
        # By the system's clock, as the middleware stamps what is sent; 0 where it does not.
        sent_ns = info['source_timestamp']
        self.give(message.data, (time.time_ns() - sent_ns) * 1e-9 if sent_ns else 0.0)

    @property
    def commands_given(self) -> int:
        """How many commands came: the number of the last one in ~/status."""
        return self._numbers

    @property
    def streams(self) -> bool:
        """Whether motion goes on without an end."""
        return self._streaming is not None

    def read(self, command: Command) -> Command:
        """Read what a command's text means.

        Raises:
            TextError: it is not understood, or cannot be carried out.
        """
        text, note = fit_text(command.text, self.parameters['max_text_length'])
        return read_command(
            replace(command, text=text, note=note),
            self._memory,
            self.moving(),
            self.streams,
            self.parameters['split_actions'],
            self.parameters['refuse_unknown'],
        )

    def would_do(self, given: str) -> tuple[str, ...]:
        """Return the actions of a text, were it a command now.

        Raises:
            TextError: it would be refused.
        """
        command = self.read(Command(self._numbers + 1, given, self.steady_now_s()))
        self._require_ready()
        return command.actions

    def give(
        self, given: str, age_s: float = 0.0, expired: bool = False, sender_id: str = ''
    ) -> int:
        """Take a command that is ``age_s`` old; return its number in ~/status."""
        self._numbers += 1
        self.look_for_clock()
        command = Command(self._numbers, given, self.steady_now_s(), sender_id=sender_id)
        try:
            command = self.read(command)
            if self._comes_to_rest(command):  # however old it is
                return command.number
            self._require_fresh(age_s, expired)
            self._require_ready()
            replaced = self._queue.offer(
                command,
                self.parameters['queue_policy'],
                self.parameters['queue_size'],
                self._busy(),
            )
        except TextError as refusal:
            self.tell(command, 'refused', DiagnosticStatus.WARN, reason=str(refusal))
            return command.number
        self._memory.remember(command.parts)
        if command.note:
            self.get_logger().warning(command.note, throttle_duration_sec=WARN_EVERY_S)
        self.tell(command, 'queued', reason=command.note)
        for old in replaced:
            self._dropped += 1
            self.tell(old, 'dropped', reason='a newer command replaced it')
        self._give_way()
        self._begin_next()
        return command.number

    def _comes_to_rest(self, command: Command) -> bool:
        """Carry out a command that asks for no motion: to stop, or to end what is done."""
        if command.parts == (Relation('finish'),):
            for old in self._queue.clear():
                self.drop(Step(old), f'command {command.number} ends after what is being done')
            step, self._next = self._next, None
            if step is not None:
                self.drop(step, f'command {command.number} ends after what is being done')
            self.tell(command, 'stopped', reason='what is being done ends by itself')
            return True
        if command.parts != (Rest(),):
            return False
        told = self.stop_all(f'stopped by command {command.number}')
        self.get_logger().info(f'command {command.number} stops: {told or "nothing moves"}')
        self.tell(command, 'stopped', reason=told or 'nothing moves')
        return True

    def waiting(self) -> bool:
        """Whether a command waits."""
        return len(self._queue) > 0

    def take_command(self) -> Command:
        """Take the command whose turn it is; one must wait."""
        command = self._queue.take()
        assert command is not None
        return command

    def drop(self, step: Step, reason: str) -> None:
        """Say that an action will not be carried out."""
        self._dropped += 1
        self.tell(step, 'dropped', reason=reason)

    def _require_ready(self) -> None:
        if not self.active:
            raise TextError(f'the node is {self.state}')
        if not self.enabled:
            raise TextError('the node is disabled')
        if self.emergency_stop.active:
            raise TextError(STOPPED)
        if self.parameters['require_joint_state'] and not self.sees_body:
            raise TextError('no current joint state was heard (require_joint_state)')
        if self.controllers is not None and (missing := self.controllers.missing()):
            raise TextError(f'{missing[0]} offers no follow_joint_trajectory (follow_by: action)')
        if self._deadman is not None and not self._deadman.held:
            raise TextError("the dead man's switch is not held (deadman_topic)")

    def _require_fresh(self, age_s: float, expired: bool) -> None:
        bound_s = self.parameters['max_command_age_s']
        if bound_s and age_s > bound_s:
            raise TextError(
                f'it was sent {age_s:.1f} s ago (max_command_age_s {bound_s:g}): too late, or the '
                'clocks of two machines differ'
            )
        if expired:
            raise TextError('it has expired')

    # ------------------------------------------------------------------ drawing

    def _busy(self) -> bool:
        work = (self._running, self._drawn, self._next, self._holding)
        streams = self._streaming is not None and self._streaming.busy
        return streams or any(part is not None for part in work) or self.moving()

    def _begin_next(self) -> None:
        if self._streaming is not None:
            self._streaming.advance()
            return
        if self._running is not None or self._drawn is not None or self._holds():
            return
        step, self._next = self._next, None
        if step is None:
            command = self._queue.take()
            if command is None:
                return
            step = Step(command)
        if isinstance(step.part, Rest):
            self._hold(step)
            return
        self._running = step, self.host.run(self._drawing(step), self.wake)
        self.tell(step, 'generating')

    def _drawing(self, step: Step) -> Callable[[MotionGPT3, Job[Generated]], Generated]:
        """What the worker shall draw for a step."""
        sampling = Sampling(*(self.parameters[name] for name in SAMPLING_PARAMETERS))
        if isinstance(step.part, Action):
            follows = not self.moving() or self._follows(step)
            return partial(
                carried_out,
                action=step.part,
                duration_s=self.parameters['duration_s'],
                sampling=sampling,
                profile=self.profile,
                stands=self._last_pose() if follows else None,
                at_rest=follows,
                fit=self._fit(),
            )
        return partial(
            generate,
            text=step.text,
            duration_s=self.parameters['duration_s'],
            sampling=sampling,
            profile=self.profile,
            after=self._last_drawn if step.index else None,
            goes_on=step.following is not None,
            fit=self._fit(),
        )

    def _follows(self, step: Step) -> bool:
        """Whether a step begins when what plays has ended."""
        waits = self.parameters['queue_policy'] == 'fifo'
        return bool(step.index or step.command.goes_on or waits)

    def _last_pose(self) -> np.ndarray | None:
        """The pose (22, 3) [m], Y up, in which what plays ends; None where that is unknown."""
        if self.playing is None or self.starts_from_joint_states():
            return None
        trajectory = self.playing.trajectory
        return joints_of(trajectory, np.array([trajectory.end_s]), self.profile)[0]

    def _hold(self, step: Step) -> None:
        """Let the body rest for the time of a step, when what comes before it has ended."""
        assert isinstance(step.part, Rest)
        if step.index and self.moving():
            self._next = step
            self._waiting.reset()
            return
        self._stop_playing()
        seconds = step.part.duration_s or 0.0
        self._holding = step, self.clock.motion_s() + seconds
        self.tell_published(step, [step.command.note], f'{seconds:.2f}', 'text')
        self._waiting.reset()

    def _holds(self) -> bool:
        """Whether the body rests for a time; what follows is next when that is over."""
        if self._holding is None:
            return False
        step, until_s = self._holding
        if self.clock.motion_s() < until_s:
            self._waiting.reset()
            return True
        self._holding, self._next = None, step.following
        return False

    def _fit(self) -> Callable[[Motion, BodyClip], tuple[BodyClip, tuple[str, ...]]] | None:
        """Return what makes a clip one that the robot can do; None for another body."""
        if self._robot_motions is None:
            return None
        return partial(self._robot_motions.fit, avoid=self.parameters['avoid_self_collision'])

    def on_worker(self) -> None:
        """Take what the worker has drawn."""
        if self._streaming is not None:
            self._streaming.on_worker()
            return
        if self._running is None or not self._running[1].done():
            return
        (step, job), self._running = self._running, None
        try:
            self._drawn = step, job.result()
        except Exception as error:
            self.fail(step, error, job.trace)
        self._publish_when_due()

    def fail(self, step: Step, error: Exception, trace: str = '') -> None:
        """Give a command up, with all its actions that have not begun."""
        left = '' if step.following is None else '; the actions after it are dropped'
        self.tell(step, 'failed', DiagnosticStatus.ERROR, reason=f'{error}{left}')
        self.report_failure(f'command {step.command.number}{step} failed: {error}', error, trace)

    # ------------------------------------------------------------------ publishing

    def _publish_when_due(self) -> None:
        """Publish what is drawn, as soon as its turn has come."""
        if self._drawn is not None and not self._due(*self._drawn):
            self._waiting.reset()
            return
        self._waiting.cancel()
        if self._drawn is not None:
            (step, generated), self._drawn = self._drawn, None
            try:
                self._publish(step, generated)
                self._next = step.following
                self._last_drawn = generated.motion if self._next is not None else None
                self._give_way()
            except Exception as error:
                self.fail(step, error)
        self._begin_next()

    def _due(self, step: Step, generated: Generated) -> bool:
        """Whether a motion's turn has come: by policy, or where it goes on from the one before."""
        playing = self.playing
        if playing is None or not self.moving():
            return True
        if not self._follows(step):
            return True
        elapsed_s = playing.elapsed_s(self.clock.motion_s())
        if not (step.index or step.command.goes_on):
            return False  # fifo: at rest
        if generated.leave_s is None:
            return elapsed_s >= playing.trajectory.end_s - self._lead_s(step)
        leave_s = playing.elapsed_at(generated.leave_s)
        return elapsed_s >= leave_s - self._lead_s(step)

    def _lead_s(self, step: Step) -> float:
        lead_s = float(self.parameters['lead_in_s'])
        return min(lead_s, _JOIN_LEAD_S) if step.index or step.command.goes_on else lead_s

    def _give_way(self) -> None:
        """Under policy latest, drop what a command still has to do when a newer one waits."""
        if self.parameters['queue_policy'] != 'latest' or not len(self._queue):
            return
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
        if step is not None:
            self._dropped += 1
            self.tell(step, 'dropped', reason=f'a newer command replaced it before{step}')

    def _publish(self, step: Step, generated: Generated) -> None:
        """Join a motion to where the body is and send it.

        Raises:
            GenerationError: the motion is unfit; nothing was sent.
        """
        if self.parameters['require_joint_state'] and not self.sees_body:
            raise MotionError('the joint states have stopped (require_joint_state)')
        trajectory, slower = self._planned(step, generated)
        self.send(trajectory, step, slower)
        self._last_motion_s = generated.clip.duration_s
        self.report_success()
        notes = [step.command.note] if step.command.note else []
        notes += generated.notes
        if slower > 1.0:
            notes.append(f'slowed down {slower:.2f} times to keep the bounds')
        if slower > WORTH_SAYING or generated.notes:
            self.get_logger().warning('; '.join(notes), throttle_duration_sec=WARN_EVERY_S)
        if trajectory.held:
            notes.append(held_joints(trajectory.held))
            self.get_logger().warning(notes[-1], throttle_duration_sec=WARN_EVERY_S)
        duration_s = f'{float(generated.info["duration_s"]) * slower:.2f}'
        self.tell_published(step, notes, duration_s, generated.info['duration_from'])

    def _planned(self, step: Step, generated: Generated) -> tuple[BodyTrajectory, float]:
        """The trajectory of a motion from where the body is, and how many times slower it is."""
        lead_s, clip, playing = self._lead_s(step), generated.clip, self.playing
        known = playing is not None and self.moving() and not self.starts_from_joint_states()
        if not known or generated.leave_s is not None:
            now, then = self.body_state(lead_s)
            trajectory, slower = plan(clip, self.timing(lead_s), then, now)
            return self._grounded(trajectory), slower
        assert playing is not None
        if not self._follows(step):
            at_s = playing.elapsed_s(self.clock.motion_s()) + lead_s + _MEETING_S
            clip = meeting(generated.motion, playing.trajectory, at_s, self.profile)
            lead_s = max(at_s - playing.elapsed_s(self.clock.motion_s()), lead_s)
        now, then = self.body_state(lead_s)
        elapsed_s = playing.elapsed_s(self.clock.motion_s())
        trajectory, slower = plan(clip, self.timing(lead_s), then, now)
        return on_the_way(self._grounded(trajectory), playing.trajectory, elapsed_s), slower

    def _grounded(self, trajectory: BodyTrajectory) -> BodyTrajectory:
        """Put the feet of a human on the floor; those of a robot were placed when it was drawn."""
        return trajectory if self.robot is not None else grounded(trajectory, self.profile)

    def tell_published(self, step: Step, notes: list[str], duration_s: str, source: str) -> None:
        """Say that the first trajectory that shows an action is out."""
        if not step.index:
            self._last_latency_s = self.steady_now_s() - step.command.received_s
        self.tell(
            step,
            'published',
            reason='; '.join(notes),
            duration_s=duration_s,
            duration_from=source,
            latency_s='' if step.index else f'{self._last_latency_s:.3f}',
        )

    # ------------------------------------------------------------------ stopping

    def _on_cancel(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = True
        response.message = self.stop_all('cancelled by request') or 'nothing to cancel'
        self.get_logger().info(response.message)
        return response

    def halt(self, reason: str) -> None:
        """Drop all commands and bring a moving body to rest."""
        self.stop_all(reason)

    def stop_all(self, reason: str) -> str:
        """Drop what waits, what is drawn and what plays; return a line that says so."""
        stopped: dict[int, tuple[Command | Step, str]] = {}  # by number: one for each command
        playing, moving = self.playing, self.moving()
        self._stop_playing()
        if playing is not None and playing.step is not None and moving:
            stopped[playing.step.command.number] = playing.step, f'playing{playing.step}'
        if self._running is not None:
            (step, job), self._running = self._running, None
            job.stop()
            stopped.setdefault(step.command.number, (step, f'being generated{step}'))
        if self._drawn is not None:
            (step, _), self._drawn = self._drawn, None
            self._waiting.cancel()
            stopped.setdefault(step.command.number, (step, f'ready{step}'))
        if self._streaming is not None:
            stopped = self._streaming.stop() | stopped
        if self._holding is not None:
            (step, _), self._holding = self._holding, None
            stopped.setdefault(step.command.number, (step, f'resting{step}'))
        self._next = self._last_drawn = None
        stopped |= {command.number: (command, 'waiting') for command in self._queue.clear()}
        for what, where in stopped.values():
            self.tell(what, 'cancelled', reason=f'{reason} while {where}')
        told = ', '.join(f'command {number} ({where})' for number, (_, where) in stopped.items())
        return f'cancelled {told}' if told else ''

    def _stop_playing(self) -> None:
        """Bring a moving body to rest at once, then its feet together.

        One that is not seen, or stopped in an emergency, holds the pose in which it stops; so does
        a robot.
        """
        halted = self.bring_to_rest()
        blind = self.parameters['require_joint_state'] and not self.sees_body
        if halted is None or self.robot is not None or self.emergency_stop.active or blind:
            return
        closed = closing(halted, self.timing(CLOSE_LEAD_S), self.profile)
        if closed is not None:
            self.send(closed)

    # ------------------------------------------------------------------ health

    def health_values(self) -> dict[str, str]:
        """Return queue length, last latency, progress and drops for /diagnostics."""
        progress = self._running[1].progress if self._running is not None else 0.0
        return {
            **super().health_values(),
            'queue_length': str(len(self._queue)),
            'generating': str(self._running is not None).lower(),
            'progress': f'{progress:.2f}',
            'moving': str(self.moving()).lower(),
            'commands': str(self._numbers),
            'dropped': str(self._dropped),
            'joint_states_dropped': str(sum(self.buffer.dropped.values())),
            'last_latency_s': f'{self._last_latency_s:.3f}',
            **(self._streaming.health_values() if self._streaming is not None else {}),
            'times_real_time': f'{self._last_motion_s / max(self._last_latency_s, 1e-3):.1f}',
        }


def main(args: Sequence[str] | None = None) -> None:
    """Run the node until the process is told to end."""
    run(GenerateNode, args)


if __name__ == '__main__':
    main()
