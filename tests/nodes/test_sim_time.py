# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nodes on simulated time, over real DDS: a clock that begins late, and one that is reset."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from nav_msgs.msg import Odometry
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState

from mgpt3_ros.nodes.listening_node import to_stamp
from mgpt3_ros.nodes.messages import seconds
from tests.support.jtc_rules import violations
from tests.support.listener import NAMES, Listener

pytestmark = pytest.mark.slow

NODES = ('generate_node', 'caption_node', 'predict_node')
SENTENCE = 'a person walks forward for 4 seconds.'


class Simulation(Listener):
    """A simulation: its clock, and the body that playback_node moves in it."""

    sim_s = 0.0

    def tick(self, seconds: float, steps: int = 1) -> None:
        """Let ``steps`` steps of simulated time pass."""
        for _ in range(steps):
            self.sim_s += seconds
            self.clock.publish(Clock(clock=to_stamp(round(self.sim_s * 1e9))))
            self.spin_for(0.01)

    def pose(self) -> np.ndarray:
        return np.array(self.heard['states'][-1].position)


@pytest.fixture(scope='module')
def world(tiny_checkpoint, tmp_path_factory) -> Iterator[Simulation]:
    from tests.nodes.conftest import processes_of_nodes
    from tests.support.domains import free_domain

    folder = tmp_path_factory.mktemp('sim')
    with (
        free_domain() as number,
        processes_of_nodes(folder) as make,
        Simulation(number) as world,
    ):
        common = {'use_sim_time': True}
        options = {'caption_period_s': 0.1, 'predict_rate_hz': 10.0, 'seed': 0, **common}
        checkpoint = str(tiny_checkpoint)
        world.server = make('motion_server', checkpoint=checkpoint, device='cpu', **options)
        world.player = make('playback_node', publish_tf=False, **common)
        world.clock = world.node.create_publisher(Clock, '/clock', 10)
        world.listen('states', JointState, 'joint_states')
        world.listen('odometry', Odometry, 'odom')
        for name in NODES:
            world.until(lambda name=name: world.state_of(name) == 'active', f'{name} active')
        world.until(lambda: world.heard['states'], 'the body')
        yield world


def test_a_clock_that_is_silent_blocks_nothing_and_is_told_once(world):
    world.say('a person walks forward for 1 seconds.')
    assert violations(world.trajectory(), NAMES, lead_in_s=0.5) == []
    assert seconds(world.trajectory().header.stamp) == 0
    world.until(lambda: 'no /clock is heard' in world.player.output, 'the warning')
    world.until(lambda: 'no /clock is heard' in world.server.output, 'the warning')
    world.spin_for(0.3)
    assert world.player.output.count('no /clock is heard') == 1
    assert world.trigger('generate_node/cancel')[0]


def test_a_clock_that_is_reset_empties_the_windows_and_leaves_the_body_where_it_is(world):
    world.until(world.clock.get_subscription_count, 'ears for the clock')
    world.sim_s = 500.0
    world.tick(0.02, 20)
    world.forget()
    world.say(SENTENCE)
    world.trajectory()
    world.tick(0.02, 100)
    observed = world.until(
        lambda: o if (o := float(world.values('caption_node')['observed_s'])) > 1.0 else 0.0,
        'two seconds of a body',
    )
    world.until(lambda: world.heard['predicted_trajectory'], 'a prediction')
    assert 'true' in world.values('generate_node')['moving']
    before = world.pose()
    assert np.abs(before).max() > 0.01

    world.sim_s = 10.0  # the simulation begins again
    world.tick(0.02, 5)
    world.until(lambda: 'the clock has jumped back' in world.player.output, 'the jump')
    world.until(
        lambda: seconds(world.heard['states'][-1].header.stamp) < 400.0, 'states of the new time'
    )
    np.testing.assert_allclose(world.pose(), before, atol=1e-9)
    assert float(world.values('caption_node')['observed_s']) < min(observed, 0.5)
    assert world.values('generate_node')['moving'] == 'false'
    world.tick(0.02, 60)
    np.testing.assert_allclose(world.pose(), before, atol=1e-9)  # and there it stays

    world.forget()
    world.say(SENTENCE)
    assert violations(world.trajectory(), NAMES, lead_in_s=0.5) == []
    world.tick(0.02, 60)
    stamps = [seconds(m.header.stamp) for m in world.heard['predicted_trajectory']]
    assert world.until(lambda: world.heard['predicted_trajectory'], 'predictions again')
    assert all(stamp < 400.0 for stamp in stamps)
    assert np.abs(world.pose() - before).max() > 0.01  # it moves again
