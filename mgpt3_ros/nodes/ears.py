# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One subscription for all nodes of a body that hear the same: a message is taken once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile

Hear = Callable[[Any], None]


class Ears:
    """What the nodes of a process hear together, by topic and quality of service.

    The subscription is that of the first node that listens. Nodes of different namespaces have
    each their own, since they are served by different threads.
    """

    def __init__(self) -> None:
        self._hearers: dict[tuple[Any, ...], list[Hear]] = {}

    def listen(self, node: Node, kind: type, topic: str, qos: QoSProfile, hear: Hear) -> None:
        """Have ``hear`` called with each message on a topic; none of them may change it."""
        name = node.resolve_topic_name(topic)
        key = (node.get_namespace(), name, kind, qos.reliability, qos.durability, qos.depth)
        if key in self._hearers:
            self._hearers[key].append(hear)
            return
        hearers = self._hearers[key] = [hear]

        def pass_on(message: Any) -> None:
            fault: Exception | None = None
            for each in hearers:
                try:
                    each(message)
                except Exception as error:  # a fault of one node is not the others'
                    fault = fault or error
            if fault is not None:
                raise fault

        node.create_subscription(kind, topic, pass_on, qos)
