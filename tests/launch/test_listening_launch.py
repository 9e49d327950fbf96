# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files of caption, predict and bringup, and the parameters files of all nodes."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMMON = {
    *('namespace', 'params_file', 'checkpoint', 'device', 'autostart', 'use_sim_time'),
    *('log_level', 'joint_profile', 'body_id', 'use_respawn', 'joint_states_topic'),
}
MORE = {
    'caption': set(),
    'predict': set(),
    'bringup': {'publish_markers', 'command_topic', 'trajectory_topic', 'playback'},
}
EXECUTABLES = {'caption': 'caption_node', 'predict': 'predict_node', 'bringup': 'motion_server'}


def executables() -> set[str]:
    return set(re.findall(r"'(\w+) = mgpt3_ros", (ROOT / 'setup.py').read_text()))


@pytest.mark.parametrize('name', MORE)
def test_arguments_are_those_of_the_interface_each_described(launched, name):
    declared = launched(f'{name}.launch.py').declared
    assert set(declared) == COMMON | MORE[name]
    for argument in declared.values():
        assert argument.description.endswith('.'), argument.name
        assert argument.default_value is not None, argument.name


@pytest.mark.parametrize('name', MORE)
def test_by_default_one_node_with_its_own_parameters(launched, name):
    (node,) = launched(f'{name}.launch.py').nodes
    assert node.executable == EXECUTABLES[name]
    assert node.executable in executables()
    # A name given to a process becomes that of each of its nodes.
    assert node.name == (None if name == 'bringup' else node.executable)
    file = 'motion_server' if name == 'bringup' else name
    assert node.parameters == [str(ROOT / 'config' / f'{file}.yaml'), {}]
    assert Path(node.parameters[0]).is_file()


@pytest.mark.parametrize('name', MORE)
def test_arguments_reach_the_node(launched, name):
    given = {'namespace': 'anna', 'joint_states_topic': '/robot/joint_states', 'body_id': '7'}
    result = launched(
        f'{name}.launch.py',
        **given,
        autostart='false',
        params_file='/tmp/mine.yaml',
        use_sim_time='true',
        use_respawn='true',
    )
    (node,) = result.nodes
    assert node.namespace == 'anna'
    assert node.remappings['joint_states'] == '/robot/joint_states'
    assert node.parameters == ['/tmp/mine.yaml', {'body_id': '7', 'autostart': False}]
    assert node.respawn
    assert result.settings['use_sim_time'] == 'true'


def test_bringup_plays_on_request_on_the_same_topics(launched):
    nodes = {
        node.executable: node
        for node in launched('bringup.launch.py', playback='true', trajectory_topic='/jtc').nodes
    }
    assert set(nodes) == {'motion_server', 'playback_node'}
    assert {node.remappings['joint_trajectory'] for node in nodes.values()} == {'/jtc'}


def declared_parameters(name: str) -> set[str]:
    from mgpt3_ros.listening_node import LISTENING_PARAMETERS
    from mgpt3_ros.motion_node import MODEL_PARAMETERS

    if name == 'motion_server':
        return set.union(*(declared_parameters(n) for n in ('generate', 'caption', 'predict')))
    own = import_module(f'mgpt3_ros.{name}_node').PARAMETER_NAMES
    model = () if name == 'playback' else MODEL_PARAMETERS
    listening = LISTENING_PARAMETERS if name in ('caption', 'predict') else ()
    return {*own, *model, *listening}


@pytest.mark.parametrize('name', sorted(path.stem for path in (ROOT / 'config').glob('*.yaml')))
def test_parameters_files_name_declared_parameters_with_their_defaults(name):
    pytest.importorskip('rclpy', reason='the declarations are rclpy descriptors')
    from mgpt3_ros.parameters import PARAMETERS

    data = yaml.safe_load((ROOT / 'config' / f'{name}.yaml').read_text())
    values = data['/**']['ros__parameters']
    assert set(values) == declared_parameters(name)
    for key, value in values.items():
        assert type(value) is type(PARAMETERS[key].default), key
        assert value == PARAMETERS[key].default, key
