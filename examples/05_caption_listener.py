#!/usr/bin/env python3
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node of your own that does something with captions: it counts what a body did.

In one shell `ros2 launch mgpt3_ros bringup.launch.py playback:=true`, in another
`python examples/05_caption_listener.py`, in a third sentences to /command.
"""

import collections
import sys

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String


class CaptionCounter(Node):
    """Counts captions; the parameter ``stop_after`` ends it after so many (0: never)."""

    def __init__(self) -> None:
        super().__init__('caption_counter')
        self.stop_after = self.declare_parameter('stop_after', 0).value
        self.counts: collections.Counter[str] = collections.Counter()
        # Transient local, as caption_node publishes: the last caption comes to late listeners too.
        qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(String, 'caption', self.on_caption, qos)

    def on_caption(self, message: String) -> None:
        """Count a caption and say how often it came."""
        self.counts[message.data] += 1
        self.get_logger().info(f'{message.data} ({self.counts[message.data]})')
        if self.counts.total() == self.stop_after:
            raise SystemExit


def main() -> None:
    """Run the node until Ctrl-C."""
    rclpy.init(args=sys.argv)
    node = CaptionCounter()
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException, SystemExit):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
