# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""motion_server over real DDS: what its three nodes do about a model that is missing or broken."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from diagnostic_msgs.msg import DiagnosticStatus

from tests.support.listener import Listener

pytestmark = pytest.mark.slow

NODES = ('generate_node', 'caption_node', 'predict_node')
SENTENCE = 'a person walks forward for 1 seconds.'


def test_a_missing_model_is_an_error_of_each_node_until_it_is_there(
    start: Callable, domain: int, tiny_checkpoint: Path, tmp_path: Path
):
    folder = tmp_path / 'model'
    server = start('motion_server', checkpoint=str(folder), device='cpu')
    with Listener(domain) as body:
        for name in NODES:
            body.until(
                lambda name=name: 'cannot load' in body.values(name)['last_error'], f'{name}: why'
            )
            values = body.values(name)
            assert (values['level'], values['state']) == (DiagnosticStatus.ERROR, 'unconfigured')
            assert str(folder) in values['last_error']
            assert not body.change_of(name, 'configure')
        assert 'Traceback' not in server.output
        shutil.copytree(tiny_checkpoint, folder)
        for name in NODES:
            assert body.change_of(name, 'configure')
            assert body.change_of(name, 'activate')
            assert body.values(name)['last_error'] == ''
        body.say(SENTENCE)
        body.trajectory()
        body.play(1.5)
        body.until(lambda: body.heard['predicted_trajectory'], 'a prediction')


def test_nothing_of_a_model_that_gives_nan_is_published(
    start: Callable, domain: int, tmp_path: Path
):
    import torch

    from tests.support.tiny import tiny_model

    model = tiny_model()
    with torch.no_grad():
        for parameter in model.network.parameters():
            parameter.fill_(float('nan'))
    model.save_pretrained(tmp_path / 'nan')
    checkpoint = str(tmp_path / 'nan')
    server = start('motion_server', checkpoint=checkpoint, device='cpu', caption_period_s=0.1)
    with Listener(domain) as body:
        for name in NODES:
            body.ready(name)
        body.say(SENTENCE)
        body.status('failed')

        def errors() -> bool:
            body.play(0.5)
            return all(body.values(name)['last_error'] for name in NODES)

        body.until(errors, 'an error of each node')
        for name in NODES:
            values = body.values(name)
            assert (values['level'], values['state']) == (DiagnosticStatus.ERROR, 'active')
        for topic in ('joint_trajectory', 'predicted_trajectory', 'caption', 'caption_marker'):
            assert not body.heard[topic], topic
    assert server.alive
