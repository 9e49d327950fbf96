# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a body is, as messages: joint states, odometry and the transform of its base."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped, Vector3
from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import JointState

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.quaternions import Array


def joint_state(
    names: Sequence[str],
    positions: Array,
    velocities: Array,
    stamp: Time,
    efforts: Array | None = None,
) -> JointState:
    """Return joints (J,) [rad], [rad/s], [N m] as a message."""
    message = JointState(name=list(names))
    message.header.stamp = stamp
    message.position, message.velocity = positions.tolist(), velocities.tolist()
    if efforts is not None:
        message.effort = efforts.tolist()
    return message


def odometry(
    pos: Array, rot: Array, lin: Array, ang: Array, stamp: Time, world: str, base: str
) -> Odometry:
    """Return a base as a message.

    Args:
        pos: (3,) [m] in the world.
        rot: (4,) xyzw.
        lin: (3,) [m/s], in the world's axes; the message has it in the base's.
        ang: (3,) [rad/s], likewise.
        stamp: of the message.
        world: the frame in which the base moves.
        base: its own.
    """
    message = Odometry(child_frame_id=base)
    message.header.stamp = stamp
    message.header.frame_id = world
    pose, twist = message.pose.pose, message.twist.twist
    pose.position.x, pose.position.y, pose.position.z = pos.tolist()
    turn = pose.orientation
    turn.x, turn.y, turn.z, turn.w = rot.tolist()
    back = quat.inverse(rot)
    twist.linear.x, twist.linear.y, twist.linear.z = quat.rotate(back, lin).tolist()
    twist.angular.x, twist.angular.y, twist.angular.z = quat.rotate(back, ang).tolist()
    return message


class BasePublisher:
    """Publishes a base on odom, and on /tf where tf2_ros is: it comes with a ROS installation."""

    def __init__(self, node: Node, publish_tf: bool) -> None:
        self._odometry = node.create_publisher(Odometry, 'odom', 10)
        self._transforms: Any = None
        if publish_tf:
            try:
                tf2_ros = importlib.import_module('tf2_ros')
                self._transforms = tf2_ros.TransformBroadcaster(node)
            except ImportError:
                node.get_logger().info('tf2_ros is not installed: no /tf, odometry only')

    def publish(self, base: Odometry) -> None:
        """Send where a base is."""
        self._odometry.publish(base)
        if self._transforms is not None:
            place = base.pose.pose.position
            transform = TransformStamped(header=base.header, child_frame_id=base.child_frame_id)
            transform.transform.translation = Vector3(x=place.x, y=place.y, z=place.z)
            transform.transform.rotation = base.pose.pose.orientation
            self._transforms.sendTransform(transform)
