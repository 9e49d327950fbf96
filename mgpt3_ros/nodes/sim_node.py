# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot in MuJoCo behind its topics: controllers' trajectories in, joint states out (extra sim).

Joints are as strong as the URDF says; the base is guided along base_trajectory, since nothing here
balances.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import WrenchStamped
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.time import Time as RosTime
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory, MultiDOFJointTrajectory

from mgpt3_ros.body.player import BasePlayer, JointPlayer
from mgpt3_ros.model.errors import MotionError, RobotError
from mgpt3_ros.nodes.body_node import base_frame
from mgpt3_ros.nodes.diagnostics import Diagnostics, Health
from mgpt3_ros.nodes.messages import base_path, joint_path, seconds
from mgpt3_ros.nodes.odometry import BasePublisher, joint_state, odometry
from mgpt3_ros.nodes.parameters import Parameters
from mgpt3_ros.nodes.playing import BodyClock
from mgpt3_ros.nodes.process import run
from mgpt3_ros.robots import robot_profile

if TYPE_CHECKING:
    from mgpt3_ros.robots.simulation import Target

PARAMETER_NAMES = (
    *('rate', 'joint_profile', 'body_id', 'world_frame', 'base_frame', 'publish_tf', 'push_s'),
)

_LONGEST_S = 0.1  # that is simulated at once
_LATEST_S = 1.0  # that a busy machine may be behind, and catch up; what is more is left out
_FAR = 0.2  # [rad] off its trajectory, a joint does not follow
_OFTEN = 0.2  # of the time at its limit, a motor is too weak


