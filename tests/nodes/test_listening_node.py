# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a listening node does about its model, in this process: stand-ins for models that fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')

from rclpy.parameter import Parameter
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from mgpt3_ros.model.errors import GenerationError
from mgpt3_ros.nodes.caption_node import CaptionNode
from mgpt3_ros.nodes.listening_node import to_stamp
from mgpt3_ros.nodes.model_host import DeviceMemoryError
from mgpt3_ros.nodes.predict_node import PredictNode
from tests.support.in_process import NodeHere, StandInHost, nodes_here


class StandIn(StandInHost):
    """A model that answers by ``answer``, which may raise."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: Callable[[], str] = lambda: 'a person stands.'
        self.calls = 0

    def _run(self, call, job):
        self.calls += 1
        return call(self, job)

    def caption(self, motion, should_stop, on_progress) -> str:
        return self.answer()

    def predict_many(self, observed, horizon_s, num_hypotheses, **options):
        motion = observed.crop(-10).with_info(seam_error_m=0.0)
        object.__setattr__(motion, 'joints', np.full_like(motion.joints, float(self.answer())))
        return [motion] * num_hypotheses


class Body(NodeHere):
    """A node, a body that stands before it, and what came of it."""

    def __init__(self, kind: type) -> None:
        host = StandIn()
        node = kind(host)
        super().__init__(node, host)
        self.client = node.create_client(Trigger, 'caption_node/caption_now')
        self.time_s = 100.0
        if isinstance(node, CaptionNode):
            node.set_parameters([Parameter('caption_period_s', value=0.05)])
        self.until(lambda: node.active, 'activation')

    def stand(self, seconds: float = 1.5) -> None:
        """Let the node see a body that stands, without the way over DDS."""
        for _ in range(round(seconds * 20)):
            self.time_s += 0.05
            state = JointState(name=list(self.node.profile.names), position=[0.0] * 63)
            state.header.stamp = to_stamp(round(self.time_s * 1e9))
            self.node._on_joints(state)


@pytest.fixture
def make(domain: int) -> Iterator[Callable[[type], Body]]:
    with nodes_here(domain, Body) as make:
        yield make


def fail(error: Exception) -> Callable[[], str]:
    def answer() -> str:
        raise error

    return answer


def test_a_failure_is_told_and_forgotten_after_a_success(make):
    body = make(CaptionNode)
    body.host.answer = fail(GenerationError('the model gave NaN'))
    body.stand()
    body.until(lambda: 'NaN' in body.node.last_error, 'error')
    assert body.node.answers == 0
    assert body.node.active
    body.host.answer = lambda: 'a person stands.'
    body.stand()
    body.until(lambda: body.node.answers == 1, 'answer')
    assert body.node.last_error == ''


def test_out_of_memory_twice_in_a_row_deactivates(make):
    body = make(CaptionNode)
    body.host.answer = fail(DeviceMemoryError('out of memory on cuda:0'))
    body.stand()
    body.until(lambda: 'out of memory' in body.node.last_error, 'error')
    assert body.node.active
    body.stand()
    body.until(lambda: body.node.state == 'inactive', 'deactivation')


def test_a_prediction_that_is_not_finite_is_not_published(make):
    body = make(PredictNode)
    heard: list[JointTrajectory] = []
    body.node.create_subscription(JointTrajectory, 'predicted_trajectory', heard.append, 10)
    body.until(lambda: body.node.count_publishers('predicted_trajectory'), 'publisher')
    body.host.answer = lambda: 'nan'
    body.stand()
    body.until(lambda: body.node.last_error, 'error')
    assert body.node.answers == 0
    assert not heard


def test_requests_during_a_caption_share_the_next_one(make):
    body = make(CaptionNode)
    body.until(body.client.service_is_ready, 'service')
    gate = threading.Event()

    def slow() -> str:
        gate.wait(10.0)
        return f'caption {body.host.calls}'

    body.host.answer = slow
    body.stand()
    body.until(lambda: body.host.calls == 1, 'first caption')
    asked = [body.client.call_async(Trigger.Request()) for _ in range(3)]
    body.until(lambda: len(body.node._asked) == 3, 'requests')  # and the node goes on meanwhile
    gate.set()
    body.until(lambda: all(future.done() for future in asked), 'answers')
    assert {future.result().message for future in asked} == {'caption 2'}


def test_who_waits_is_told_when_the_node_stops(make):
    body = make(CaptionNode)
    body.until(body.client.service_is_ready, 'service')
    gate = threading.Event()
    body.host.answer = lambda: str(gate.wait(10.0))
    body.stand()
    asked = body.client.call_async(Trigger.Request())
    body.until(lambda: body.node._asked or body.node._promised, 'request')
    body.node.trigger_deactivate()
    body.until(asked.done, 'answer')
    gate.set()
    assert (asked.result().success, asked.result().message) == (False, 'the node was deactivated')
