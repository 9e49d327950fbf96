# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What all nodes share that hear where a body is: joint states and odometry, by the same rules."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import fields

from builtin_interfaces.msg import Time
from nav_msgs.msg import Odometry
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState

from mgpt3_ros.body.observation import REACH_S, Limits, MotionBuffer, UnusableError
from mgpt3_ros.body.profiles import JointProfile, base_frame_of, make_profile
from mgpt3_ros.nodes.diagnostics import CallbackTimes
from mgpt3_ros.nodes.hearing import hear_odometry, why_deaf, wrong_frames
from mgpt3_ros.nodes.lifecycle import WARN_EVERY_S, MotionNode
from mgpt3_ros.nodes.model_host import ModelHost
from mgpt3_ros.nodes.parameters import Parameters
from mgpt3_ros.nodes.playing import BodyClock
from mgpt3_ros.robots import RobotProfile, fitting_robot, robot_profile

_DEPTH = 50
_FLIP_FLOPS = 3
_NAME_SETS = 100  # of too few names that are remembered, so as to warn of each once
_DEAF_S = 3.0  # without a usable joint state, before diagnostics speak of it
_BAD_IN_A_ROW = 10  # joint states that are unusable, until diagnostics speak of an error
_APART = (
    f'odometry is heard but not used: its stamps lie more than {REACH_S:g} s from those of the '
    'joint states, or from each other'
)


def base_frame(profile: JointProfile, parameters: Parameters) -> str:
    """Return the name of a body's base frame, from the parameters of a node that has it."""
    names = [parameters[name] for name in ('base_frame', 'joint_profile', 'body_id')]
    if isinstance(profile, RobotProfile) and names[0] in ('', 'base_link'):
        return profile.base_frame
    return base_frame_of(*names)


