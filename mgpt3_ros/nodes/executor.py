# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The executor of a process of nodes: rclpy's single-threaded one, that keeps its wait set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from rclpy._rclpy_pybind11 import WaitSet
from rclpy.exceptions import InvalidHandle
from rclpy.executors import ExternalShutdownException, ShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Task
from rclpy.timer import Timer

_Take = Callable[[Any], Any]
_Ready = tuple[Any, Node, _Take]  # an entity, its node, and what takes its message

_GUARD = 'guard_condition'
_KINDS = ('subscription', 'timer', 'client', 'service', _GUARD)  # as a wait set calls them


class NodeExecutor(SingleThreadedExecutor):
    """Runs callbacks in the thread that spins.

    rclpy gathers all subscriptions, timers, services, clients and events of all nodes into a new
    wait set before it waits, and wakes itself twice after each callback, which serves the other
    threads of a multi-threaded executor; for a node that hears a body at 100 Hz that took most of
    its CPU time. Here what is waited for is gathered when a node has got or lost something, which
    it tells by ``wake``. While a callback awaits something, rclpy's own way is taken.
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
    ) -> Iterator[tuple[Task, Any, Node]]:
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

    def _make_handler(self, entity: Any, node: Node, take_from_wait_list: _Take) -> Task:
        entity._executor_event = True  # it is not waited for until it was taken

        async def handle() -> None:
            group = entity.callback_group
            if self._is_shutdown or not group.beginning_execution(entity):
                entity._executor_event = False
                return
            with self._work_tracker:
                try:
                    call = take_from_wait_list(entity)
                    entity._executor_event = False
                    if call is not None:
                        await call()
                finally:  # whatever fails: else nothing of its group would run again
                    entity._executor_event = False
                    group.ending_execution(entity)

        task = Task(handle, executor=self)
        with self._tasks_lock:
            self._tasks.append((task, entity, node))
        return task


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
        counts[_GUARD] += len(self._own_guards)
        self._set = WaitSet(
            *(counts[kind] for kind in ('subscription', _GUARD, 'timer', 'client', 'service')),
            counts['event'],
            executor.context.handle,
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
        """Wait until something is ready; return all that is. Empty: the executor was woken."""
        waits = self._set
        waits.clear_entities()
        for kind, entities in self._by_pointer.items():
            add = getattr(waits, f'add_{kind}')
            for entity, _, _ in entities.values():
                add(entity.handle)
        for guard in self._own_guards:
            waits.add_guard_condition(guard)
        for waitable, _, _ in self._waitables:
            waitable.add_to_wait_set(waits)
        waits.wait(-1)
        found = [each for each in self._waitables if each[0].is_ready(waits)]
        for kind, entities in self._by_pointer.items():
            for pointer in waits.get_ready_entities(kind):
                if pointer in entities:
                    found.append(entities[pointer])
        return found


def _was_cancelled(entity: Any) -> bool:
    """Whether it is a timer that rcl calls ready though it was cancelled."""
    return isinstance(entity, Timer) and not entity.handle.is_timer_ready()
