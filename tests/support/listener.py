# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A probe that plays a body to the nodes that listen to one, with faults where it is told to."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from lifecycle_msgs.srv import ChangeState, GetState
from nav_msgs.msg import Odometry
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory, MultiDOFJointTrajectory
from visualization_msgs.msg import Marker

from mgpt3_ros.body.profiles import STANDING_HEIGHT_M, make_profile
from mgpt3_ros.nodes.listening_node import to_stamp
from tests.support.probe import Probe

NAMES = make_profile('human_full', 'human').names
HEARD = {
    'caption_marker': (Marker, 'caption_marker'),
    'predicted_trajectory': (JointTrajectory, 'predicted_trajectory'),
    'predicted_base_trajectory': (MultiDOFJointTrajectory, 'predicted_base_trajectory'),
}
LATCHED = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
FASTER = 4.0  # than the stamps say, since only those count


class Listener(Probe):
    """Plays joint states and odometry; hears captions and predictions."""

    def __init__(self, domain: int, namespace: str = '') -> None:
        super().__init__(domain, namespace)
        for name, (kind, topic) in HEARD.items():
            self.listen(name, kind, topic)
        self.node.create_subscription(String, 'caption', self.heard['caption'].append, LATCHED)
        self.clock_s = 1000.0

    def ready(self, name: str) -> None:
        """Wait until a node is active and hears the body."""
        self.until(lambda: self.state_of(name) == 'active', f'{name} to be active')
        ends = (self.joint_states, self.odometry)
        self.until(lambda: all(p.get_subscription_count() for p in ends), 'the subscriptions')

    def forget(self) -> None:
        self._forgotten_ns = time.time_ns()
        for messages in self.heard.values():
            messages.clear()
        self.times.clear()

    # ------------------------------------------------------------------ services

    def state_of(self, name: str) -> str:
        answer = self.ask(GetState, f'{name}/get_state', GetState.Request())
        return answer.current_state.label

    def change_of(self, name: str, transition: str) -> bool:
        request = ChangeState.Request()
        request.transition.label = transition
        return self.call(ChangeState, f'{name}/change_state', request).success

    def set_of(self, name: str, **values: object) -> tuple[bool, str]:
        parameters = [
            Parameter(key, value=value).to_parameter_msg() for key, value in values.items()
        ]
        request = SetParameters.Request(parameters=parameters)
        results = self.call(SetParameters, f'{name}/set_parameters', request).results
        return all(r.successful for r in results), ' '.join(r.reason for r in results).strip()

    def trigger(self, service: str) -> tuple[bool, str]:
        answer = self.call(Trigger, service, Trigger.Request())
        return answer.success, answer.message

    def enable_of(self, name: str, on: bool) -> str:
        return self.call(SetBool, f'{name}/enable', SetBool.Request(data=on)).message

    # ------------------------------------------------------------------ a body

    def send(
        self,
        positions: Sequence[float],
        pos: Sequence[float] = (0.0, 0.0, STANDING_HEIGHT_M),
        rot: Sequence[float] = (0.0, 0.0, 0.0, 1.0),
        names: Sequence[str] = NAMES,
        base: bool = True,
        stamped: bool = True,
    ) -> None:
        """Publish a joint state and odometry with the time that the body has."""
        stamp = to_stamp(round(self.clock_s * 1e9) if stamped else 0)
        if base:
            odometry = Odometry()
            odometry.header.stamp = stamp
            pose = odometry.pose.pose
            pose.position.x, pose.position.y, pose.position.z = map(float, pos)
            turn = pose.orientation
            turn.x, turn.y, turn.z, turn.w = map(float, rot)
            self.odometry.publish(odometry)
        state = JointState(name=list(names), position=list(map(float, positions)))
        state.header.stamp = stamp
        self.joint_states.publish(state)

    def play(
        self, seconds: float, pose: Callable[[float], Any] | None = None, **options: Any
    ) -> None:
        """Play a body at 50 Hz for ``seconds`` of its own time.

        pose: gives positions, or (positions, pos, rot), at a time since the begin; by default the
        body swings its joints.
        """
        for step in range(round(seconds * 50)):
            made = (pose or swing)(step / 50)
            made = made if isinstance(made, tuple) else (made,)
            self.clock_s += 0.02
            self.send(*made, **options)
            end = time.monotonic() + 0.02 / FASTER
            while (left := end - time.monotonic()) > 0:
                self.executor.spin_once(timeout_sec=left)
        self.spin_for(0.05)  # what is on its way arrives

    def values(self, name: str) -> dict[str, Any]:
        """The next diagnostics of a node."""
        return self.health(f'/{name}')


def swing(at: float) -> np.ndarray:
    """Joints (63,) of a body that swings them all a little."""
    return 0.2 * np.sin(4 * at + np.arange(len(NAMES)))
