# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Actions, and messages and services of our own, where the package mgpt3_interfaces is installed.

Everything here can be done by the standard topics and services too; without the package the nodes
go on with those alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from builtin_interfaces.msg import Time
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.task import Future
from rclpy.time import Time as RosTime

from mgpt3_ros.body.caption_events import CaptionEvent
from mgpt3_ros.model.errors import TextError
from mgpt3_ros.nodes.commands import Command, Step

if TYPE_CHECKING:
    from mgpt3_ros.nodes.caption_node import CaptionNode
    from mgpt3_ros.nodes.generate_node import GenerateNode
    from mgpt3_ros.nodes.predict_node import PredictNode

_LOOK_S = 0.05
_FAILED = ('refused', 'dropped', 'failed', 'cancelled')


def has_interfaces() -> bool:
    """Whether mgpt3_interfaces can be imported."""
    try:
        import mgpt3_interfaces.action  # noqa: F401
    except ImportError:
        return False
    return True


@dataclass(eq=False)
class _Goal:
    """A goal under way; ``done`` gets its last state and a message."""

    handle: Any
    done: Future = field(default_factory=Future)
    duration_s: float = 0.0
    published: bool = False
    asked_to_stop: bool = False

    def finish(self, state: str, message: str) -> None:
        if not self.done.done():
            self.done.set_result((state, message))


class GenerateServer:
    """``~/generate_motion``, ``~/stamped_command``, ``~/ask`` of generate_node."""

    def __init__(self, node: GenerateNode) -> None:
        from mgpt3_interfaces.action import GenerateMotion
        from mgpt3_interfaces.msg import Command as CommandMessage
        from mgpt3_interfaces.srv import Ask

        self._node, self._type = node, GenerateMotion
        self._goals: dict[int, _Goal] = {}
        self._server = _server(node, GenerateMotion, '~/generate_motion', self._execute)
        node.create_subscription(CommandMessage, '~/stamped_command', self._on_command, 1000)
        node.create_service(Ask, '~/ask', self._on_ask)
        node.watchers.append(self._heard)
        self._timer = node.create_timer(
            _LOOK_S, self._look, clock=node.steady_clock, autostart=False
        )

    def _on_command(self, message: Any) -> None:
        sent_ns = _nanoseconds(message.header.stamp)
        now_ns = self._node.get_clock().now().nanoseconds
        age_s = (now_ns - sent_ns) * 1e-9 if sent_ns else 0.0
        self._node.give(message.text, age_s, self._expired(message.expires), message.id)

    def _on_ask(self, request: Any, response: Any) -> Any:
        try:
            response.actions = list(self._node.would_do(request.text))
            response.accepted = True
        except TextError as error:
            response.reason = str(error)
        return response

    def _expired(self, expires: Time) -> bool:
        end_ns = _nanoseconds(expires)
        return bool(end_ns) and self._node.get_clock().now().nanoseconds >= end_ns

    async def _execute(self, handle: Any) -> Any:
        goal = _Goal(handle)
        number = self._node.commands_given + 1
        self._goals[number] = goal  # its statuses may come before ``give`` is back
        self._timer.reset()
        self._node.give(handle.request.text, 0.0, self._expired(handle.request.expires))
        state, message = await goal.done
        del self._goals[number]
        if not self._goals:
            self._timer.cancel()
        if state == 'finished':
            handle.succeed()
        elif state == 'cancelled' and handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return self._type.Result(
            success=state == 'finished',
            state=state,
            message=message,
            command=number,
            duration_s=goal.duration_s,
        )

    def _heard(self, what: Command | Step, message: str, values: dict[str, str]) -> None:
        """Pass a change of a command on to its goal."""
        goal = self._goals.get(int(values['id']))
        if goal is None:
            return
        duration_s = float(values['duration_s'] or 0.0)
        goal.duration_s += duration_s
        feedback = self._type.Feedback(
            state=message,
            message=values['reason'],
            action=int(values['action'] or 0),
            actions=int(values['actions']),
            action_text=values['action_text'],
            duration_s=duration_s,
        )
        goal.handle.publish_feedback(feedback)
        if message in _FAILED:
            goal.finish(message, values['reason'])
        elif message == 'stopped':  # it asked for no motion
            goal.finish('finished', values['reason'])
        goal.published |= message == 'published' and values['action'] == values['actions']

    def _look(self) -> None:
        """See which goals are to be cancelled, and which have come to their end."""
        for number, goal in list(self._goals.items()):
            if goal.handle.is_cancel_requested and not goal.asked_to_stop:
                goal.asked_to_stop = True
                self._node.stop_all('cancelled by its goal')
            if not goal.published or goal.done.done():
                continue
            if self._node.streams:
                goal.finish('finished', 'the body goes on until the next command')
                continue
            playing = self._node.playing
            step = playing.step if playing is not None else None
            if step is None or step.command.number != number:
                goal.finish('replaced', 'another command followed before its end')
            elif not self._node.moving():
                goal.finish('finished', '')


