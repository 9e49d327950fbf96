# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text commands in, trajectories of a whole body out.

Callbacks check and enqueue; the worker draws the motion; back in the executor it is joined to
where the body then is, and published. Here are the commands: which are taken, what waits, what
became of each, and what stops them. How they are carried out is in :mod:`mgpt3_ros.nodes.clips`,
and for mode ``stream`` in :mod:`mgpt3_ros.nodes.streaming`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String
from std_srvs.srv import Trigger

from mgpt3_ros.body.commands.meaning import Relation, Rest
from mgpt3_ros.body.commands.memory import Memory
from mgpt3_ros.body.stance import CLOSE_LEAD_S, closing
from mgpt3_ros.model.errors import CheckpointError, TextError
from mgpt3_ros.model.language.confidence import prompt_knowledge
from mgpt3_ros.model.language.known_actions import KnownAction
from mgpt3_ros.nodes.action_servers import GenerateServer, has_interfaces
from mgpt3_ros.nodes.bodies import nodes_of_bodies
from mgpt3_ros.nodes.clips import Clips
from mgpt3_ros.nodes.commands import Command, CommandQueue, Step, fit_text, read_command
from mgpt3_ros.nodes.deadman import Deadman
from mgpt3_ros.nodes.emergency_stop import STOPPED
from mgpt3_ros.nodes.generation import SAMPLING_PARAMETERS
from mgpt3_ros.nodes.lifecycle import WARN_EVERY_S
from mgpt3_ros.nodes.model_host import ModelFacts, ModelHost
from mgpt3_ros.nodes.moving_node import MovingNode
from mgpt3_ros.nodes.process import run
from mgpt3_ros.nodes.steering import Steering
from mgpt3_ros.nodes.steering_topics import PARAMETER_NAMES as STEERING_PARAMETERS
from mgpt3_ros.nodes.steering_topics import SteeringTopics
from mgpt3_ros.nodes.streaming import PARAMETER_NAMES as STREAM_PARAMETERS
from mgpt3_ros.nodes.streaming import Streaming
from mgpt3_ros.nodes.way_back import WayBack

PARAMETER_NAMES = (
    *(*SAMPLING_PARAMETERS, 'duration_s'),
    *('split_actions', 'refuse_unknown', 'unknown_text', 'queue_size', 'queue_policy'),
    *('max_command_age_s', 'deadman_topic', 'deadman_timeout_s', 'avoid_self_collision'),
    *STREAM_PARAMETERS,
    *STEERING_PARAMETERS,
)

_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
_COMMANDS_KEPT = 1000  # that DDS holds until they are taken: each gets a status


