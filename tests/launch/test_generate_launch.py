# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = 'generate.launch.py'
BOOLEANS = ['true', 'false', 'True', 'False']
CLOSED = {
    'autostart': ['', *BOOLEANS],
    'use_sim_time': ['', *BOOLEANS],
    'log_level': ['debug', 'info', 'warn', 'error', 'fatal'],
    'publish_markers': ['', *BOOLEANS],
    'steering': ['', *BOOLEANS],
    'mode': ['', 'clip', 'stream'],
    'model': ['', 'default', 'stream', 'language'],
    'use_respawn': BOOLEANS,
    'playback': BOOLEANS,
}
OPEN = {
    *('namespace', 'params_file', 'checkpoint', 'device', 'joint_profile', 'body_id'),
    *('command_topic', 'joint_states_topic', 'odom_topic', 'trajectory_topic'),
    *('base_trajectory_topic', 'markers_topic', 'cmd_vel_topic', 'goal_pose_topic', 'path_topic'),
}


@pytest.fixture
def mine(tmp_path: Path) -> str:
    """A parameters file of the user."""
    (tmp_path / 'mine.yaml').write_text('/**:\n  ros__parameters:\n    seed: 5\n')
    return str(tmp_path / 'mine.yaml')


def executables() -> set[str]:
    setup = (ROOT / 'setup.py').read_text()
    return set(re.findall(r"'(\w+) = mgpt3_ros", setup))


def test_arguments_are_those_of_the_interface_each_described(launched):
    declared = launched(FILE).declared
    assert set(declared) == OPEN | set(CLOSED)
    for name, argument in declared.items():
        assert argument.description.endswith('.'), name
        assert argument.default_value is not None, name
        assert argument.choices == CLOSED.get(name), name


def test_by_default_one_node_with_the_shipped_parameters(launched):
    result = launched(FILE)
    (node,) = result.nodes
    assert (node.package, node.executable, node.name) == ('mgpt3_ros',) + ('generate_node',) * 2
    assert node.executable in executables()
    assert node.parameters == [str(ROOT / 'config' / 'generate.yaml')]
    assert node.overrides == {}
    assert node.arguments == ['--ros-args', '--log-level', 'info']
    assert not node.respawn
    assert result.settings == {'RCUTILS_LOGGING_BUFFERED_STREAM': '1'}


def test_arguments_override_the_parameters_file(launched, mine):
    (node,) = launched(
        FILE,
        params_file=mine,
        checkpoint='/models/mine',
        device='cpu',
        autostart='false',
        publish_markers='True',
        joint_profile='ros4hri',
        body_id='7',
        use_sim_time='true',
    ).nodes
    assert node.parameters == [mine]
    assert node.overrides == {
        **{'checkpoint': '/models/mine', 'device': 'cpu', 'joint_profile': 'ros4hri'},
        **{'body_id': '7', 'autostart': False, 'publish_markers': True, 'use_sim_time': True},
    }


def test_mode_stream_takes_the_checkpoint_of_that_form_unless_one_is_named(launched, tmp_path):
    (node,) = launched(FILE, mode='stream').nodes
    assert node.overrides == {'mode': 'stream', 'checkpoint': 'stream'}
    (node,) = launched(FILE, mode='stream', checkpoint='runs/mine').nodes
    assert node.overrides['checkpoint'] == 'runs/mine'
    own = tmp_path / 'own.yaml'
    (node,) = launched(FILE, model='language').nodes
    assert node.overrides == {'checkpoint': 'language'}
    (node,) = launched(FILE, mode='stream', model='language').nodes
    assert node.overrides == {'mode': 'stream', 'checkpoint': 'language'}
    (node,) = launched(FILE, model='language', checkpoint='runs/mine').nodes
    assert node.overrides == {'checkpoint': 'runs/mine'}
    own.write_text('/**: {ros__parameters: {checkpoint: runs/mine}}')
    (node,) = launched(FILE, mode='stream', params_file=str(own)).nodes
    assert node.overrides == {'mode': 'stream'}
    (node,) = launched(FILE, mode='clip').nodes
    assert node.overrides == {'mode': 'clip'}


def test_a_parameters_file_that_is_not_there_is_an_error(launched):
    with pytest.raises(RuntimeError, match='there is no such file'):
        launched(FILE, params_file='/nowhere.yaml')


def test_topics_namespace_and_respawn(launched):
    (node,) = launched(
        FILE,
        namespace='anna',
        command_topic='say',
        joint_states_topic='/robot/joint_states',
        odom_topic='/robot/odom',
        trajectory_topic='/jtc/joint_trajectory',
        use_respawn='True',
        log_level='debug',
    ).nodes
    assert node.namespace == 'anna'
    assert node.remappings['command'] == 'say'
    assert node.remappings['joint_states'] == '/robot/joint_states'
    assert node.remappings['odom'] == '/robot/odom'
    assert node.remappings['joint_trajectory'] == '/jtc/joint_trajectory'
    assert node.remappings['/tf'] == 'tf'
    assert node.respawn
    assert node.arguments[-1] == 'debug'


def test_playback_comes_on_request_and_reads_the_same_files(launched, mine):
    arguments = {'playback': 'true', 'body_id': 'b', 'params_file': mine}
    nodes = {n.executable: n for n in launched(FILE, **arguments, odom_topic='/o').nodes}
    assert set(nodes) == {'generate_node', 'playback_node'} <= executables()
    played = nodes['playback_node']
    assert played.parameters == [str(ROOT / 'config' / 'playback.yaml'), mine]
    assert played.overrides == nodes['generate_node'].overrides == {'body_id': 'b'}
    for topic in ('joint_states', 'odom', 'joint_trajectory', '/tf', '/tf_static'):
        assert played.remappings[topic] == nodes['generate_node'].remappings[topic]


@pytest.mark.parametrize('arguments', [{'log_level': 'loud'}, {'mode': 'robot'}])
def test_values_outside_the_choices_are_refused(launched, arguments):
    with pytest.raises(ValueError, match='no choice'):
        launched(FILE, **arguments)


def test_what_is_named_is_installed():
    setup = (ROOT / 'setup.py').read_text()
    assert "shared('launch')" in setup
    assert "shared('config')" in setup
    assert "shared('rviz')" in setup
    config = configparser.ConfigParser()
    config.read(ROOT / 'setup.cfg')
    assert config['install']['install_scripts'] == '$base/lib/mgpt3_ros'