class BodyNode(MotionNode):
    """A node with a model that hears one body.

    Attributes:
        profile: of the body's joints.
        robot: the body, where it is one.
        buffer: what was heard.
        clock: by which the body moves.
    """

    def __init__(
        self,
        name: str,
        parameters: Iterable[str],
        host: ModelHost | None,
        namespace: str = '',
    ) -> None:
        super().__init__(name, parameters, host, namespace)
        names = self.parameters['joint_profile'], self.parameters['body_id']
        self.profile = make_profile(*names, robot_profile)
        self.robot = self.profile.robot if isinstance(self.profile, RobotProfile) else None
        self.buffer = MotionBuffer(self.profile, self._limits())
        self.clock = BodyClock(self, self.steady_clock)
        self._joint_times = CallbackTimes()
        self._heard_s = self._active_since_s = -1e9
        self._input_error = False
        self._last_fault = self._frames_fault = ''
        self._warned_of: set[int] = set()
        self.add_post_set_parameters_callback(self._on_parameters)
        reliability = 'best_effort'
        if self.has_parameter('reliability'):
            reliability = self.parameters['reliability']
        qos = QoSProfile(depth=_DEPTH, reliability=ReliabilityPolicy[reliability.upper()])
        self._qos = qos
        ears = self.host.ears
        ears.listen(self, JointState, 'joint_states', qos, self._on_joints)
        ears.listen(self, Odometry, 'odom', qos, self._on_odometry)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to take input. SUCCESS always."""
        self._active_since_s = self.steady_now_s()
        return super().on_activate(state)

    @property
    def listens(self) -> bool:
        """Whether what is heard is taken note of."""
        return True

    @property
    def needs_body(self) -> bool:
        """Whether the node is of no use while it hears no body."""
        return True

    @property
    def sees_body(self) -> bool:
        """Whether a usable joint state was heard within ``max_gap_s``."""
        return self.steady_now_s() - self._heard_s <= self.parameters['max_gap_s']

    def base_frame(self) -> str:
        """Return the name of the pelvis frame, or of a robot's base link."""
        return base_frame(self.profile, self.parameters)

    def steady_now_s(self) -> float:
        """Return the time by a clock that nobody sets [s]."""
        return time.monotonic()  # for each message; rclpy's clock takes ten times as long

    def _on_joints(self, message: JointState) -> None:
        if self.listens:
            with self._joint_times.measured():
                self._hear_joints(message)

    def _hear_joints(self, message: JointState) -> None:
        try:
            stamp_ns = self._stamp_ns(message.header.stamp)
            self.buffer.hear_joints(message.name, message.position, stamp_ns, message.velocity)
        except UnusableError as error:
            self._joints_dropped(error, message)
            return
        self._heard_s = self.steady_now_s()
        self._last_fault = ''
        if self._input_error:
            self._input_error, self.last_error = False, ''
        self.look_for_clock()
        self.heard()
        if self.buffer.names.flip_flops >= _FLIP_FLOPS:
            self.get_logger().warning(
                'the names of the joint states go back and forth: more than one publisher on '
                'joint_states is not supported',
                once=True,
            )

    def heard(self) -> None:
        """Take note of a joint state that was usable and is in ``buffer`` now."""

    def _joints_dropped(self, error: UnusableError, message: JointState) -> None:
        self._last_fault = str(error)
        if error.kind == 'coverage':
            shown = ', '.join(message.name[:3]) + (', ...' if len(message.name) > 3 else '')
            self._last_fault = f'joint states of {shown or "no joint"}: {error}'
            names, count = hash(frozenset(message.name)), len(message.name)  # names may be long
            if names in self._warned_of or len(self._warned_of) >= _NAME_SETS:
                return
            self._warned_of.add(names)
            robot = fitting_robot(message.name)
            if robot is not None and self.needs_body:
                self._last_fault += f'; these are joints of {robot}: joint_profile:={robot}'
            log = self.get_logger().warning if self.needs_body else self.get_logger().info
            log(f'joint states with {count} names ignored: {self._last_fault}')
            return
        if not self.needs_body:
            self.get_logger().debug(f'joint state dropped: {error}')
            return
        what = f'joint state dropped: {error}'
        self.get_logger().warning(what, throttle_duration_sec=WARN_EVERY_S)
        if self.buffer.bad_in_a_row == _BAD_IN_A_ROW:
            self._input_error = True
            self.report_error(f'{_BAD_IN_A_ROW} joint states in a row were unusable: {what}')

    def _on_odometry(self, message: Odometry) -> None:
        if not self.listens:
            return
        base = self.base_frame() if self.has_parameter('base_frame') else ''  # not of captions
        usable, said = wrong_frames(message, self.parameters['world_frame'], base)
        if said != self._frames_fault:
            self._frames_fault = said
            if said:
                self.get_logger().warning(said)
        if not usable:
            self.buffer.dropped['frames'] += 1
            return
        try:
            hear_odometry(self.buffer, message, self._stamp_ns(message.header.stamp))
        except UnusableError as error:
            self.get_logger().warning(
                f'odometry dropped: {error}', throttle_duration_sec=WARN_EVERY_S
            )

    def _stamp_ns(self, stamp: Time) -> int:
        """Return a stamp [ns]; zero counts as the time of arrival."""
        nanoseconds = int(stamp.sec) * 10**9 + int(stamp.nanosec)
        return nanoseconds or round(self.clock.now_s() * 1e9)

    def _on_parameters(self, changed: list[Parameter]) -> None:
        self.buffer.limits = self._limits()

    def _limits(self) -> Limits:
        names = [field.name for field in fields(Limits) if self.has_parameter(field.name)]
        return Limits(**{name: self.parameters[name] for name in names})

    def report_success(self) -> None:
        """Forget the last error, unless it is that nothing usable is heard."""
        error = self.last_error
        super().report_success()
        if self._input_error:
            self.last_error = error

    def warning(self) -> str:
        """Return what is wrong with what is heard, while the node works; '' if nothing is."""
        silent_s = self.steady_now_s() - max(self._heard_s, self._active_since_s)
        if self.needs_body and silent_s > max(_DEAF_S, self.parameters['max_gap_s']):
            return why_deaf(self, 'joint_states', self._qos, self._last_fault)
        if self._frames_fault and 'wrong way' in self._frames_fault:
            return self._frames_fault
        buffer = self.buffer
        apart = buffer.heard_odometry and buffer.stamp_ns and not buffer.uses_odometry
        return _APART if apart and self.sees_body else ''

    def health_values(self) -> dict[str, str]:
        """Return what is heard of the body, for /diagnostics."""
        buffer = self.buffer
        return {
            'joint_states': str(buffer.accepted),
            'without_velocity': str(buffer.without_velocity),
            'joint_coverage': f'{buffer.names.coverage:.2f}',
            'joint_states_p95_ms': f'{self._joint_times.p95_ms():.2f}',
        }
