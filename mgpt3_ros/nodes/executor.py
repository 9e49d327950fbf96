# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The executor of a process of nodes: rclpy's single-threaded one, with half the wait sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Task


class NodeExecutor(SingleThreadedExecutor):
    """Runs callbacks in the thread that spins, and does not wake itself after each of them.

    rclpy triggers its executor's guard condition when it has taken a message and when its callback
    has ended, for the other threads of a multi-threaded executor. A single thread looks anyway
    before it waits again, and finds the guard condition alone: one more wait set, of all services,
    timers and events of all nodes, for nothing. That was half of what a message cost.
    """

    def _make_handler(
        self, entity: Any, node: Node, take_from_wait_list: Callable[[Any], Any]
    ) -> Task:
        entity._executor_event = True  # it is not waited for until it was taken

        async def handle() -> None:
            group = entity.callback_group
            if self._is_shutdown or not group.beginning_execution(entity):
                entity._executor_event = False
                return
            with self._work_tracker:
                call = take_from_wait_list(entity)
                entity._executor_event = False
                try:
                    if call is not None:
                        await call()
                finally:
                    group.ending_execution(entity)

        task = Task(handle, executor=self)
        with self._tasks_lock:
            self._tasks.append((task, entity, node))
        return task