class SimNode(Node):
    """A simulated robot; before the first trajectory it stands at the origin."""

    def __init__(self) -> None:
        """Build the simulation.

        Raises:
            RobotError: ``joint_profile`` is no robot that MuJoCo can simulate.
            MissingExtraError: MuJoCo is not installed.
        """
        super().__init__('sim_node')
        self.parameters = Parameters(self, PARAMETER_NAMES)
        self._profile = robot_profile(self.parameters['joint_profile'])
        from mgpt3_ros.robots.simulation import Simulation

        self._sim = Simulation(self._profile.robot)
        if not self._sim.has_shapes:
            self.get_logger().warning('no link touches another: MuJoCo cannot read their shapes')
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._body_clock = BodyClock(self, steady)
        self._last_s = self._body_clock.now_s()
        self._forget()
        self._players: dict[str, tuple[np.ndarray, JointPlayer]] = {}
        for controller, joints in self._profile.robot.controllers.items():
            columns = np.array([self._profile.names.index(name) for name in joints])
            player = JointPlayer(tuple(joints), self._profile.standing[columns])
            self._players[controller] = columns, player
            self.create_subscription(
                JointTrajectory,
                f'{controller}/joint_trajectory',
                partial(self._on_joints, controller),
                10,
            )
        self._base = BasePlayer(self._profile.standing_base)
        self._refused = 0
        self._last_error = ''
        self._states = self.create_publisher(JointState, 'joint_states', 10)
        self._bases = BasePublisher(self, self.parameters['publish_tf'])
        self.create_subscription(MultiDOFJointTrajectory, 'base_trajectory', self._on_base, 10)
        self.create_subscription(WrenchStamped, '~/push', self._on_push, 10)
        self.create_subscription(String, '~/stick', self._on_stick, 10)
        self._diagnostics = Diagnostics(self, self._health)
        self.create_timer(1.0 / self.parameters['rate'], self._tick, clock=steady)

    # ------------------------------------------------------------------ input

    def _on_joints(self, controller: str, message: JointTrajectory) -> None:
        player = self._players[controller][1]
        try:
            if set(message.joint_names) != set(player.names):
                raise MotionError(f'the joints are not those of {controller}')
            column = [message.joint_names.index(name) for name in player.names]
            path = joint_path(message)
            path = type(path)(
                path.times,
                path.positions[:, column],
                None if path.velocities is None else path.velocities[:, column],
            )
            player.follow(player.names, path, self._start_s(message.header.stamp), self._last_s)
            self._last_error = ''
        except MotionError as error:
            self._refuse(error)

    def _on_base(self, message: MultiDOFJointTrajectory) -> None:
        try:
            start_s = self._start_s(message.header.stamp)
            self._base.follow(base_path(message), start_s, self._last_s)
        except MotionError as error:
            self._refuse(error)

    def _on_push(self, message: WrenchStamped) -> None:
        """Push the link ``header.frame_id`` with a force in the world [N]."""
        force = message.wrench.force
        vector = np.array([force.x, force.y, force.z])
        try:
            if not np.isfinite(vector).all():
                raise RobotError('a push needs a force of finite numbers')
            self._sim.push(message.header.frame_id, vector, self.parameters['push_s'])
        except RobotError as error:
            self._refuse(error)

    def _on_stick(self, message: String) -> None:
        """Have a joint stick; an empty name lets all go."""
        try:
            if message.data:
                self._sim.stick(message.data)
                return
            for name in self._profile.names:
                self._sim.stick(name, stuck=False)
        except RobotError as error:
            self._refuse(error)

    def _refuse(self, error: Exception) -> None:
        self._refused += 1
        self._last_error = f'refused: {error}'
        self.get_logger().warning(self._last_error)

    def _start_s(self, stamp: Time) -> float:
        return seconds(stamp) if stamp.sec or stamp.nanosec else self._body_clock.now_s()

    # ------------------------------------------------------------------ simulating

    def _tick(self) -> None:
        now_s = self._body_clock.now_s()
        passed_s = now_s - self._last_s
        if passed_s < -_LONGEST_S:  # the clock was reset: what was to come will not
            for _, player in self._players.values():
                player.stay(self._last_s)
            self._base.stay(self._last_s)
            self._last_s = now_s
        if passed_s <= 0:
            return
        if passed_s > _LATEST_S:
            self._late_s += passed_s - _LATEST_S
            self._last_s = now_s - _LATEST_S
        offset_s = self._last_s - self._sim.time_s
        before_s = self._sim.time_s
        span_s = min(now_s - self._last_s, _LONGEST_S)
        self._sim.run(lambda at: self._target(at + offset_s), span_s)
        self._last_s += self._sim.time_s - before_s
        target = self._target(self._last_s)
        self._measure(target)
        stamp = RosTime(nanoseconds=round(self._last_s * 1e9)).to_msg()
        sim = self._sim
        self._states.publish(
            joint_state(self._profile.names, sim.positions, sim.velocities, stamp, sim.torques)
        )
        frames = self.parameters['world_frame'], base_frame(self._profile, self.parameters)
        base = target.base_pos, target.base_rot, target.base_lin, target.base_ang
        self._bases.publish(odometry(*base, stamp, *frames))

    def _target(self, at_s: float) -> Target:
        from mgpt3_ros.robots.simulation import Target

        positions, velocities = np.zeros((2, len(self._profile.names)))
        for columns, player in self._players.values():
            positions[columns], velocities[columns] = player.sample(at_s)
        return Target(positions, velocities, *self._base.sample(at_s))

    # ------------------------------------------------------------------ telling

    def _forget(self) -> None:
        """Begin to measure anew."""
        self._ticks = 0
        self._late_s = 0.0
        self._errors = np.zeros(len(self._profile.names))
        self._saturated = np.zeros(len(self._profile.names))
        self._contacts: Counter[str] = Counter()

    def _measure(self, target: Target) -> None:
        self._ticks += 1
        off = np.abs(target.positions - self._sim.positions)
        self._errors = np.maximum(self._errors, off)
        self._saturated += self._sim.saturated
        self._contacts.update(' - '.join(pair) for pair in self._sim.contacts)

    def _health(self) -> Health:
        """Say how well the robot did since the last time."""
        names, ticks = self._profile.names, max(self._ticks, 1)
        worst = int(self._errors.argmax())
        weak = {names[i]: self._saturated[i] / ticks for i in np.flatnonzero(self._saturated)}
        health = Health(message='simulating, base guided')
        health.values = {
            'tracking_error': f'{self._errors[worst]:.3f}',
            'tracking_error_joint': names[worst],
            'saturated': ', '.join(f'{name} {share:.0%}' for name, share in weak.items()),
            'contacts': ', '.join(sorted(self._contacts)),
            'behind_s': f'{self._late_s:.2f}',
            'refused': str(self._refused),
            'last_error': self._last_error,
        }
        told = [self._last_error] if self._last_error else []
        if self._errors[worst] > _FAR:
            told.append(f'{names[worst]} is {self._errors[worst]:.2f} rad off its trajectory')
        told += [f'{name} is too weak' for name, share in weak.items() if share > _OFTEN]
        if self._contacts:
            told.append('links touch: ' + ', '.join(sorted(self._contacts)))
        if told:
            health.level, health.message = DiagnosticStatus.WARN, '; '.join(told)
        self._forget()
        return health


def main(args: Sequence[str] | None = None) -> None:
    """Run the node until the process is told to end."""
    run(SimNode, args)


if __name__ == '__main__':
    main()
