# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A dead man's switch: a topic that must keep saying true, or the body comes to rest."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.clock import Clock
from rclpy.node import Node
from std_msgs.msg import Bool

_LOOK_S = 0.02


class Deadman:
    """Listens to a switch; held while its last message is true and not older than a bound.

    It begins released: nothing moves before it was heard.
    """

    def __init__(
        self,
        node: Node,
        topic: str,
        timeout_s: Callable[[], float],
        clock: Clock,
        on_release: Callable[[str], None],
    ) -> None:
        """Listen.

        Args:
            node: that moves a body.
            topic: of std_msgs/Bool.
            timeout_s: the bound [s].
            clock: that nobody sets.
            on_release: called once, with the reason, when the switch is no longer held.
        """
        self._timeout_s, self._clock, self._on_release = timeout_s, clock, on_release
        self._heard_s: float | None = None
        self._was_held = False
        node.create_subscription(Bool, topic, self._hear, 10)
        node.create_timer(_LOOK_S, self._look, clock=clock)

    @property
    def held(self) -> bool:
        """Whether the body may move."""
        return self._heard_s is not None and self._now_s() - self._heard_s <= self._timeout_s()

    def _now_s(self) -> float:
        return float(self._clock.now().nanoseconds * 1e-9)

    def _hear(self, message: Bool) -> None:
        self._heard_s = self._now_s() if message.data else None
        self._look()

    def _look(self) -> None:
        held, was_held = self.held, self._was_held
        self._was_held = held
        if was_held and not held:
            gone = 'was released' if self._heard_s is None else 'is no longer heard'
            self._on_release(f"the dead man's switch {gone} (deadman_topic)")
