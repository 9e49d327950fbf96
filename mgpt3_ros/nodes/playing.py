# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a body does at the moment: the trajectory that was sent to it last."""

from __future__ import annotations

from dataclasses import dataclass

from rclpy.clock import Clock
from rclpy.node import Node

from mgpt3_ros.body.body_trajectory import BodyTrajectory
from mgpt3_ros.nodes.commands import Step


class BodyClock:
    """The time by which bodies move: ROS time, or a steady clock until sim time has begun."""

    def __init__(self, node: Node, steady: Clock) -> None:
        self._ros = node.get_clock()
        self._steady = steady

    def now_s(self) -> float:
        """Return the time [s]; differences are meant, not dates."""
        nanoseconds = self._ros.now().nanoseconds or self._steady.now().nanoseconds
        return nanoseconds * 1e-9

    def motion_s(self) -> float:
        """Return the time by which a motion passes [s].

        Sim time where that is used; else the steady clock, since a body goes on moving while
        someone sets the system's.
        """
        if self._ros.ros_time_is_active:
            return self.now_s()
        return float(self._steady.now().nanoseconds * 1e-9)


@dataclass(frozen=True)
class Playing:
    """A trajectory on its way: what for, and since when.

    step: the action that it carries out; None for one that only brings the body to rest.
    slower: how many times slower than its clip it is. stops: it is a stop on request, which
    nothing has to stop again.
    """

    trajectory: BodyTrajectory
    started_s: float
    step: Step | None = None
    slower: float = 1.0
    stops: bool = False

    def elapsed_at(self, clip_s: float) -> float:
        """Return the time since the start [s] at which it shows the moment ``clip_s`` of its clip.

        Not for the end of the clip, which is eased to a stop.
        """
        return float(self.trajectory.times[0]) + self.slower * clip_s

    def elapsed_s(self, now_s: float) -> float:
        """Return the time since the start [s]; all of it where the clock has jumped back."""
        elapsed = now_s - self.started_s
        return elapsed if elapsed >= 0 else self.trajectory.end_s

    def ended(self, now_s: float) -> bool:
        """Whether the body is at rest again."""
        return self.elapsed_s(now_s) >= self.trajectory.end_s
