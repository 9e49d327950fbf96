# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two bodies on one machine, in namespaces of their own: they do not hear each other's commands,
joint states or ends.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from tests.nodes.conftest import processes_of_nodes
from tests.support.domains import free_domain
from tests.support.jtc_rules import violations
from tests.support.listener import NAMES, Listener

pytestmark = pytest.mark.slow

SENTENCE = 'a person walks forward for 1 seconds.'
NODES = ('generate_node', 'caption_node', 'predict_node')


class Body(Listener):
    """A body with a motion_server of its own."""

    def __init__(self, domain: int, namespace: str, make, checkpoint: Path) -> None:
        super().__init__(domain, namespace)
        self.name = namespace
        self._make, self._checkpoint = make, str(checkpoint)
        self.serve()

    def serve(self) -> None:
        """Start the server, as ``respawn`` of a launch file does."""
        self.server = self._make(
            'motion_server', namespace=self.name, checkpoint=self._checkpoint, device='cpu'
        )

    def ready_all(self) -> None:
        for name in NODES:
            self.ready(name)
        self.until(self.commands.get_subscription_count, 'an ear for command')

    def count(self, node: str, value: str) -> int:
        return int(self.health(f'/{self.name}/{node}')[value])


@pytest.fixture(scope='module')
def bodies(tiny_checkpoint, tmp_path_factory) -> Iterator[tuple[Body, Body]]:
    folder = tmp_path_factory.mktemp('bodies')
    with (
        free_domain() as number,
        processes_of_nodes(folder) as make,
        Body(number, 'anna', make, tiny_checkpoint) as anna,
        Body(number, 'bert', make, tiny_checkpoint) as bert,
    ):
        anna.ready_all()
        bert.ready_all()
        yield anna, bert


def test_two_bodies_do_not_hear_each_other(bodies):
    anna, bert = bodies
    anna.play(2.0)
    anna.say(SENTENCE)
    assert violations(anna.trajectory(), NAMES, lead_in_s=0.5) == []
    anna.until(lambda: anna.heard['predicted_trajectory'], 'a prediction')
    bert.spin_for(0.5)
    for topic in ('joint_trajectory', 'base_trajectory', 'status', 'predicted_trajectory'):
        assert not bert.heard[topic], topic
    assert not bert.heard['caption']
    assert anna.count('caption_node', 'joint_states') > 50
    assert bert.count('caption_node', 'joint_states') == 0
    assert bert.count('generate_node', 'commands') == 0
    assert bert.trigger('caption_node/caption_now') == (
        False,
        'no current joint states are heard',
    )
    topics = {name for name, _ in anna.node.get_topic_names_and_types()}
    own = {'joint_trajectory', 'base_trajectory', 'command', 'joint_states', 'odom', 'caption'}
    for name in ('anna', 'bert'):
        assert {f'/{name}/{topic}' for topic in own} <= topics
    assert not {f'/{topic}' for topic in own} & topics


def test_kill_and_respawn_during_a_generation_leave_the_other_body_at_work(bodies):
    anna, bert = bodies
    assert anna.set_of('generate_node', num_inference_steps=1000) == (True, '')
    anna.forget()
    anna.say(SENTENCE)
    anna.status('generating')
    anna.server.end(signal.SIGKILL)
    bert.forget()
    bert.say(SENTENCE)
    assert violations(bert.trajectory(), NAMES, lead_in_s=0.5) == []
    bert.play(1.5)
    bert.until(lambda: bert.heard['predicted_trajectory'], 'a prediction')
    assert not anna.heard['joint_trajectory']

    anna.forget()
    anna.serve()  # DDS takes the old one for alive still: only what comes back counts

    def answered() -> list:
        anna.say(SENTENCE)
        anna.spin_for(0.3)
        return anna.heard['joint_trajectory']

    assert violations(anna.until(answered, 'a trajectory of the new server')[0], NAMES) == []

    def predicted() -> list:
        anna.play(1.0)
        return anna.heard['predicted_trajectory']

    anna.until(predicted, 'a prediction of the new server')
    assert bert.server.alive
    assert len(bert.heard['joint_trajectory']) == 1
