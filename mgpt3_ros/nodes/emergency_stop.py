# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topic ``emergency_stop`` (std_msgs/Bool): true stops a body, and holds it stopped.

It is latched: what was true stays so, whatever becomes of who said it, until somebody says false.
Nothing goes on by itself then; the next command moves the body again.
"""

from __future__ import annotations

from collections.abc import Callable

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Bool

TOPIC = 'emergency_stop'
STOPPED = 'emergency stop: publish false on emergency_stop to allow motions again'

_NOW = QoSProfile(depth=10)
_BEFORE = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class EmergencyStop:
    """What was said last on ``emergency_stop``.

    Attributes:
        active: whether the body must stand still.
    """

    def __init__(self, node: Node, on_stop: Callable[[], object]) -> None:
        """Listen.

        Args:
            node: that moves the body.
            on_stop: brings it to rest; called once for each stop.
        """
        self.active = False
        self._node = node
        self._on_stop = on_stop
        # The first hears all publishers; the second also what a latched one said before this node
        # began, which may stop the body, but not release it: it may be old.
        node.create_subscription(Bool, TOPIC, self._on_message, _NOW)
        node.create_subscription(Bool, TOPIC, self._on_latched, _BEFORE)

    def _on_latched(self, message: Bool) -> None:
        if message.data:
            self._on_message(message)

    def _on_message(self, message: Bool) -> None:
        if message.data == self.active:
            return
        self.active = message.data
        if self.active:
            self._node.get_logger().error(STOPPED)
            self._on_stop()
        else:
            self._node.get_logger().info('emergency stop released')
