# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What nodes cost while they run and how fast they stop, in short: real nodes, all rows."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from benchmarks.harness import Harness
from benchmarks.operation import listening, stopping
from tests.support.domains import free_domain

pytestmark = [pytest.mark.ros, pytest.mark.slow]


def test_what_nodes_hear_costs_and_is_counted():
    with free_domain(), Harness() as harness:
        found = {row.name: row.value for row in listening(harness, [50.0], 1.5)}
    assert found['motion_server, 50 Hz with odometry'] > 0
    assert found['motion_server, 50 Hz with odometry: sent at'] > 0
    assert 0 <= found['motion_server, 50 Hz with odometry: states lost'] <= 100
    assert found['motion_server: memory of its own'] > 50


def test_a_body_that_is_stopped_comes_to_rest_on_both_feet():
    with free_domain(), Harness() as harness:
        rows = stopping(harness, 0.5, 1)
    found = {row.name: row.value for row in rows}
    assert all(row.met != 'NO' for row in rows)
    stops, ends = (
        found[f'cancel to {what}, median'] for what in ('the trajectory that stops', 'its end')
    )
    assert 0 < stops < ends
    assert found['way after a cancel of "a person walks forward.", median'] > 0.01
