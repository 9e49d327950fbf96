# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands where many listen, in short: real nodes, all rows."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from benchmarks.crowd import crowd
from benchmarks.harness import Harness
from tests.support.domains import free_domain

pytestmark = [pytest.mark.ros, pytest.mark.slow]


def test_commands_are_answered_whoever_listens_and_after_a_crash():
    with free_domain(), Harness() as harness:
        rows = crowd(harness, 5, 2)
    assert len(rows) == 7
    assert all(row.value > 0 for row in rows)
