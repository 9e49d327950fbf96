# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What caption_node and predict_node share: a body is listened to, the model is asked about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from builtin_interfaces.msg import Time
from nav_msgs.msg import Odometry
from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.time import Time as RosTime
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from mgpt3_ros.body.motion_buffer import Limits, MotionBuffer, UnusableError, Window
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.nodes.lifecycle import MotionNode
from mgpt3_ros.nodes.model_host import DeviceMemoryError, ModelHost
from mgpt3_ros.nodes.playing import BodyClock
from mgpt3_ros.nodes.worker import Job

LISTENING_PARAMETERS = (
    *('joint_profile', 'body_id', 'world_frame', 'reliability'),
    *('input_rate_hz', 'window_s', 'min_window_s', 'max_gap_s', 'min_joint_coverage'),
)

_DEPTH = 50
_TICK_S = 0.02
_FLIP_FLOPS = 3
_NAME_SETS = 100  # of too few names that are remembered, so as to warn of each once

T = TypeVar('T')


class ListeningNode(MotionNode, Generic[T]):
    """A node that asks the model about the last seconds of a body, one question at a time.

    Subclasses say how often in ``period_s``, begin with ``ask`` and take the answer in
    ``answered``.

    Attributes:
        buffer: what was observed; empty while the node is not active.
    """

    def __init__(self, name: str, parameters: Iterable[str], host: ModelHost | None) -> None:
        super().__init__(name, (*LISTENING_PARAMETERS, *parameters), host)
        self.profile = make_profile(self.parameters['joint_profile'], self.parameters['body_id'])
        self.buffer = MotionBuffer(self.profile, self._limits())
        self.answers = 0
        self.last_latency_s = 0.0
        self._now_s = BodyClock(self, self.steady_clock).now_s
        self._running: tuple[Job[T], float] | None = None
        self._asked_s = -1e9
        self._asked_of_ns = 0
        self._heard_s = -1e9
        self._memory_errors = 0
        self._warned_of: set[int] = set()
        self.add_post_set_parameters_callback(self._on_parameters)
        reliability = ReliabilityPolicy[self.parameters['reliability'].upper()]
        qos = QoSProfile(depth=_DEPTH, reliability=reliability)
        self.create_subscription(JointState, 'joint_states', self._on_joints, qos)
        self.create_subscription(Odometry, 'odom', self._on_odometry, qos)
        self.create_service(Trigger, '~/reset', self._on_reset)
        self.create_timer(_TICK_S, self._tick, clock=self.steady_clock)
        # A bag that begins again, a simulation that is reset.
        jump = JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1))
        self._jumps = self.get_clock().create_jump_callback(
            jump, post_callback=lambda _: self.forget()
        )

    # ------------------------------------------------------------------ for subclasses

    @property
    def period_s(self) -> float:
        """Time between two questions [s]."""
        raise NotImplementedError

    def ask(self, window: Window) -> Job[T]:
        """Have the worker look at ``window``."""
        raise NotImplementedError

    def answered(self, answer: T) -> None:
        """Publish what came of it; called in the executor, while the node is active."""
        raise NotImplementedError

    def unanswered(self, reason: str) -> None:
        """Take note that a question came to nothing."""

    # ------------------------------------------------------------------ input

    def _on_joints(self, message: JointState) -> None:
        if self.active:
            with self.joint_times.measured():
                self._hear_joints(message)

    def _hear_joints(self, message: JointState) -> None:
        stamp_ns = _nanoseconds(message.header.stamp) or round(self._now_s() * 1e9)
        try:
            self.buffer.hear_joints(message.name, message.position, stamp_ns)
        except UnusableError as error:
            self._dropped(error, message)
            return
        self._heard_s = self.steady_now_s()
        self.input_taken()
        if self.buffer.flip_flops >= _FLIP_FLOPS:
            self.get_logger().warning(
                'the names of the joint states go back and forth: more than one publisher on '
                'joint_states is not supported',
                once=True,
            )

    def _dropped(self, error: UnusableError, message: JointState) -> None:
        if error.kind == 'coverage':
            names, count = hash(frozenset(message.name)), len(message.name)  # names may be long
            if names in self._warned_of or len(self._warned_of) >= _NAME_SETS:
                return
            self._warned_of.add(names)
            self.get_logger().warning(f'joint states with {count} names ignored: {error}')
            return
        self.input_dropped(f'joint state dropped: {error}', self.buffer.bad_in_a_row)

    def _on_odometry(self, message: Odometry) -> None:
        if not self.active:
            return
        place, turn = message.pose.pose.position, message.pose.pose.orientation
        stamp_ns = _nanoseconds(message.header.stamp) or round(self._now_s() * 1e9)
        try:
            self.buffer.hear_base(
                (place.x, place.y, place.z), (turn.x, turn.y, turn.z, turn.w), stamp_ns
            )
        except UnusableError as error:
            self.input_dropped(f'odometry dropped: {error}')

    def _on_parameters(self, changed: list[Parameter]) -> None:
        self.buffer.limits = self._limits()

    def _limits(self) -> Limits:
        names = ('window_s', 'max_gap_s', 'min_joint_coverage', 'input_rate_hz')
        return Limits(*(self.parameters[name] for name in names))

    # ------------------------------------------------------------------ asking

    def _tick(self) -> None:
        if not self.active:
            return
        due = self.steady_now_s() - self._asked_s >= self.period_s
        if due and self.enabled and self.buffer.stamp_ns != self._asked_of_ns:
            self.begin()

    def begin(self) -> str:
        """Ask about what is observed now; return why not, or '' (also where it is being done)."""
        if not self.active or not self.enabled:
            return f'the node is {self.state if not self.active else "disabled"}'
        if self._running is not None:
            return ''
        window = self.buffer.window()
        age_s = self.steady_now_s() - self._heard_s
        if window is None or age_s > self.parameters['max_gap_s']:
            return 'no current joint states are heard'
        needed_s = min(self.parameters['min_window_s'], self.parameters['window_s'])
        if window.duration_s < needed_s - 1e-3:
            return f'{window.duration_s:.2f} s of motion were observed, {needed_s:.2f} are needed'
        if not window.base:
            self.get_logger().info(
                'no odometry is heard: the base counts as upright at rest', once=True
            )
        self._asked_s, self._asked_of_ns = self.steady_now_s(), self.buffer.stamp_ns
        self._running = self.ask(window), self._asked_s
        return ''

    def on_worker(self) -> None:
        """Take the answer of the worker."""
        if self._running is None or not self._running[0].done:
            return
        (job, begun_s), self._running = self._running, None
        try:
            answer = job.result
            self.last_latency_s = self.steady_now_s() - begun_s
            self.answered(answer)
            self.answers += 1
            self._memory_errors = 0
            self.report_success()
        except Exception as error:
            self._fail(error, job.trace)

    def _fail(self, error: Exception, trace: str) -> None:
        self.report_error(f'nothing is published: {error}', trace)
        self.unanswered(str(error))
        if isinstance(error, DeviceMemoryError):
            self._memory_errors += 1
            if self._memory_errors >= 2:
                self.get_logger().error('out of memory twice in a row: the node deactivates')
                self.trigger_deactivate()

    # ------------------------------------------------------------------ stopping

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to listen. SUCCESS always."""
        self.forget()
        return super().on_activate(state)

    def halt(self, reason: str) -> None:
        """Drop the question that is being looked at, and what was observed."""
        self.drop(reason)
        self.forget()

    def drop(self, reason: str) -> None:
        """Stop the question that is being looked at, if there is one."""
        if self._running is not None:
            self._running[0].stop()
            self._running = None
        self.unanswered(reason)

    def forget(self) -> None:
        """Forget what was observed."""
        self.buffer.clear()
        self._asked_of_ns = 0

    def _on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self.drop('reset by request')
        self.forget()
        response.success = True
        response.message = 'what was observed is forgotten'
        return response

    # ------------------------------------------------------------------ telling

    def steady_now_s(self) -> float:
        """Return the time by a clock that nobody sets [s]."""
        return self.steady_clock.now().nanoseconds * 1e-9

    def health_values(self) -> dict[str, str]:
        """Return what is heard and how long an answer took, for /diagnostics."""
        window = self.buffer.window()
        dropped: dict[str, Any] = dict(self.buffer.dropped)
        return {
            'observed_s': f'{window.duration_s if window else 0.0:.2f}',
            'input_rate_hz': f'{self.buffer.rate_hz:.1f}',
            'base': 'odom' if window and window.base else 'none: upright at rest',
            'joint_coverage': f'{self.buffer.coverage:.2f}',
            'joint_states': str(self.buffer.accepted),
            'dropped': str(sum(dropped.values())),
            'dropped_because': ', '.join(f'{kind} {n}' for kind, n in sorted(dropped.items())),
            'gaps': str(self.buffer.gaps),
            'time_jumps': str(self.buffer.jumps),
            'answers': str(self.answers),
            'last_latency_s': f'{self.last_latency_s:.3f}',
        }


def to_stamp(nanoseconds: int) -> Time:
    """Return a stamp as a message."""
    return RosTime(nanoseconds=nanoseconds).to_msg()


def _nanoseconds(stamp: Time) -> int:
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)
