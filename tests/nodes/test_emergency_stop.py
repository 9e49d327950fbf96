# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topic emergency_stop, over real DDS."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Bool

from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.nodes.messages import joint_path
from tests.support.jtc_rules import violations

HUMAN = make_profile('human_full', 'human').names
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
SENTENCE = 'a person walks forward for 5 seconds'


def refused(probe, count: int) -> str:
    """The reason why a command is refused, the ``count``-th one."""
    probe.say(SENTENCE)
    return probe.status('refused', count)['reason']


@pytest.fixture
def stopped(probe, start, tiny_checkpoint):
    """A node that began when the stop had been said already, by a latched publisher."""
    probe.before = probe.node.create_publisher(Bool, 'emergency_stop', LATCHED)
    probe.before.publish(Bool(data=True))
    start('generate_node', checkpoint=str(tiny_checkpoint), device='cpu', seed=0)
    probe.active()
    probe.until(lambda: 'emergency stop' in probe.health()['message'], 'the stop')
    return probe


def test_it_is_obeyed_and_stays_until_it_is_released(stopped):
    probe = stopped
    assert 'emergency stop' in refused(probe, 1)
    probe.before.publish(Bool(data=False))
    probe.until(lambda: probe.health()['message'] == 'active', 'the release')
    probe.say(SENTENCE)
    probe.status('published')
    playing = probe.trajectory(1)

    button = probe.node.create_publisher(Bool, 'emergency_stop', 10)
    probe.until(lambda: button.get_subscription_count(), 'the node to hear the button')
    button.publish(Bool(data=True))
    assert 'emergency stop while playing' in probe.status('cancelled')['reason']
    halt = probe.trajectory(2)
    assert violations(halt, HUMAN) == []
    path = joint_path(halt)
    assert path.times[-1] < joint_path(playing).times[-1] - 2.0
    assert np.abs(path.velocities[-1]).max() == 0.0

    probe.node.destroy_publisher(button)
    probe.until(lambda: probe.node.count_publishers('emergency_stop') == 1, 'the button to go')
    assert 'emergency stop' in refused(probe, 2)
    assert len(probe.heard['joint_trajectory']) == 2
