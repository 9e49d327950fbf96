# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How often a node says how it is."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

import rclpy
from rclpy.clock import ClockType
from rclpy.node import Node

from mgpt3_ros.nodes.diagnostics import Diagnostics, Health


def test_diagnostics_come_once_a_second_whatever_the_clock_of_ros_does(domain):
    rclpy.init(domain_id=domain)
    node = Node('told')
    Diagnostics(node, Health)
    (timer,) = node.timers
    assert timer.timer_period_ns == 1_000_000_000
    assert timer.clock.clock_type == ClockType.STEADY_TIME
    node.destroy_node()
    rclpy.try_shutdown()
