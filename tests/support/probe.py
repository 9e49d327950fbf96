# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The other end of all topics and services of a node: it waits for events and never sleeps."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.srv import ChangeState, GetState
from nav_msgs.msg import Odometry
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory, MultiDOFJointTrajectory
from visualization_msgs.msg import MarkerArray

TIMEOUT_S = 40.0
HEARD = {
    'status': (DiagnosticStatus, 'generate_node/status'),
    'joint_trajectory': (JointTrajectory, 'joint_trajectory'),
    'base_trajectory': (MultiDOFJointTrajectory, 'base_trajectory'),
    'markers': (MarkerArray, 'markers'),
    'diagnostics': (DiagnosticArray, '/diagnostics'),
}


class Probe:
    """Hears all that generate_node publishes, in order, and speaks to it."""

    CHANGED = (
        *('queue_policy', 'max_joint_velocity', 'seed', 'num_inference_steps'),
        *('split_actions', 'max_command_age_s'),
    )

    def __init__(self, domain: int, namespace: str = '') -> None:
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node('probe', context=self.context, namespace=namespace)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self._forgotten_ns = 0
        self.heard: dict[str, list[Any]] = defaultdict(list)
        self.times: dict[str, list[float]] = defaultdict(list)
        for name, (kind, topic) in HEARD.items():
            self.listen(name, kind, topic)
        self.commands = self.node.create_publisher(String, 'command', QoSProfile(depth=1000))
        best_effort = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.joint_states = self.node.create_publisher(JointState, 'joint_states', best_effort)
        self.odometry = self.node.create_publisher(Odometry, 'odom', best_effort)
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Probe:
        return self

    def __exit__(self, *_: object) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)

    def listen(self, name: str, kind: type, topic: str) -> None:
        """Keep what comes on a topic under ``name``, and when it was sent [s, monotonic clock].

        Not when it was heard: that says how busy the machine is.
        """

        def keep(message: Any, info: dict[str, int]) -> None:
            if info['source_timestamp'] < self._forgotten_ns:
                return  # it was sent before, and came late
            self.heard[name].append(message)
            ahead_s = time.time() - time.monotonic()
            self.times[name].append(1e-9 * info['source_timestamp'] - ahead_s)

        self.node.create_subscription(kind, topic, keep, QoSProfile(depth=3000))

    # ------------------------------------------------------------------ waiting

    def until(self, condition: Callable[[], Any], what: str, timeout_s: float = TIMEOUT_S) -> Any:
        """Spin until ``condition`` holds; return its value."""
        end = time.monotonic() + timeout_s
        while not (value := condition()):
            assert time.monotonic() < end, f'waited {timeout_s} s for {what}'
            self.executor.spin_once(timeout_sec=0.05)
        return value

    def spin_for(self, seconds: float) -> None:
        """Listen for a while, where the point is that nothing must come."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.executor.spin_once(timeout_sec=left)

    def matched(self) -> None:
        """Wait until the node and the probe know of all of each other's ends."""
        node = self.node

        def all_known() -> bool:
            heard = all(node.count_publishers(topic) for name, (_, topic) in HEARD.items())
            return heard and self.commands.get_subscription_count() > 0

        self.until(all_known, 'the node to be discovered')

    def active(self) -> None:
        """Wait until the node takes commands."""
        self.matched()
        self.until(lambda: self.state() == 'active', 'the active state')

    # ------------------------------------------------------------------ commands

    def say(self, text: str) -> None:
        self.commands.publish(String(data=text))

    def messages(self, word: str = '') -> list[dict[str, str]]:
        """Return the statuses heard (of one word, if given) as dictionaries."""
        return [
            {'message': status.message, **{pair.key: pair.value for pair in status.values}}
            for status in self.heard['status']
            if word in ('', status.message)
        ]

    def status(self, word: str, count: int = 1) -> dict[str, str]:
        """Wait for the ``count``-th status of a word; return its values."""
        self.until(lambda: len(self.messages(word)) >= count, f'status {word} number {count}')
        return self.messages(word)[count - 1]

    def trajectory(self, count: int = 1) -> JointTrajectory:
        """Wait for the ``count``-th trajectory and its base."""
        self.until(
            lambda: (
                min(len(self.heard['joint_trajectory']), len(self.heard['base_trajectory']))
                >= count
            ),
            f'trajectory number {count}',
        )
        return self.heard['joint_trajectory'][count - 1]

    def base(self, count: int = 1) -> MultiDOFJointTrajectory:
        self.trajectory(count)
        return self.heard['base_trajectory'][count - 1]

    def health(self, name: str = '/generate_node') -> dict[str, str]:
        """Wait for the next diagnostics of a node; return message, level and values."""
        before = len(self.heard['diagnostics'])

        def newest() -> dict[str, str] | None:
            for array in self.heard['diagnostics'][before:]:
                for status in array.status:
                    if status.name == name:
                        values = {pair.key: pair.value for pair in status.values}
                        return {'message': status.message, 'level': status.level, **values}
            return None

        return self.until(newest, f'diagnostics of {name}')

    def under_way(self, text: str, for_s: float = 1.0) -> float:
        """Say it and wait until the first motion has gone on for so long; return its beginning."""
        self.say(text)
        self.trajectory(1)
        begun = self.times['joint_trajectory'][0]
        self.until(lambda: time.monotonic() - begun > for_s, 'the motion to be on its way')
        return begun

    # ------------------------------------------------------------------ services

    def call(self, kind: type, service: str, request: Any, timeout_s: float = TIMEOUT_S) -> Any:
        client = self._clients.get(service)
        if client is None:
            client = self._clients[service] = self.node.create_client(kind, service)
        self.until(client.service_is_ready, f'service {service}', timeout_s)
        future = client.call_async(request)
        self.until(future.done, f'an answer of {service}', timeout_s)
        return future.result()

    def ask(self, kind: type, service: str, request: Any, again_s: float = 5.0) -> Any:
        """Call a service that changes nothing, and again where no answer comes.

        Two ends that have just found each other may lose one.
        """
        if service not in self._clients:
            self._clients[service] = self.node.create_client(kind, service)
        client = self._clients[service]
        asked: list[Any] = []
        last_s = 0.0

        def answered() -> Any:
            nonlocal last_s
            if client.service_is_ready() and time.monotonic() - last_s > again_s:
                last_s = time.monotonic()
                asked.append(client.call_async(request))
            return next((future for future in asked if future.done()), None)

        return self.until(answered, f'an answer of {service}').result()

    def state(self) -> str:
        answer = self.ask(GetState, 'generate_node/get_state', GetState.Request())
        return answer.current_state.label

    def change(self, transition: str) -> bool:
        request = ChangeState.Request()
        request.transition.label = transition
        return self.call(ChangeState, 'generate_node/change_state', request).success

    def cancel(self) -> str:
        answer = self.call(Trigger, 'generate_node/cancel', Trigger.Request())
        assert answer.success
        return answer.message

    def settle(self) -> None:
        """Cancel everything and hear the last of it, so that nothing comes after."""
        holds = len(self.heard['joint_trajectory']) + 1
        cancelled = len(self.messages('cancelled'))
        said = self.cancel()
        if 'playing' in said:
            self.trajectory(holds)
        count = said.count('(')
        self.until(
            lambda: len(self.messages('cancelled')) == cancelled + count, 'what was cancelled'
        )

    def forget(self) -> None:
        """Forget all that was heard, and what is still on its way."""
        self._forgotten_ns = time.time_ns()
        self.heard.clear()
        self.times.clear()

    def enable(self, on: bool) -> str:
        answer = self.call(SetBool, 'generate_node/enable', SetBool.Request(data=on))
        return answer.message

    def set(self, **values: object) -> tuple[bool, str]:
        parameters = [Parameter(name, value=value) for name, value in values.items()]
        request = SetParameters.Request(parameters=[p.to_parameter_msg() for p in parameters])
        results = self.call(SetParameters, 'generate_node/set_parameters', request).results
        return all(r.successful for r in results), ' '.join(r.reason for r in results).strip()

    def describe(self, node: str) -> dict[str, Any]:
        names = self.call(
            ListParameters, f'{node}/list_parameters', ListParameters.Request()
        ).result.names
        answer = self.call(
            DescribeParameters,
            f'{node}/describe_parameters',
            DescribeParameters.Request(names=names),
        )
        return dict(zip(names, answer.descriptors, strict=True))

    def get(self, name: str) -> Any:
        return self.get_of('generate_node', name)

    def get_of(self, node: str, name: str) -> Any:
        request = GetParameters.Request(names=[name])
        value = self.call(GetParameters, f'{node}/get_parameters', request).values[0]
        return rclpy.parameter.parameter_value_to_python(value)
