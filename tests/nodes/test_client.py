# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The client of the demo and the benchmarks, with a node of its own."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from mgpt3_ros.model.errors import GenerationError
from mgpt3_ros.nodes.client import GenerateClient
from tests.support.domains import free_domain

pytestmark = pytest.mark.slow


def test_what_becomes_of_other_commands_is_not_of_the_one_that_is_asked(
    monkeypatch, tiny_checkpoint
):
    text = 'someone waves for 9 seconds.'  # a walk would be continued after the one before
    slow = {'checkpoint': str(tiny_checkpoint), 'device': 'cpu', 'num_inference_steps': '100'}
    with free_domain() as number:
        monkeypatch.setenv('ROS_DOMAIN_ID', str(number))
        with GenerateClient(slow) as client:
            first = int(client.ask(text).status['id'])
            for _ in range(3):  # the first is drawn, of the others each drops the one before
                client.send(text)
            answer = client.ask(text)
            assert int(answer.status['id']) == first + 4
            assert answer.status['text'] == text
            with pytest.raises(GenerationError, match=r'nothing moves|playing'):
                client.ask('stop')
