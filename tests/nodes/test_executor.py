# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the executor keeps between waits, and what several nodes hear by one subscription."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

import rclpy
from rcl_interfaces.srv import GetParameters
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.task import Future
from std_msgs.msg import String
from std_srvs.srv import Trigger

from mgpt3_ros.nodes import executor as executors
from mgpt3_ros.nodes.ears import Ears
from mgpt3_ros.nodes.executor import NodeExecutor

MOST = 2000  # callbacks that a condition may take


class Served:
    """A node, and the executor that serves it."""

    def __init__(self) -> None:
        self.node = Node('served')
        self.executor = NodeExecutor()
        self.executor.add_node(self.node)
        self.node.create_timer(0.002, lambda: None)  # so that it always comes back

    def until(self, condition: Callable[[], object]) -> None:
        for _ in range(MOST):
            if condition():
                return
            self.executor.spin_once()
        pytest.fail('it did not come true')


@pytest.fixture
def served(domain: int) -> Iterator[Served]:
    rclpy.init(domain_id=domain)
    made = Served()
    yield made
    made.executor.shutdown()
    made.node.destroy_node()
    rclpy.try_shutdown()


def test_many_callbacks_are_served_by_one_wait_set(served, monkeypatch):
    made: list[Any] = []

    class Counted(executors.WaitSet):
        def __init__(self, *arguments: Any) -> None:
            made.append(arguments)
            super().__init__(*arguments)

    monkeypatch.setattr(executors, 'WaitSet', Counted)
    heard: list[str] = []
    served.node.create_subscription(String, 'word', lambda m: heard.append(m.data), 100)
    publisher = served.node.create_publisher(String, 'word', 100)
    served.until(publisher.get_subscription_count)
    made.clear()
    for number in range(50):
        publisher.publish(String(data=str(number)))
        served.until(lambda number=number: len(heard) > number)
    assert heard == [str(number) for number in range(50)]
    assert len(made) <= 1


def test_what_is_rare_is_served_while_messages_pour_in(served):
    heard: list[str] = []
    served.node.create_subscription(String, 'word', lambda m: heard.append(m.data), 100)
    publisher = served.node.create_publisher(String, 'word', 100)
    parameters = served.node.create_client(GetParameters, 'served/get_parameters')
    served.until(publisher.get_subscription_count)
    served.until(parameters.service_is_ready)

    def poured(done: Callable[[], object]) -> bool:
        publisher.publish(String(data='again'))
        return bool(done())

    for _ in range(2):
        asked = parameters.call_async(GetParameters.Request(names=['use_sim_time']))
        served.until(lambda asked=asked: poured(asked.done))
        assert [value.bool_value for value in asked.result().values] == [False]
    misfits: list[object] = []
    served.node.create_subscription(
        *(String, 'word', lambda _: None),
        QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL),
        event_callbacks=SubscriptionEventCallbacks(incompatible_qos=misfits.append),
    )
    served.until(lambda: poured(lambda: misfits))
    assert heard


