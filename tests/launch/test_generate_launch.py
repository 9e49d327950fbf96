# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = 'generate.launch.py'
CLOSED = {
    'autostart': ['', 'true', 'false'],
    'use_sim_time': ['true', 'false'],
    'log_level': ['debug', 'info', 'warn', 'error', 'fatal'],
    'joint_profile': ['', 'human_full', 'ros4hri'],
    'publish_markers': ['', 'true', 'false'],
    'use_respawn': ['true', 'false'],
    'playback': ['true', 'false'],
}
OPEN = {
    *('namespace', 'params_file', 'checkpoint', 'device', 'body_id'),
    *('command_topic', 'joint_states_topic', 'trajectory_topic'),
}


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
    assert node.parameters == [str(ROOT / 'config' / 'generate.yaml'), {}]
    assert node.arguments == ['--ros-args', '--log-level', 'info']
    assert not node.respawn
    assert result.settings['use_sim_time'] == 'false'


def test_arguments_override_the_parameters_file(launched):
    (node,) = launched(
        FILE,
        params_file='/tmp/mine.yaml',
        checkpoint='/models/mine',
        device='cpu',
        autostart='false',
        publish_markers='true',
        joint_profile='ros4hri',
        body_id='7',
    ).nodes
    assert node.parameters[0] == '/tmp/mine.yaml'
    overrides = node.parameters[1]
    assert (overrides['autostart'], overrides['publish_markers']) == (False, True)
    assert overrides['body_id'].value_type is str
    assert {name: getattr(value, 'value', value) for name, value in overrides.items()} == {
        **{'checkpoint': '/models/mine', 'device': 'cpu', 'joint_profile': 'ros4hri'},
        **{'body_id': '7', 'autostart': False, 'publish_markers': True},
    }


def test_topics_namespace_and_respawn(launched):
    (node,) = launched(
        FILE,
        namespace='anna',
        command_topic='say',
        joint_states_topic='/robot/joint_states',
        trajectory_topic='/jtc/joint_trajectory',
        use_respawn='true',
        use_sim_time='true',
        log_level='debug',
    ).nodes
    assert node.namespace == 'anna'
    assert node.remappings['command'] == 'say'
    assert node.remappings['joint_states'] == '/robot/joint_states'
    assert node.remappings['joint_trajectory'] == '/jtc/joint_trajectory'
    assert node.respawn
    assert node.arguments[-1] == 'debug'


def test_playback_comes_on_request_with_the_same_names_of_joints(launched):
    nodes = {n.executable: n for n in launched(FILE, playback='true', body_id='b').nodes}
    assert set(nodes) == {'generate_node', 'playback_node'} <= executables()
    assert nodes['playback_node'].parameters[1] == {'body_id': 'b'}
    assert nodes['playback_node'].remappings == nodes['generate_node'].remappings


@pytest.mark.parametrize('arguments', [{'log_level': 'loud'}, {'joint_profile': 'robot'}])
def test_values_outside_the_choices_are_refused(launched, arguments):
    with pytest.raises(ValueError, match='no choice'):
        launched(FILE, **arguments)


def test_what_is_named_is_installed():
    setup = (ROOT / 'setup.py').read_text()
    assert "shared('launch')" in setup
    assert "shared('config')" in setup
    config = configparser.ConfigParser()
    config.read(ROOT / 'setup.cfg')
    assert config['install']['install_scripts'] == '$base/lib/mgpt3_ros'
