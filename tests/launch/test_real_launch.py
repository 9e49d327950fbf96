# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files under ROS 2's own `ros2 launch`, where that is installed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest

pytest.importorskip('launch_ros', reason="ROS 2's launch comes with a ROS installation only")

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from domains import free_domain
from listener import Listener
from probe import Probe
from tiny import save_tiny_model

try:
    get_package_prefix('mgpt3_ros')
except PackageNotFoundError:
    pytest.skip('mgpt3_ros is not in the ament index (colcon build)', allow_module_level=True)
if shutil.which('ros2') is None:
    pytest.skip('there is no ros2 command', allow_module_level=True)

PARAMETERS = """
/**:
  ros__parameters:
    lead_in_s: 0.7
    seed: 5
/anna/generate_node:
  ros__parameters:
    fps_out: 30.0
"""


@pytest.fixture
def domain() -> Iterator[int]:
    with free_domain() as number:
        yield number


def test_arguments_files_namespaces_and_remaps_reach_the_nodes(domain, tmp_path):
    save_tiny_model(tmp_path / 'model')
    (tmp_path / 'mine.yaml').write_text(PARAMETERS)
    arguments = {
        'namespace': 'anna',
        'params_file': tmp_path / 'mine.yaml',
        'checkpoint': tmp_path / 'model',
        'body_id': '7',
        'playback': 'true',
        'command_topic': 'say',
        'trajectory_topic': '/jtc/joint_trajectory',
    }
    command = ['ros2', 'launch', 'mgpt3_ros', 'generate.launch.py']
    command += [f'{name}:={value}' for name, value in arguments.items()]
    log = tmp_path / 'launch.log'
    with log.open('w') as file, Probe(domain, 'anna') as probe:
        launch = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, env=dict(os.environ)
        )
        try:
            probe.until(lambda: probe.node.count_publishers('generate_node/status'), 'the node')
            probe.until(lambda: probe.state() == 'active', 'the active state')
            values = {n: probe.get(n) for n in ('lead_in_s', 'seed', 'fps_out', 'body_id')}
            assert values == {'lead_in_s': 0.7, 'seed': 5, 'fps_out': 30.0, 'body_id': '7'}
            topics = dict(probe.node.get_topic_names_and_types())
            assert {'/anna/say', '/jtc/joint_trajectory', '/anna/odom'} <= set(topics)
        finally:
            launch.send_signal(signal.SIGINT)  # on SIGTERM it would leave its nodes running
            launch.wait(30)
    output = log.read_text()
    assert output.count('process has finished cleanly') == 2, output


def test_bringup_serves_three_nodes_with_one_process(domain, tmp_path):
    save_tiny_model(tmp_path / 'model')
    (tmp_path / 'mine.yaml').write_text(
        '/**:\n  ros__parameters:\n    window_s: 3.0\n'
        '/anna/caption_node:\n  ros__parameters:\n    caption_period_s: 2.0\n'
    )
    arguments = {
        'namespace': 'anna',
        'params_file': tmp_path / 'mine.yaml',
        'checkpoint': tmp_path / 'model',
        'body_id': '7',
        'playback': 'true',
        'joint_states_topic': '/body/joint_states',
    }
    command = ['ros2', 'launch', 'mgpt3_ros', 'bringup.launch.py']
    command += [f'{name}:={value}' for name, value in arguments.items()]
    log = tmp_path / 'launch.log'
    with log.open('w') as file, Listener(domain, 'anna') as body:
        launch = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, env=dict(os.environ)
        )
        try:
            for name in ('generate_node', 'caption_node', 'predict_node'):
                body.until(lambda name=name: body.state_of(name) == 'active', name)
            asked = {'caption_node': 'caption_period_s', 'predict_node': 'window_s'}
            values = {name: body.get_of(node, name) for node, name in asked.items()}
            assert values == {'caption_period_s': 2.0, 'window_s': 3.0}
            assert body.get_of('predict_node', 'body_id') == '7'
            # The body that is played is the one that is listened to.
            body.until(lambda: body.heard['predicted_trajectory'], 'a prediction')
            assert '/body/joint_states' in dict(body.node.get_topic_names_and_types())
        finally:
            launch.send_signal(signal.SIGINT)
            launch.wait(30)
    output = log.read_text()
    assert output.count('process has finished cleanly') == 2, output