class GenerateNode(MovingNode):
    """The text-to-motion node; topics, services and parameters stand in docs/interface.md.

    Attributes:
        last_latency_s: from the last command's arrival to its first trajectory.
        steering: of a body that walks on, at a velocity, to a pose or along a path.
    """

    def __init__(self, host: ModelHost | None = None, namespace: str = '') -> None:
        super().__init__('generate_node', PARAMETER_NAMES, host, namespace)
        self._queue = CommandQueue()
        self._numbers = self._dropped = 0
        self.last_latency_s = 0.0
        self._memory, self._way_back = Memory(), WayBack(self)
        self._known_actions: tuple[KnownAction, ...] = ()

        self.create_subscription(String, 'command', self._on_command, _COMMANDS_KEPT)
        self.create_service(Trigger, '~/cancel', self._on_cancel)
        self._known = self.create_publisher(String, '~/known_actions', _LATCHED)
        self._deadman = None
        if self.parameters['deadman_topic']:
            self._deadman = Deadman(
                self,
                self.parameters['deadman_topic'],
                lambda: self.parameters['deadman_timeout_s'],
                self.steady_clock,
                self.halt,
            )
        self._moves: Clips | Streaming
        self._moves = Streaming(self) if self.parameters['mode'] == 'stream' else Clips(self)
        self.steering = Steering(self)
        if self.parameters['steering']:
            SteeringTopics(self, self.steering)
        self._server = GenerateServer(self) if has_interfaces() else None

    def accept(self, facts: ModelFacts) -> None:
        """Say what a model knows; refuse one that cannot move in this mode.

        Raises:
            CheckpointError: mode stream, and the checkpoint is of the clip form.
        """
        if self.streams and facts.form != 'stream':
            raise CheckpointError(
                f'mode stream needs a checkpoint of the stream form, and {facts.name} is of the '
                'clip form: give checkpoint:=stream or one of your own, or mode:=clip'
            )
        if not self.streams and facts.form == 'stream':
            self.get_logger().info(
                f'{facts.name} is of the stream form: mode:=stream moves without an end'
            )
        self._known_actions = facts.known
        known = json.dumps([asdict(action) for action in facts.known])
        self._known.publish(String(data=known))

    # ------------------------------------------------------------------ input

    def _on_command(self, message: String, info: Mapping[str, int]) -> None:
        # By the system's clock, as the middleware stamps what is sent; 0 where it does not.
        sent_ns = info['source_timestamp']
        self.give(message.data, (time.time_ns() - sent_ns) * 1e-9 if sent_ns else 0.0)

    @property
    def commands_given(self) -> int:
        """How many commands came: the number of the last one in ~/status."""
        return self._numbers

    def new_number(self) -> int:
        """Number something that shall move the body, as ~/status shows it."""
        self._numbers += 1
        return self._numbers

    @property
    def streams(self) -> bool:
        """Whether motion goes on without an end."""
        return isinstance(self._moves, Streaming)

    @property
    def unknown_text(self) -> str:
        """What becomes of commands that are not known: refuse, warn or draw."""
        parameters = self.parameters
        if parameters['unknown_text'] != 'auto':
            return str(parameters['unknown_text'])
        refuse = parameters['refuse_unknown'] or parameters['require_joint_state']
        return 'refuse' if refuse else 'draw'

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
            self.unknown_text,
            self._known_actions,
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
        self.look_for_clock()
        command = Command(self.new_number(), given, self.steady_now_s(), sender_id=sender_id)
        try:
            command = self.read(command)
            if self._comes_to_rest(command):  # however old it is
                return command.number
            self._require_fresh(age_s, expired)
            self._require_ready()
            if self._does_beside(command) or self._way_back.leads(command):
                return command.number
            replaced = self._queue.offer(
                command,
                self.parameters['queue_policy'],
                self.parameters['queue_size'],
                self.moving() or self._moves.busy or self.steering.busy,
            )
        except TextError as refusal:
            if self._known_actions and command.confidence is None:
                knowledge = prompt_knowledge(command.text, self._known_actions)
                command = replace(command, confidence=knowledge.probability)
            self.tell(command, 'refused', DiagnosticStatus.WARN, reason=str(refusal))
            return command.number
        self._memory.remember(command.parts)
        self._way_back.remember(command)
        if command.note:
            self.get_logger().warning(command.note, throttle_duration_sec=WARN_EVERY_S)
        self.tell(command, 'queued', reason=command.note)
        for old in replaced:
            self._dropped += 1
            self.tell(old, 'dropped', reason='a newer command replaced it')
        self._moves.advance()
        return command.number

    def _comes_to_rest(self, command: Command) -> bool:
        """Carry out a command that asks for no motion: to stop, or to end what is done."""
        if command.parts == (Relation('finish'),):
            reason = f'command {command.number} ends after what is being done'
            for old in self._queue.clear():
                self.drop(Step(old), reason)
            self._moves.finish(reason)
            if self.steering.source == 'words':  # it goes on without an end
                self.steering.rest(reason)
            self.tell(command, 'stopped', reason='what is being done ends by itself')
            return True
        if command.parts != (Rest(),):
            return False
        told = self.stop_all(f'stopped by command {command.number}')
        self.get_logger().info(f'command {command.number} stops: {told or "nothing moves"}')
        self.tell(command, 'stopped', reason=told or 'nothing moves')
        return True

    def _does_beside(self, command: Command) -> bool:
        """Have the arms of a steered body do a command; else steering may have to end.

        Raises:
            TextError: cmd_vel has the legs.
        """
        if self.steering.resting:
            return False
        step = Step(command)
        if self.steering.can_do(step):
            self.tell(command, 'queued', reason=command.note)
            self.steering.wave(step)
            return True
        if self.steering.source == 'velocity':
            raise TextError('cmd_vel steers the body: let it be silent, or say what arms can do')
        if self.streams:
            self.steering.rest(f'command {command.number} replaced it')
        return False

    def require_steerable(self, age_s: float) -> None:
        """Raise a TextError where a message that steers, ``age_s`` old, must not move the body."""
        self._require_fresh(age_s, False)
        self._require_ready()

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

    # ------------------------------------------------------------------ what became of it

    def on_worker(self) -> None:
        """Take what the worker has drawn."""
        self.steering.on_worker()
        self._moves.on_worker()

    def fail(self, step: Step, error: Exception, trace: str = '') -> None:
        """Give a command up, with all its actions that have not begun."""
        left = '' if step.following is None else '; the actions after it are dropped'
        self.tell(step, 'failed', DiagnosticStatus.ERROR, reason=f'{error}{left}')
        self.report_failure(f'command {step.command.number}{step} failed: {error}', error, trace)

    def tell_published(self, step: Step, notes: list[str], duration_s: str, source: str) -> None:
        """Say that the first trajectory that shows an action is out."""
        if not step.index:
            self.last_latency_s = self.steady_now_s() - step.command.received_s
        self.tell(
            step,
            'published',
            reason='; '.join(notes),
            duration_s=duration_s,
            duration_from=source,
            latency_s='' if step.index else f'{self.last_latency_s:.3f}',
            shown='',
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

    def stop_all(self, reason: str, halt: bool = True) -> str:
        """Drop what waits, what is drawn and what plays; return a line that says so.

        ``halt``: the body comes to rest; else it goes on, to be steered.
        """
        stopped: dict[int, tuple[Command | Step, str]] = {}  # by number: one for each command
        playing, moving = self.playing, self.moving()
        unseen = self.steering.stop()
        if halt:
            self.stop_playing()
        if playing is not None and playing.step is not None and moving:
            stopped[playing.step.command.number] = playing.step, f'playing{playing.step}'
        for number, work in (unseen | self._moves.stop()).items():
            stopped.setdefault(number, work)
        stopped |= {command.number: (command, 'waiting') for command in self._queue.clear()}
        for what, where in stopped.values():
            self.tell(what, 'cancelled', reason=f'{reason} while {where}')
        told = ', '.join(f'command {number} ({where})' for number, (_, where) in stopped.items())
        return f'cancelled {told}' if told else ''

    def stop_playing(self) -> None:
        """Bring a moving body to rest at once, then its feet together.

        One that is not seen, or stopped in an emergency, holds the pose in which it stops; so does
        a robot.
        """
        halted = self.bring_to_rest()
        blind = self.parameters['require_joint_state'] and not self.sees_body
        if halted is None or self.robot is not None or self.emergency_stop.active or blind:
            return
        closed = closing(halted.trajectory, self.timing(CLOSE_LEAD_S), self.profile)
        passed_s = halted.elapsed_s(self.clock.motion_s())
        if passed_s > CLOSE_LEAD_S:  # on a busy machine: from where it rests, however late it is
            rest_s = halted.trajectory.end_s
            closed = closing(halted.trajectory, self.timing(rest_s), self.profile)
            passed_s = min(halted.elapsed_s(self.clock.motion_s()), rest_s - CLOSE_LEAD_S)
        if closed is not None:
            self.send(closed.after(passed_s))

    # ------------------------------------------------------------------ health

    def health_values(self) -> dict[str, str]:
        """Return queue length, last latency, progress and drops for /diagnostics."""
        job = self._moves.job
        return {
            **super().health_values(),
            'queue_length': str(len(self._queue)),
            'generating': str(job is not None).lower(),
            'progress': f'{job.progress if job is not None else 0.0:.2f}',
            'moving': str(self.moving()).lower(),
            'commands': str(self._numbers),
            'dropped': str(self._dropped),
            'joint_states_dropped': str(sum(self.buffer.dropped.values())),
            'last_latency_s': f'{self.last_latency_s:.3f}',
            'drawn_together': str(self.host.drawn_together),
            **self._moves.health_values(),
            **(self.steering.health_values() if self.steering.busy else {}),
        }


def main(args: Sequence[str] | None = None) -> None:
    """Run the node, or one for each of ``--bodies``, until the process is told to end."""
    run(partial(nodes_of_bodies, lambda *of: [GenerateNode(*of)], args), args)


if __name__ == '__main__':
    main()
