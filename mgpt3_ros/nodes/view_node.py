# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scene of `mgpt3 view`, fed by ROS: a body as it is heard of, in a browser; or a robot.

What is typed on the page is published on ``command``; its stop button calls the ``cancel`` of the
node that commands go to.
"""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable, Sequence

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory, MultiDOFJointTrajectory

from mgpt3_ros.body.body_trajectory import BasePath, BodyTrajectory, JointPath
from mgpt3_ros.body.observation import MotionBuffer, UnusableError
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.body.window import model_joints
from mgpt3_ros.model.errors import MotionError, MotionGPT3Error
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.nodes.diagnostics import Diagnostics, Health
from mgpt3_ros.nodes.hearing import hear_odometry
from mgpt3_ros.nodes.messages import base_path, joint_path, seconds
from mgpt3_ros.nodes.parameters import Parameters
from mgpt3_ros.nodes.process import run
from mgpt3_ros.robots import RobotProfile, robot_profile

PARAMETER_NAMES = ('host', 'port', 'joint_profile', 'body_id', 'commanded_node', 'reliability')

_RATE_HZ = 30.0
_WARN_EVERY_S = 5.0
_Stamp = tuple[int, int]


class ViewNode(Node):
    """Serves the page from its start on; it has no states, as what it shows may come at any time.

    Raises:
        ViewError: the port is in use.
        MissingExtraError: viser is not installed.
    """

    def __init__(self) -> None:
        # Here and not above: the other nodes do without the extra that it needs.
        from mgpt3_ros.view import server
        from mgpt3_ros.view.live import LiveScene

        super().__init__('view_node')
        self.parameters = Parameters(self, PARAMETER_NAMES)
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        names = (self.parameters['joint_profile'], self.parameters['body_id'])
        self._profile = make_profile(*names, robot_profile)
        self._buffer = MotionBuffer(self._profile)
        self._server = server.start_server(self.parameters['host'], self.parameters['port'])
        self._stop_server = server.stop_server
        self.address = server.address_of(self._server)
        self._todo: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._scene = LiveScene(
            self._server,
            say=lambda text: self._todo.put(lambda: self._say(text)),
            stop=lambda: self._todo.put(self._stop),
            robot=self._profile.robot if isinstance(self._profile, RobotProfile) else None,
        )
        self._joints: tuple[_Stamp, JointPath] | None = None
        self._base: tuple[_Stamp, BasePath] | None = None
        self._predicted_s = 0.0
        self._last_error = ''
        name = self.parameters['commanded_node']
        self._commands = self.create_publisher(String, 'command', 10)
        self._cancel = self.create_client(Trigger, f'{name}/cancel')
        reliability = ReliabilityPolicy[self.parameters['reliability'].upper()]
        qos = QoSProfile(depth=50, reliability=reliability)
        self.create_subscription(JointState, 'joint_states', self._on_joints, qos)
        self.create_subscription(Odometry, 'odom', self._on_odometry, qos)
        self.create_subscription(String, 'caption', self._on_caption, 10)
        self.create_subscription(DiagnosticStatus, f'{name}/status', self._on_status, 10)
        self.create_subscription(
            JointTrajectory, 'predicted_trajectory', self._on_predicted_joints, 10
        )
        self.create_subscription(
            MultiDOFJointTrajectory, 'predicted_base_trajectory', self._on_predicted_base, 10
        )
        self._diagnostics = Diagnostics(self, self._health)
        self.create_timer(1.0 / _RATE_HZ, self._tick, clock=self._steady)
        self.get_logger().info(f'the page: {self.address}')

    def close(self, timeout_s: float) -> bool:
        """Stop the server; return True, for nothing is left."""
        self._stop_server(self._server)
        return True

    # ------------------------------------------------------------------ what is heard

    def _on_joints(self, message: JointState) -> None:
        stamp = message.header.stamp
        try:
            self._buffer.hear_joints(
                message.name, message.position, self._stamp_ns(stamp), message.velocity
            )
        except UnusableError as error:
            self._refuse(f'joint state dropped: {error}')

    def _on_odometry(self, message: Odometry) -> None:
        try:
            hear_odometry(self._buffer, message, self._stamp_ns(message.header.stamp))
        except UnusableError as error:
            self._refuse(f'odometry dropped: {error}')

    def _on_caption(self, message: String) -> None:
        self._scene.show_caption(message.data)

    def _on_status(self, message: DiagnosticStatus) -> None:
        values = {pair.key: pair.value for pair in message.values}
        said = ': '.join(filter(None, (message.message, values.get('text'), values.get('reason'))))
        self._scene.show_status(said)

    def _on_predicted_joints(self, message: JointTrajectory) -> None:
        self._predicted(message, None)

    def _on_predicted_base(self, message: MultiDOFJointTrajectory) -> None:
        self._predicted(None, message)

    def _predicted(
        self, joints: JointTrajectory | None, base: MultiDOFJointTrajectory | None
    ) -> None:
        """Show a prediction when both of its messages are there."""
        try:
            if joints is not None:
                stamp = joints.header.stamp
                if tuple(joints.joint_names) != self._profile.names:
                    raise MotionError('its joints are not those of the body')
                self._joints = (stamp.sec, stamp.nanosec), joint_path(joints)
            if base is not None:
                stamp = base.header.stamp
                self._base = (stamp.sec, stamp.nanosec), base_path(base)
            if not self._joints or not self._base or self._joints[0] != self._base[0]:
                return
            trajectory = BodyTrajectory(self._profile.names, self._joints[1], self._base[1])
            self._joints = self._base = None
            at = np.arange(0.0, trajectory.end_s, 1.0 / FPS)
            joint, place = trajectory.sample(at)
            seen = model_joints(self._profile, joint.positions, place.pos, place.rot)
            self._scene.predict(joint.positions, place.pos, place.rot, Motion(seen, FPS))
            self._predicted_s = self._now_s()
        except MotionError as error:
            self._refuse(f'prediction dropped: {error}')

    def _stamp_ns(self, stamp: Time) -> int:
        """Return a stamp [ns]; zero counts as the time of arrival."""
        return round(seconds(stamp) * 1e9) or self._steady.now().nanoseconds

    def _refuse(self, what: str) -> None:
        self._last_error = what
        self.get_logger().warning(what, throttle_duration_sec=_WARN_EVERY_S)

    # ------------------------------------------------------------------ what is shown and said

    def _now_s(self) -> float:
        return self._steady.now().nanoseconds * 1e-9

    def _tick(self) -> None:
        while not self._todo.empty():
            self._todo.get()()
        if not self._scene.is_watched:
            return
        state = self._buffer.state()
        if state is not None:
            rows = (state.positions[None], state.base_pos[None], state.base_rot[None])
            human = model_joints(self._profile, *rows)[0]
            self._scene.show_body(state.positions, state.base_pos, state.base_rot, human)
        self._scene.show_prediction(self._now_s() - self._predicted_s)

    def _say(self, text: str) -> None:
        self._commands.publish(String(data=text))
        self._scene.show_status(f'sent: {text}')

    def _stop(self) -> None:
        if not self._cancel.service_is_ready():
            self._scene.show_status(f'{self._cancel.srv_name} is not there: nothing was stopped')
            return
        answer = self._cancel.call_async(Trigger.Request())
        answer.add_done_callback(lambda done: self._scene.show_status(done.result().message))

    def _health(self) -> Health:
        health = Health(message='showing', values={'address': self.address})
        health.values['pages'] = str(len(self._server.get_clients()))
        health.values['joint_states'] = str(self._buffer.accepted)
        health.values['last_error'] = self._last_error
        return health


def main(args: Sequence[str] | None = None) -> None:
    """Run the node until the process is told to end; exit code 2 where there can be no page."""
    try:
        run(ViewNode, args)
    except MotionGPT3Error as error:
        sys.stderr.write(f'error: {error}\n')
        sys.exit(2)


if __name__ == '__main__':
    main()