def test_what_comes_later_is_served_and_what_goes_is_not(served):
    heard: list[str] = []
    publisher = served.node.create_publisher(String, 'word', 100)
    served.until(lambda: True)
    served.executor.spin_once()
    first = served.node.create_subscription(String, 'word', lambda m: heard.append('first'), 100)
    served.until(publisher.get_subscription_count)
    publisher.publish(String(data='a'))
    served.until(lambda: heard == ['first'])
    served.node.create_subscription(String, 'word', lambda m: heard.append('second'), 100)
    served.until(lambda: publisher.get_subscription_count() == 2)
    served.node.destroy_subscription(first)
    served.until(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(String(data='b'))
    served.until(lambda: 'second' in heard)
    assert heard == ['first', 'second']


def test_timers_stop_and_begin_again(served):
    calls: list[int] = []
    timer = served.node.create_timer(0.001, lambda: calls.append(1))
    served.until(lambda: len(calls) >= 3)
    timer.cancel()
    served.executor.spin_once()
    before, others = len(calls), []
    served.node.create_timer(0.001, lambda: others.append(1))
    served.until(lambda: len(others) >= 10)
    assert len(calls) == before
    timer.reset()
    served.until(lambda: len(calls) > before)


def test_others_are_served_while_a_callback_awaits(served):
    answer, ticks = Future(), []

    async def slow(request: Any, response: Any) -> Any:
        response.message = await answer
        response.success = True
        return response

    served.node.create_service(Trigger, 'slow', slow, callback_group=ReentrantCallbackGroup())
    client = served.node.create_client(Trigger, 'slow')
    served.until(client.service_is_ready)
    told = client.call_async(Trigger.Request())
    served.node.create_timer(0.001, lambda: ticks.append(1))
    served.until(lambda: len(ticks) >= 20)
    assert not told.done()
    answer.set_result('now')
    served.until(told.done)
    assert told.result().message == 'now'


def test_a_fault_comes_out_and_the_next_one_is_served(served):
    heard: list[str] = []

    def faulty() -> None:
        heard.append('fault')
        raise ValueError('a fault')

    timer = served.node.create_timer(0.001, faulty)
    with pytest.raises(ValueError, match='a fault'):
        served.until(lambda: False)
    timer.cancel()
    served.node.create_timer(0.001, lambda: heard.append('next'))
    served.until(lambda: 'next' in heard)


def test_a_guard_condition_of_another_thread_is_heard(served):
    seen = threading.Event()
    guard = served.node.create_guard_condition(seen.set)
    threading.Thread(target=guard.trigger).start()
    served.until(seen.is_set)


def test_nodes_of_a_body_hear_by_one_subscription(served):
    ears, qos = Ears(), QoSProfile(depth=10)
    other = Node('other')
    elsewhere = Node('elsewhere', namespace='bert')
    served.executor.add_node(other)
    heard: list[str] = []

    def faulty(message: Any) -> None:
        heard.append('one')
        raise ValueError('a fault of one')

    ears.listen(served.node, String, 'word', qos, faulty)
    ears.listen(other, String, 'word', qos, lambda m: heard.append('other'))
    ears.listen(elsewhere, String, 'word', qos, lambda m: heard.append('elsewhere'))
    ears.listen(elsewhere, String, '/word', qos, lambda m: heard.append('elsewhere'))
    publisher = served.node.create_publisher(String, 'word', qos)
    served.until(lambda: publisher.get_subscription_count() == 2)  # of the two namespaces
    publisher.publish(String(data='a'))
    with pytest.raises(ValueError, match='a fault of one'):
        served.until(lambda: False)
    assert heard == ['one', 'other']
    for node in (other, elsewhere):
        node.destroy_node()


def test_a_timer_that_another_callback_has_just_cancelled_does_not_run(served):
    ran: list[str] = []

    def first() -> None:
        ran.append('first')
        second.cancel()

    served.node.create_timer(0.001, first)
    second = served.node.create_timer(0.001, lambda: ran.append('second'))
    time.sleep(0.01)  # both are due
    served.until(lambda: ran.count('first') == 3)
    assert 'second' not in ran


def test_a_callback_that_fails_stops_no_other(served, monkeypatch):
    """Nor does a message that cannot be taken."""
    ran: list[str] = []
    take = served.executor._take_timer

    def taken(timer: Any) -> Any:
        if timer is broken:
            timer.cancel()
            raise RuntimeError('it cannot be taken')
        return take(timer)

    monkeypatch.setattr(served.executor, '_take_timer', taken)
    broken = served.node.create_timer(0.001, lambda: None)
    served.node.create_timer(0.001, lambda: ran.append('other'))
    with pytest.raises(RuntimeError, match='cannot be taken'):
        served.until(lambda: False)
    served.until(lambda: len(ran) > 3)
