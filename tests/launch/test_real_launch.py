# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files under ROS 2's own `ros2 launch`, where that is installed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip('launch_ros', reason="ROS 2's launch comes with a ROS installation only")

import psutil
from ament_index_python.packages import PackageNotFoundError, get_package_prefix

from tests.support.domains import free_domain
from tests.support.listener import Listener
from tests.support.tiny import save_tiny_model

try:
    SHARE = Path(get_package_prefix('mgpt3_ros')) / 'share' / 'mgpt3_ros'
except PackageNotFoundError:
    pytest.skip('mgpt3_ros is not in the ament index (colcon build)', allow_module_level=True)
if shutil.which('ros2') is None:
    pytest.skip('there is no ros2 command', allow_module_level=True)

NODES = {
    'generate': ('generate_node',),
    'caption': ('caption_node',),
    'predict': ('predict_node',),
    'bringup': ('generate_node', 'caption_node', 'predict_node'),
}
PARAMETERS = """
/anna/generate_node:
  ros__parameters:
    fps_out: 30.0
    body_id: 'written'
/anna/caption_node:
  ros__parameters:
    caption_period_s: 2.0
    body_id: 'written'
/**:
  ros__parameters:
    lead_in_s: 0.7
    window_s: 3.0
    body_id: 'written'
    use_sim_time: true
/anna/predict_node:
  ros__parameters:
    horizon_s: 1.0
    body_id: 'written'
/anna/playback_node:
  ros__parameters:
    rate: 20.0
"""
# A program in the place of one that comes with a ROS installation: a node that waits.
WAITING_NODE = """#!{python}
import sys
import rclpy
from rclpy.executors import ExternalShutdownException
rclpy.init(args=sys.argv)
node = rclpy.create_node('stand_in', automatically_declare_parameters_from_overrides=True)
node.declare_parameter('command_line', ' '.join(sys.argv))
try:
    rclpy.spin(node)
except (KeyboardInterrupt, ExternalShutdownException):
    pass
"""


@pytest.fixture
def domain() -> Iterator[int]:
    with free_domain() as number:
        yield number


@pytest.fixture
def body(domain: int) -> Iterator[Listener]:
    with Listener(domain, 'anna') as made:
        yield made


@pytest.fixture
def files(tmp_path: Path) -> dict[str, object]:
    """Arguments that name a small model and a parameters file."""
    save_tiny_model(tmp_path / 'model')
    (tmp_path / 'mine.yaml').write_text(PARAMETERS)
    return {'checkpoint': tmp_path / 'model', 'params_file': tmp_path / 'mine.yaml'}


class Launch:
    """`ros2 launch` of one file; its end is that of Ctrl-C."""

    def __init__(self, name: str, log: Path, **arguments: object) -> None:
        command = ['ros2', 'launch', 'mgpt3_ros', f'{name}.launch.py']
        command += [f'{key}:={value}' for key, value in arguments.items()]
        self._log = log
        with log.open('w') as file:
            self.process = subprocess.Popen(
                command,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, 'PYTHONUNBUFFERED': '1'},
                start_new_session=True,
                # What runs in the background of a script ignores it, and so would its children.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    @property
    def output(self) -> str:
        return self._log.read_text()

    def __enter__(self) -> Launch:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # on SIGTERM it would leave its nodes running
        self.process.wait(30)
        left = [p for p in psutil.process_iter() if os.getsid(p.pid) == self.process.pid]
        for process in left:
            process.kill()
        assert not left, f'left behind: {left}\n{self.output}'

    def ended_cleanly(self, count: int) -> None:
        assert self.output.count('process has finished cleanly') == count, self.output
        assert 'process has died' not in self.output


def _is_installed(package: str) -> bool:
    try:
        return bool(get_package_prefix(package))
    except PackageNotFoundError:
        return False


@pytest.mark.parametrize('name', NODES)
def test_show_args_names_every_argument_with_its_meaning(name, domain):
    command = ['ros2', 'launch', 'mgpt3_ros', f'{name}.launch.py', '--show-args']
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    shown = re.findall(r"^    '(\w+)':\n        (\S.*)\n        \(default: ", said, re.MULTILINE)
    assert {'namespace', 'params_file', 'checkpoint', 'device', 'autostart', 'log_level'} <= {
        argument for argument, _ in shown
    }
    assert said.count('(default: ') == len(shown)


def test_generate_with_arguments_a_file_a_namespace_and_remaps(body, files, tmp_path):
    topics = {'command_topic': 'say', 'trajectory_topic': '/jtc/joint_trajectory'}
    given = {'namespace': 'anna', 'body_id': '7', 'use_sim_time': 'false', 'playback': 'true'}
    with Launch('generate', tmp_path / 'log', **files, **topics, **given) as launch:
        body.until(lambda: body.state_of('generate_node') == 'active', 'the active state')
        values = {n: body.get_of('generate_node', n) for n in ('lead_in_s', 'fps_out', 'body_id')}
        assert values == {'lead_in_s': 0.7, 'fps_out': 30.0, 'body_id': '7'}
        for node in ('generate_node', 'playback_node'):
            assert body.get_of(node, 'use_sim_time') is False, node
        assert body.get_of('playback_node', 'rate') == 20.0
        present = dict(body.node.get_topic_names_and_types())
        assert {'/anna/say', '/jtc/joint_trajectory', '/anna/odom'} <= set(present)
    launch.ended_cleanly(2)


