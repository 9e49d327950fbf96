# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What caption_node and predict_node share: a body is listened to, the model is asked about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from builtin_interfaces.msg import Time
from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.time import Time as RosTime
from std_srvs.srv import Trigger

from mgpt3_ros.body.window import Window
from mgpt3_ros.model.worker import Job
from mgpt3_ros.nodes.body_node import BodyNode
from mgpt3_ros.nodes.lifecycle import WARN_EVERY_S
from mgpt3_ros.nodes.model_host import ModelHost

LISTENING_PARAMETERS = (
    *('joint_profile', 'body_id', 'world_frame', 'reliability'),
    *('input_rate_hz', 'window_s', 'min_window_s', 'max_gap_s', 'min_joint_coverage'),
)

_TICK_S = 0.1  # at which it is looked for what is due, where no joint state tells that

T = TypeVar('T')


class ListeningNode(BodyNode, Generic[T]):
    """A node that asks the model about the last seconds of a body, one question at a time.

    Subclasses say how often in ``period_s``, begin with ``ask`` and take the answer in
    ``answered``.
    What was observed is forgotten when the node is no longer active.
    """

    def __init__(
        self,
        name: str,
        parameters: Iterable[str],
        host: ModelHost | None,
        namespace: str = '',
    ) -> None:
        super().__init__(name, (*LISTENING_PARAMETERS, *parameters), host, namespace)
        self.answers = 0
        self.last_latency_s = 0.0
        self._running: tuple[Job[T], float] | None = None
        self._asked_s = -1e9
        self._asked_of_ns = 0
        self.create_service(Trigger, '~/reset', self._on_reset)
        self._timer = self.create_timer(
            _TICK_S, self._tick, clock=self.steady_clock, autostart=False
        )
        # A bag that begins again, a simulation that is reset.
        jump = JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1))
        self._jumps = self.get_clock().create_jump_callback(
            jump, post_callback=lambda _: self.forget()
        )

    @property
    def listens(self) -> bool:
        """Whether what is heard is taken note of: while the node is active."""
        return self.active

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

    # ------------------------------------------------------------------ asking

    def heard(self) -> None:
        """Ask, if it is time; else the timer does, where no more is heard."""
        self.look_whether_due()
        if self._timer.is_canceled():
            self._timer.reset()

    def _tick(self) -> None:
        self.look_whether_due()
        if not self.waits():
            self._timer.cancel()

    def waits(self) -> bool:
        """Whether something is to be done later of what was heard."""
        return self.active and self.sees_body and self.buffer.stamp_ns != self._asked_of_ns

    def look_whether_due(self) -> None:
        """Ask about what is new, if it is time."""
        if not (self.active and self.enabled and self.buffer.stamp_ns != self._asked_of_ns):
            return
        if self.steady_now_s() - self._asked_s >= self.period_s:
            self.begin()

    def begin(self) -> str:
        """Ask about what is observed now; return why not, or '' (also where it is being done)."""
        if self.active and self.enabled and self._running is not None:
            return ''
        window, refusal = self.look()
        if window is None:
            return refusal
        if warning := self.warning():
            self.get_logger().warning(warning, throttle_duration_sec=WARN_EVERY_S)
        elif not window.base:
            self.get_logger().info(
                'no odometry is heard: the base counts as upright at rest', once=True
            )
        self._asked_s, self._asked_of_ns = self.steady_now_s(), self.buffer.stamp_ns
        self._running = self.ask(window), self._asked_s
        return ''

    def look(self) -> tuple[Window | None, str]:
        """Return what is observed now; or None, and why."""
        if not self.active or not self.enabled:
            return None, f'the node is {self.state if not self.active else "disabled"}'
        window = self.buffer.window()
        if window is None or not self.sees_body:
            return None, 'no current joint states are heard'
        needed_s = min(self.parameters['min_window_s'], self.parameters['window_s'])
        if window.duration_s < needed_s - 1e-3:
            observed = f'{window.duration_s:.2f} s of motion were observed'
            return None, f'{observed}, {needed_s:.2f} are needed'
        return window, ''

    def on_worker(self) -> None:
        """Take the answer of the worker."""
        if self._running is None or not self._running[0].done():
            return
        (job, begun_s), self._running = self._running, None
        try:
            answer = job.result()
            self.last_latency_s = self.steady_now_s() - begun_s
            self.answered(answer)
            self.answers += 1
            self.report_success()
        except Exception as error:
            self.unanswered(str(error))
            self.report_failure(f'nothing is published: {error}', error, job.trace)

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

    def health_values(self) -> dict[str, str]:
        """Return what is heard and how long an answer took, for /diagnostics."""
        window = self.buffer.window()
        dropped = self.buffer.dropped
        base = 'not usable' if self.buffer.heard_odometry else 'none'
        return {
            **super().health_values(),
            'observed_s': f'{window.duration_s if window else 0.0:.2f}',
            'input_rate_hz': f'{self.buffer.rate_hz:.1f}',
            'base': 'odom' if window and window.base else f'{base}: upright at rest',
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
