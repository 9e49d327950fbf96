# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What scripts, launch files and programs of others rely on keeps its name and its place."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mgpt3_ros.model import Motion, MotionGPT3
from tests.support.node_process import NodeProcess
from tests.support.robots import write_tin_man

ROOT = Path(__file__).resolve().parents[2]
# Executable: a node that it runs.
NODES = {
    'generate_node': 'generate_node',
    'caption_node': 'caption_node',
    'predict_node': 'predict_node',
    'playback_node': 'playback_node',
    'view_node': 'view_node',
    'motion_server': 'generate_node',
    'retarget_node': 'retarget_node',
    'sim_node': 'sim_node',
}
OTHERS = {'mgpt3', 'say'}


def scripts() -> dict[str, str]:
    found = re.findall(r"'(\w+) = ([\w.]+:main)'", (ROOT / 'setup.py').read_text())
    return dict(found)


def test_every_executable_is_started_here():
    assert set(scripts()) == {*NODES, *OTHERS}


@pytest.mark.parametrize('executable', NODES)
def test_an_executable_runs_its_node(executable: str, domain: int, tmp_path: Path):
    import rclpy
    from rcl_interfaces.srv import ListParameters
    from rclpy.context import Context
    from rclpy.executors import SingleThreadedExecutor

    module, _ = scripts()[executable].split(':')
    assert module == f'mgpt3_ros.nodes.{executable}'  # what NodeProcess starts
    parameters: dict[str, object] = {'autostart': False, 'port': 0}
    if executable in ('retarget_node', 'sim_node'):
        parameters['joint_profile'] = str(write_tin_man(tmp_path))
    if executable == 'sim_node':
        pytest.importorskip('mujoco', reason='the extra sim is not installed')
    process = NodeProcess(executable, parameters, tmp_path / 'log', 'here')
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    me = rclpy.create_node('asks', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(me)
    try:
        client = me.create_client(ListParameters, f'/here/{NODES[executable]}/list_parameters')
        while not client.wait_for_service(timeout_sec=0.2):
            assert process.alive, process.output
        answer = client.call_async(ListParameters.Request())
        executor.spin_until_future_complete(answer, timeout_sec=30)
        assert answer.result().result.names
        assert process.end(signal.SIGINT)[0] == 0
    finally:
        process.close()
        rclpy.shutdown(context=context)


@pytest.mark.parametrize(
    'command',
    [
        ('-m', 'mgpt3_ros.training.train', '--help'),  # torchrun's
        ('-m', 'mgpt3_ros.cli.main', '--help'),
        ('-m', 'mgpt3_ros.nodes.say', '--help'),
    ],
)
def test_a_module_runs_as_a_program(command: tuple[str, ...], tmp_path: Path):
    done = subprocess.run(
        [sys.executable, *command],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('usage: ')


def test_the_shipped_checkpoint_loads_and_draws_as_before(tmp_path: Path):
    assert json.loads((ROOT / 'models/default/config.json').read_text())['format_version'] == 1
    model = MotionGPT3.from_pretrained(str(ROOT / 'models' / 'default'), device='cpu')
    motion = model.generate('a person bows', 1.0, generator=torch.Generator().manual_seed(3))
    assert isinstance(motion, Motion)
    assert motion.joints.shape == (20, 22, 3)
    model.save_pretrained(tmp_path / 'copy')
    again = MotionGPT3.from_pretrained(tmp_path / 'copy', device='cpu')
    same = again.generate('a person bows', 1.0, generator=torch.Generator().manual_seed(3))
    assert np.array_equal(same.joints, motion.joints)
