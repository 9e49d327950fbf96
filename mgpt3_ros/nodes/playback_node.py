# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the body: trajectories in, joint states and odometry out.

For RViz and avatars, and for the nodes that listen to a body where there is no robot.
"""

from __future__ import annotations

from collections.abc import Sequence

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory, MultiDOFJointTrajectory

from mgpt3_ros.body.player import BasePlayer, JointPlayer
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.nodes.body_node import base_frame
from mgpt3_ros.nodes.diagnostics import Diagnostics, Health
from mgpt3_ros.nodes.messages import base_path, joint_path, seconds
from mgpt3_ros.nodes.odometry import BasePublisher, joint_state, odometry
from mgpt3_ros.nodes.parameters import Parameters
from mgpt3_ros.nodes.playing import BodyClock
from mgpt3_ros.nodes.process import run
from mgpt3_ros.robots import robot_profile

PARAMETER_NAMES = (
    *('rate', 'joint_profile', 'body_id', 'world_frame', 'base_frame', 'publish_tf'),
)

_PAIR_S = 0.2  # joints and base of one motion come within this time of each other
_WARN_EVERY_S = 5.0
_JUMP_S = 0.1  # a clock that goes back further was reset: a simulation, a bag that begins again


class PlaybackNode(Node):
    """Plays trajectories; before the first, the body stands upright at the origin.

    Of a robot it hears the whole trajectory, not those of its controllers.
    """

    def __init__(self) -> None:
        super().__init__('playback_node')
        self.parameters = Parameters(self, PARAMETER_NAMES)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._body_clock = BodyClock(self, steady)
        self._last_s = 0.0
        names = self.parameters['joint_profile'], self.parameters['body_id']
        self._profile = make_profile(*names, robot_profile)
        self._joints = JointPlayer(self._profile.names, self._profile.standing)
        self._base = BasePlayer(self._profile.standing_base)
        self._played = self._refused = 0
        self._last_error = ''
        # When the last message without a stamp came, and when its trajectory ends after it.
        self._unpaired: tuple[str, float, float] = ('', 0.0, 0.0)
        self._states = self.create_publisher(JointState, 'joint_states', 10)
        self._bases = BasePublisher(self, self.parameters['publish_tf'])
        self.create_subscription(JointTrajectory, 'joint_trajectory', self._on_joints, 10)
        self.create_subscription(MultiDOFJointTrajectory, 'base_trajectory', self._on_base, 10)
        self._diagnostics = Diagnostics(self, self._health)
        self.create_timer(1.0 / self.parameters['rate'], self._tick, clock=steady)

    def _on_joints(self, message: JointTrajectory) -> None:
        try:
            path = joint_path(message)
            start_s = self._start_s('joints', message.header.stamp, path.times[-1])
            self._joints.follow(tuple(message.joint_names), path, start_s, self._now_s())
            self._played += 1
            self._last_error = ''
        except MotionError as error:
            self._refuse(error)

    def _on_base(self, message: MultiDOFJointTrajectory) -> None:
        try:
            path = base_path(message)
            start_s = self._start_s('base', message.header.stamp, path.times[-1])
            self._base.follow(path, start_s, self._now_s())
        except MotionError as error:
            self._refuse(error)

    def _refuse(self, error: MotionError) -> None:
        self._refused += 1
        self._last_error = f'trajectory refused: {error}'
        self.get_logger().warning(self._last_error, throttle_duration_sec=_WARN_EVERY_S)

    def _now_s(self) -> float:
        """Return the time; where the clock was reset, the body stays as it was before."""
        now_s = self._body_clock.now_s()
        if now_s < self._last_s - _JUMP_S:
            self.get_logger().info('the clock has jumped back: the body stays where it is')
            self._joints.stay(self._last_s)
            self._base.stay(self._last_s)
            self._unpaired = ('', 0.0, 0.0)
        self._last_s = now_s
        return now_s

    def _start_s(self, kind: str, stamp: Time, end_s: float) -> float:
        """Return when a trajectory starts; joints and base of one motion start together."""
        now_s = self._now_s()
        if not self.get_clock().now().nanoseconds:
            self.get_logger().warning('use_sim_time, but no /clock is heard', once=True)
        if stamp.sec or stamp.nanosec:
            return seconds(stamp)
        other, heard_s, other_end_s = self._unpaired
        pair = other not in ('', kind) and now_s - heard_s < _PAIR_S
        if pair and abs(end_s - other_end_s) < 1e-6:
            self._unpaired = ('', 0.0, 0.0)
            return heard_s
        self._unpaired = (kind, now_s, end_s)
        return now_s

    def _tick(self) -> None:
        now_s = self._now_s()
        stamp = self.get_clock().now().to_msg()
        self._states.publish(joint_state(self._joints.names, *self._joints.sample(now_s), stamp))
        frames = self.parameters['world_frame'], base_frame(self._profile, self.parameters)
        self._bases.publish(odometry(*self._base.sample(now_s), stamp, *frames))

    def _health(self) -> Health:
        health = Health(message='playing', values={'trajectories': str(self._played)})
        health.values['refused'] = str(self._refused)
        health.values['last_error'] = self._last_error
        if self._last_error:
            health.level, health.message = DiagnosticStatus.WARN, self._last_error
        return health


def main(args: Sequence[str] | None = None) -> None:
    """Run the node until the process is told to end."""
    run(PlaybackNode, args)


if __name__ == '__main__':
    main()
