# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a node does about its model, in this process: a host stands in for a full device."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')

import rclpy
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import String

from mgpt3_ros.nodes.generate_node import GenerateNode
from mgpt3_ros.nodes.model_host import DeviceMemoryError, ModelChoice, ModelFacts, ModelHost


class CrampedHost(ModelHost):
    """A model on a device whose memory is full."""

    def _load(self, choice: ModelChoice) -> ModelFacts:
        return ModelFacts('cramped', 'none', 'cuda:0', 'clip')

    def _work(self, call, job):
        raise DeviceMemoryError('out of memory on cuda:0')


@pytest.fixture
def node(domain: int) -> Iterator[GenerateNode]:
    rclpy.init(domain_id=domain)
    host = CrampedHost()
    made = GenerateNode(host)
    yield made
    host.worker.close(5.0)
    made.destroy_node()
    rclpy.shutdown()


def test_out_of_memory_twice_in_a_row_deactivates(node):
    executor = SingleThreadedExecutor()
    executor.add_node(node)

    def until(condition) -> None:
        for _ in range(1000):
            if condition():
                return
            executor.spin_once(timeout_sec=0.05)
        pytest.fail(f'still {node.state}: {node.last_error}')

    until(lambda: node.active)
    sender = node.create_publisher(String, 'command', 10)
    until(lambda: sender.get_subscription_count())
    sender.publish(String(data='walk'))
    until(lambda: 'out of memory' in node.last_error)
    assert node.state == 'active'
    sender.publish(String(data='walk'))
    until(lambda: node.state == 'inactive')


def test_nodes_of_one_process_share_one_model(tiny_checkpoint):
    host = ModelHost()
    first = host.load(ModelChoice(str(tiny_checkpoint), 'cpu', 'auto'))
    second = host.load(ModelChoice(str(tiny_checkpoint), 'cpu', 'auto'))
    other = host.load(ModelChoice(str(tiny_checkpoint), 'cpu', 'bfloat16'))
    model = host.run(lambda model, job: model, lambda: None)
    host.release()
    kept = host.run(lambda model, job: model, lambda: None)
    host.release()
    gone = host.run(lambda model, job: model, lambda: None)
    assert 'no model is loaded' in str(gone.exception(30.0))
    assert first.result() == second.result()
    assert 'one process has one model' in str(other.exception())
    assert kept.result() is model.result()
    assert host.worker.close(5.0)