def test_caption_without_autostart_waits_to_be_configured(body, files, tmp_path):
    given = {'namespace': 'anna', 'autostart': 'False', 'joint_profile': 'ros4hri', 'body_id': '7'}
    with Launch('caption', tmp_path / 'log', **files, **given, caption_topic='/said') as launch:
        assert body.state_of('caption_node') == 'unconfigured'
        values = {n: body.get_of('caption_node', n) for n in ('window_s', 'caption_period_s')}
        assert values == {'window_s': 3.0, 'caption_period_s': 2.0}
        assert body.get_of('caption_node', 'body_id') == '7'
        assert body.get_of('caption_node', 'use_sim_time') is True
        for transition, state in (('configure', 'inactive'), ('activate', 'active')):
            assert body.change_of('caption_node', transition)
            assert body.state_of('caption_node') == state
        assert '/said' in dict(body.node.get_topic_names_and_types())
    launch.ended_cleanly(1)


def test_predict_is_started_again_when_it_dies(body, files, tmp_path):
    given = {'namespace': 'anna', 'use_respawn': 'true', 'trajectory_topic': '/ahead'}
    with Launch('predict', tmp_path / 'log', **files, **given, device='cpu') as launch:
        body.until(lambda: body.state_of('predict_node') == 'active', 'the active state')
        assert body.get_of('predict_node', 'horizon_s') == 1.0
        assert '/ahead' in dict(body.node.get_topic_names_and_types())
        (first,) = psutil.Process(launch.process.pid).children()
        first.kill()
        # Not through a service: requests may still go to the one that died.
        body.until(lambda: launch.output.count('licence of its weights') == 2, 'another life')
    assert launch.output.count('process started with pid') == 2
    assert launch.output.count('process has finished cleanly') == 1, launch.output


def test_bringup_serves_three_nodes_with_one_process(body, files, tmp_path):
    given = {'namespace': 'anna', 'body_id': '7', 'playback': 'true', 'use_sim_time': 'False'}
    topics = {'joint_states_topic': '/body/joint_states', 'odom_topic': '/body/odom'}
    with Launch('bringup', tmp_path / 'log', **files, **given, **topics) as launch:
        for name in NODES['bringup']:
            body.until(lambda name=name: body.state_of(name) == 'active', name)
            # What an argument says holds, whatever sections of the file speak of the parameter.
            assert body.get_of(name, 'body_id') == '7', name
            assert body.get_of(name, 'use_sim_time') is False, name
        asked = {'caption_node': 'caption_period_s', 'predict_node': 'window_s'}
        values = {name: body.get_of(node, name) for node, name in asked.items()}
        assert values == {'caption_period_s': 2.0, 'window_s': 3.0}
        # The body that is played is the one that is listened to.
        body.until(lambda: body.heard['predicted_trajectory'], 'a prediction')
        present = dict(body.node.get_topic_names_and_types())
        assert {'/body/joint_states', '/body/odom'} <= set(present)
    launch.ended_cleanly(2)


def test_bringup_starts_the_viewers_with_the_model_of_the_body(body, files, tmp_path, monkeypatch):
    for name in ('robot_state_publisher', 'rviz2'):
        program = tmp_path / 'ros' / 'lib' / name / name
        program.parent.mkdir(parents=True)
        program.write_text(WAITING_NODE.format(python=sys.executable))
        program.chmod(0o755)
        index = tmp_path / 'ros' / 'share' / 'ament_index' / 'resource_index' / 'packages'
        index.mkdir(parents=True, exist_ok=True)
        (index / name).touch()
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path / 'ros'), prepend=os.pathsep)
    given = {'namespace': 'anna', 'autostart': 'false', 'use_sim_time': 'true'}
    given |= {'robot_state_publisher': 'true', 'rviz': 'true'}
    with Launch('bringup', tmp_path / 'log', **files, **given) as launch:
        description = body.get_of('robot_state_publisher', 'robot_description')
        assert description == (SHARE / 'urdf' / 'human.urdf').read_text()
        line = body.get_of('rviz2', 'command_line')
        assert f'-d {SHARE / "rviz" / "body.rviz"} ' in line
        assert '/tf:=tf' in line
        for name in ('robot_state_publisher', 'rviz2'):
            assert body.get_of(name, 'use_sim_time') is True, name
        for name in NODES['bringup']:
            assert body.state_of(name) == 'unconfigured'
    launch.ended_cleanly(3)


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        ({'params_file': '/nowhere.yaml'}, 'params_file:=/nowhere.yaml: there is no such file'),
        ({'use_respawn': 'yes'}, 'Valid options are'),
        ({'mode': 'robot'}, 'Valid options are'),
        ({'rviz': 'true'}, 'rviz:=true needs the package rviz2'),
        ({'robot_state_publisher': 'true', 'urdf_file': '/nowhere'}, 'robot_state_publisher'),
    ],
)
def test_arguments_that_do_not_fit_start_nothing(arguments, said, domain, tmp_path):
    if arguments.get('rviz') and _is_installed('rviz2'):
        pytest.skip('rviz2 is installed')
    with Launch('bringup', tmp_path / 'log', **arguments) as launch:
        assert launch.process.wait(30) == 1
    assert said in launch.output
    assert 'process started' not in launch.output
