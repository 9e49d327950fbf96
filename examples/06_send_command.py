#!/usr/bin/env python3
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Send a command to generate_node and wait for its trajectory.

python examples/06_send_command.py "walk forward for 2 seconds"
"""

import argparse
import sys

import rclpy
from rclpy.duration import Duration
from rclpy.node import Node
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory


def ask(node: Node, text: str, timeout_s: float) -> JointTrajectory | None:
    """Return the trajectory that answers ``text``; None if none came in time."""
    answers: list[JointTrajectory] = []
    node.create_subscription(JointTrajectory, 'joint_trajectory', answers.append, 10)
    commands = node.create_publisher(String, 'command', 10)
    end = node.get_clock().now() + Duration(seconds=timeout_s)
    sent = False
    while not answers and node.get_clock().now() < end:
        # What is published before both sides have found each other would be lost.
        matched = node.count_publishers('joint_trajectory') and commands.get_subscription_count()
        if matched and not sent:
            commands.publish(String(data=text))
            sent = True
        rclpy.spin_once(node, timeout_sec=0.05)
    return answers[0] if answers else None


def main() -> int:
    """Ask once; return the exit code."""
    parser = argparse.ArgumentParser(description='Send a command, print what it became.')
    parser.add_argument('text')
    parser.add_argument('--timeout', type=float, default=30.0, help='seconds')
    arguments = parser.parse_args(rclpy.utilities.remove_ros_args(sys.argv)[1:])
    rclpy.init(args=sys.argv)
    node = rclpy.create_node('send_command')
    try:
        trajectory = ask(node, arguments.text, arguments.timeout)
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    if trajectory is None:
        print('no trajectory came: is generate_node running and active?', file=sys.stderr)
        return 1
    last = trajectory.points[-1].time_from_start
    duration_s = last.sec + last.nanosec / 1e9
    joints = len(trajectory.joint_names)
    print(f'{len(trajectory.points)} points of {joints} joints over {duration_s:.2f} s')
    return 0


if __name__ == '__main__':
    sys.exit(main())
