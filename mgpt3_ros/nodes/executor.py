# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The executor of a process of nodes: rclpy's single-threaded one, that keeps its wait set."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from inspect import iscoroutinefunction
from typing import Any, NamedTuple

from rclpy._rclpy_pybind11 import WaitSet
from rclpy.event_handler import EventHandler
from rclpy.exceptions import InvalidHandle
from rclpy.executors import ExternalShutdownException, ShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.service import Service
from rclpy.subscription import Subscription
from rclpy.task import Task
from rclpy.timer import Timer

_Take = Callable[[Any], Any]
_Ready = tuple[Any, Node, _Take]  # an entity, its node, and what takes its message

_GUARD = 'guard_condition'
# Half of what nodes have to be asked for tells of other nodes' quality of service, or sets
# parameters: beside a body that is heard 100 times a second that need not be looked at each time.
_RARE_S = 0.1
_KINDS = ('subscription', 'timer', 'client', 'service', _GUARD)  # as a wait set calls them


class NodeExecutor(SingleThreadedExecutor):
    """Runs callbacks in the thread that spins.

    rclpy gathers all subscriptions, timers, services, clients and events of all nodes into a new
    wait set before it waits, and wakes itself twice after each callback, which serves the other
    threads of a multi-threaded executor; for a node that hears a body at 100 Hz that took most of
    its CPU time. Here what is waited for is gathered when a node has got or lost something, which
    it tells by ``wake``. While a callback awaits something, rclpy's own way is taken. A message
    whose callback awaits nothing is handed to it as it is, without a task around it.
    """

    _changed = True  # since the wait set was made
    _kept: _Kept | None = None
    _tasks: list[tuple[Task, Any, Node | None]]

    def wake(self) -> None:
        """Gather anew what is waited for; called by nodes whose entities have changed."""
        self._changed = True
        super().wake()

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """Stop, and let go of what was waited for."""
        ended = super().shutdown(timeout_sec)
        self._let_go()
        return bool(ended)

    def _let_go(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _wait_for_ready_callbacks(
        self,
        timeout_sec: Any = None,
        nodes: list[Node] | None = None,
        condition: Callable[[], bool] = lambda: False,
    ) -> Iterator[tuple[Task | _Message, Any, Node]]:
        with self._tasks_lock:
            self._tasks = [each for each in self._tasks if not each[0].done()]
            awaits = bool(self._tasks)
        if awaits or timeout_sec is not None or nodes is not None:
            yield from super()._wait_for_ready_callbacks(timeout_sec, nodes, condition)
            return
        if self._changed or self._kept is None:
            self._let_go()
            self._changed = False
            self._kept = _Kept(self)
        ready = self._kept.wait()
        if self._is_shutdown:
            raise ShutdownException
        if not self._context.ok():
            raise ExternalShutdownException
        for entity, node, take in ready:
            if not _was_cancelled(entity):  # by a callback before it, too
                yield self._make_handler(entity, node, take), entity, node

    def _make_handler(
        self, entity: Any, node: Node, take_from_wait_list: _Take
    ) -> Task | _Message:
        entity._executor_event = True  # it is not waited for until it was taken
        if isinstance(entity, Subscription) and not iscoroutinefunction(entity.callback):
            return _Message(self, entity)

        async def handle() -> None:
            with self.turn_of(entity) as has_turn:
                call = take_from_wait_list(entity) if has_turn else None
                entity._executor_event = False
                if call is not None:
                    await call()

        task = Task(handle, executor=self)
        with self._tasks_lock:
            self._tasks.append((task, entity, node))
        return task

    @contextmanager
    def turn_of(self, entity: Any) -> Iterator[bool]:
        """Whether its group lets an entity run, in this block; it can be waited for after it."""
        group = entity.callback_group
        has_turn = not self._is_shutdown and group.beginning_execution(entity)
        try:
            with self._work_tracker:
                yield has_turn
        finally:  # whatever fails: else nothing of its group would run again
            entity._executor_event = False
            if has_turn:
                group.ending_execution(entity)


class _Message:
    """A message that is taken and handed to its callback when this is called, as a task is."""

    def __init__(self, executor: NodeExecutor, heard: Subscription) -> None:
        self._executor, self._heard = executor, heard

    def __call__(self) -> None:
        """Take it and call back; what the callback raises comes out."""
        heard, taken = self._heard, None
        with self._executor.turn_of(heard) as has_turn:
            # It may have been destroyed meanwhile.
            with suppress(InvalidHandle), heard.handle:
                if has_turn:
                    taken = heard.handle.take_message(heard.msg_type, heard.raw)
            heard._executor_event = False
            if taken is not None:
                alone = heard._callback_type is Subscription.CallbackType.MessageOnly
                heard.callback(*(taken[:1] if alone else taken))

    def exception(self) -> None:
        """None: it has come out already."""

    def result(self) -> None:
        """Nothing comes of it."""


class _Look(NamedTuple):
    """What is done before and after each wait, looked up once."""

    handles: list[tuple[str, list[Any]]]  # by what adds them to a wait set
    waitables: list[Callable[[WaitSet], None]]
    asked: list[tuple[Callable[[WaitSet], bool], _Ready]]


class _Kept:
    """A wait set of all that an executor's nodes have, and who is ready of them.

    What is in it is held: what a node destroys meanwhile goes when it is closed.
    """

    def __init__(self, executor: NodeExecutor) -> None:
        self._held = ExitStack()
        self._by_pointer: dict[str, dict[int, _Ready]] = {kind: {} for kind in _KINDS}
        self._waitables: list[_Ready] = []
        counts = dict.fromkeys((*_KINDS, 'event'), 0)
        for node in executor.get_nodes():
            for kind, entities, take in (
                ('subscription', node.subscriptions, executor._take_subscription),
                ('timer', node.timers, executor._take_timer),
                ('client', node.clients, executor._take_client),
                ('service', node.services, executor._take_service),
                (_GUARD, node.guards, executor._take_guard_condition),
            ):
                for entity in entities:
                    if self._hold(entity.handle):
                        counts[kind] += 1
                        self._by_pointer[kind][entity.handle.pointer] = entity, node, take
            for waitable in node.waitables:
                if self._hold(waitable):
                    self._waitables.append((waitable, node, executor._take_waitable))
                    own = waitable.get_num_entities()
                    for kind in counts:
                        counts[kind] += getattr(own, f'num_{kind}s')
        self._own_guards = [executor._guard.handle, executor._sigint_gc.handle]
        for guard in self._own_guards:
            self._hold(guard)
        self._hold(executor.context.handle)
        # What is done before and after each wait, looked up once.
        self._looks = self._look(rare=False), self._look(rare=True)
        self._looked_s = -1e9  # when it last began to wait for all
        counts[_GUARD] += len(self._own_guards)
        self._set = WaitSet(
            *(counts[kind] for kind in ('subscription', _GUARD, 'timer', 'client', 'service')),
            counts['event'],
            executor.context.handle,
        )

    def _look(self, rare: bool) -> _Look:
        """What is done around a wait for what is rare, or for all else."""
        handles = [
            (f'add_{kind}', [one.handle for one, _, _ in each.values() if _is_rare(one) == rare])
            for kind, each in self._by_pointer.items()
        ]
        waitables = [each for each in self._waitables if _is_rare(each[0]) == rare]
        return _Look(
            handles,
            [each[0].add_to_wait_set for each in waitables],
            [(each[0].is_ready, each) for each in waitables],
        )

    def _hold(self, handle: Any) -> bool:
        """Keep something from going; return whether it is still there."""
        try:
            self._held.enter_context(handle)
        except InvalidHandle:
            return False
        return True

    def close(self) -> None:
        """Let go of all that is held."""
        self._held.close()

    def wait(self) -> list[_Ready]:
        """Wait until something is ready; return all that is. Empty: the executor was woken.

        Where it was waited for all within ``_RARE_S``, what is rare has time until that is over.
        """
        now_s, waits = time.monotonic(), self._set
        left_s = self._looked_s + _RARE_S - now_s
        if left_s <= 0:
            self._looked_s = now_s
        waits.clear_entities()
        looks = self._looks[:1] if left_s > 0 else self._looks
        for look in looks:
            for add_to, handles in look.handles:
                add = getattr(waits, add_to)
                for handle in handles:
                    add(handle)
            for add_waitable in look.waitables:
                add_waitable(waits)
        for guard in self._own_guards:
            waits.add_guard_condition(guard)
        waits.wait(int(left_s * 1e9) if left_s > 0 else -1)
        found = [each for look in looks for is_ready, each in look.asked if is_ready(waits)]
        for kind, entities in self._by_pointer.items():
            for pointer in waits.get_ready_entities(kind):
                if pointer in entities:
                    found.append(entities[pointer])
        return found


def _is_rare(entity: Any) -> bool:
    """Whether it may wait for ``_RARE_S``: events of the middleware, and parameters' services."""
    if isinstance(entity, Service):
        return bool(entity.srv_type.__module__.startswith('rcl_interfaces.'))
    return isinstance(entity, EventHandler)


def _was_cancelled(entity: Any) -> bool:
    """Whether it is a timer that rcl calls ready though it was cancelled."""
    return isinstance(entity, Timer) and not entity.handle.is_timer_ready()
