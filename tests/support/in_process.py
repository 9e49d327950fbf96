# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node in the process of the test, whose model is a stand-in; nothing goes over DDS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor

from mgpt3_ros.nodes.model_host import ModelChoice, ModelFacts, ModelHost


class StandInHost(ModelHost):
    """Loads nothing; what comes of a call, a subclass says."""

    def _load(self, choice: ModelChoice) -> ModelFacts:
        return ModelFacts('stand-in', 'none', 'cuda:0', 'clip')


class NodeHere:
    """A node that has been activated, and the executor that it waits in."""

    def __init__(self, node: Any, host: ModelHost) -> None:
        self.node, self.host = node, host
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(node)

    def until(self, condition: Callable[[], object], what: str) -> None:
        for _ in range(1000):
            if condition():
                return
            self.executor.spin_once(timeout_sec=0.02)
        pytest.fail(f'no {what}: {self.node.state}, {self.node.last_error}')

    def close(self) -> None:
        self.host.worker.close(5.0)
        self.executor.shutdown()
        self.node.destroy_node()


@contextmanager
def nodes_here(domain: int, build: Callable[[type], NodeHere]) -> Iterator[Callable]:
    """A function that makes nodes of a kind by ``build``; all are closed with the context."""
    rclpy.init(domain_id=domain)
    made: list[NodeHere] = []

    def make(kind: type) -> NodeHere:
        made.append(build(kind))
        return made[-1]

    yield make
    for here in made:
        here.close()
    rclpy.shutdown()