class CaptionServer:
    """``~/caption_motion``, ``~/event`` and ``~/list_actions`` of caption_node."""

    def __init__(self, node: CaptionNode) -> None:
        from mgpt3_interfaces.action import CaptionMotion
        from mgpt3_interfaces.msg import CaptionEvent as EventMessage
        from mgpt3_interfaces.srv import ListActions

        self._node, self._type, self._message = node, CaptionMotion, EventMessage
        self._events = node.create_lifecycle_publisher(EventMessage, '~/event', 10)
        self._watching: list[tuple[Any, list[CaptionEvent]]] = []  # goals, and what they saw
        self._server = _server(node, CaptionMotion, '~/caption_motion', self._execute)
        node.create_service(ListActions, '~/list_actions', self._on_list)

    def publish(self, event: CaptionEvent) -> None:
        """Publish an event, and tell it to those who watch."""
        message = self._as_message(event)
        self._events.publish(message)
        for handle, events in self._watching:
            if event.is_over:
                events.append(event)
            else:
                handle.publish_feedback(self._type.Feedback(event=message))

    def _as_message(self, event: CaptionEvent) -> Any:
        message = self._message(
            body_id=self._node.parameters['body_id'],
            label=event.label,
            sentence=event.sentence,
            confidence=event.confidence,
            start=_stamp(event.start_s),
            end=_stamp(event.end_s),
            is_over=event.is_over,
        )
        message.header.stamp = message.end
        message.header.frame_id = self._node.parameters['world_frame']
        return message

    def _on_list(self, request: Any, response: Any) -> Any:
        recogniser = self._node.recogniser
        if recogniser is not None:
            response.labels = list(recogniser.labels)
            response.sentences = list(recogniser.sentences)
        return response

    async def _execute(self, handle: Any) -> Any:
        events: list[CaptionEvent] = []
        watch = handle, events
        self._watching.append(watch)
        await _elapsed(self._node, handle, handle.request.duration_s)
        self._watching = [other for other in self._watching if other is not watch]
        now = self._node.event
        events += [now] if now is not None else []
        message = '' if events else 'nothing was seen, or the checkpoint has no recogniser'
        if handle.is_cancel_requested:
            handle.canceled()
        elif events:
            handle.succeed()
        else:
            handle.abort()
        return self._type.Result(
            success=bool(events),
            message=message,
            events=[self._as_message(event) for event in events],
        )


class PredictServer:
    """``~/predict_motion`` of predict_node."""

    def __init__(self, node: PredictNode) -> None:
        from mgpt3_interfaces.action import PredictMotion

        self._node, self._type = node, PredictMotion
        self._server = _server(node, PredictMotion, '~/predict_motion', self._execute)

    async def _execute(self, handle: Any) -> Any:
        job, refusal = self._node.predict_once(
            handle.request.horizon_s, handle.request.num_hypotheses
        )
        result = self._type.Result(message=refusal)
        if job is None:
            handle.abort()
            return result

        def over() -> bool:
            if handle.is_cancel_requested:
                job.stop()
            handle.publish_feedback(self._type.Feedback(progress=job.progress))
            return bool(job.done())

        await _until(self._node, over)
        error = job.exception()
        if handle.is_cancel_requested:
            handle.canceled()
            result.message = 'cancelled'
        elif error is not None:
            handle.abort()
            result.message = str(error)
        else:
            handle.succeed()
            result.success = True
            pairs = self._node.as_messages(job.result())
            result.joints = [joints for joints, _ in pairs]
            result.bases = [base for _, base in pairs]
        return result


def _server(node: Any, kind: type, name: str, execute: Callable[[Any], Any]) -> ActionServer:
    def answer(_: Any) -> GoalResponse:
        return GoalResponse.ACCEPT if node.active and node.enabled else GoalResponse.REJECT

    return ActionServer(
        node,
        kind,
        name,
        execute,
        goal_callback=answer,
        cancel_callback=lambda _: CancelResponse.ACCEPT,
        callback_group=ReentrantCallbackGroup(),
    )


async def _elapsed(node: Any, handle: Any, seconds: float) -> None:
    """Let time pass, unless the goal is cancelled."""
    end = time.monotonic() + seconds
    await _until(node, lambda: handle.is_cancel_requested or time.monotonic() >= end)


async def _until(node: Any, condition: Callable[[], bool]) -> None:
    """Look every ``_LOOK_S`` until ``condition`` holds; others are served meanwhile."""
    done = Future()

    def look() -> None:
        if not done.done() and condition():
            done.set_result(None)

    timer = node.create_timer(
        _LOOK_S, look, callback_group=ReentrantCallbackGroup(), clock=node.steady_clock
    )
    await done
    node.destroy_timer(timer)


def _nanoseconds(stamp: Time) -> int:
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


def _stamp(seconds: float) -> Time:
    return RosTime(nanoseconds=max(round(seconds * 1e9), 0)).to_msg()
