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
    *('log_level', 'joint_profile', 'body_id', 'use_respawn', 'joint_states_topic', 'odom_topic'),
    'model',
}
MORE = {
    'caption': {'caption_topic', 'caption_event_topic', 'caption_marker_topic'},
    'predict': {'trajectory_topic', 'base_trajectory_topic'},
    'bringup': {
        *('publish_markers', 'command_topic', 'trajectory_topic', 'caption_topic', 'playback'),
        *('mode', 'steering', 'cmd_vel_topic', 'goal_pose_topic', 'path_topic'),
        *('base_trajectory_topic', 'markers_topic'),
        *('caption_event_topic', 'caption_marker_topic'),
        *('view', 'robot_state_publisher', 'urdf_file', 'rviz', 'rviz_config'),
    },
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
    assert node.parameters == [str(ROOT / 'config' / f'{file}.yaml')]
    assert node.overrides == {}
    assert Path(node.parameters[0]).is_file()


@pytest.mark.parametrize('name', MORE)
def test_arguments_reach_the_node(launched, name, tmp_path):
    (tmp_path / 'mine.yaml').touch()
    given = {'namespace': 'anna', 'joint_states_topic': '/robot/joint_states', 'body_id': '7'}
    result = launched(
        f'{name}.launch.py',
        **given,
        autostart='false',
        params_file=str(tmp_path / 'mine.yaml'),
        use_sim_time='true',
        use_respawn='true',
    )
    (node,) = result.nodes
    assert node.namespace == 'anna'
    assert node.remappings['joint_states'] == '/robot/joint_states'
    assert node.parameters == [str(tmp_path / 'mine.yaml')]
    assert node.overrides == {'body_id': '7', 'autostart': False, 'use_sim_time': True}
    assert node.respawn


@pytest.mark.parametrize(
    ('name', 'argument', 'topic'),
    [
        ('caption', 'caption_topic', 'caption'),
        ('predict', 'trajectory_topic', 'predicted_trajectory'),
        ('bringup', 'trajectory_topic', 'joint_trajectory'),
        ('bringup', 'base_trajectory_topic', 'base_trajectory'),
        ('bringup', 'markers_topic', 'markers'),
        ('caption', 'caption_marker_topic', 'caption_marker'),
        ('predict', 'base_trajectory_topic', 'predicted_base_trajectory'),
    ],
)
def test_what_is_published_can_go_elsewhere(launched, name, argument, topic):
    (node,) = launched(f'{name}.launch.py', **{argument: '/there'}).nodes
    assert [old for old, new in node.remappings.items() if new == '/there'] == [topic]


def test_bringup_plays_on_request_on_the_same_topics(launched):
    nodes = {
        node.executable: node
        for node in launched('bringup.launch.py', playback='true', trajectory_topic='/jtc').nodes
    }
    assert set(nodes) == {'motion_server', 'playback_node'}
    assert {node.remappings['joint_trajectory'] for node in nodes.values()} == {'/jtc'}


def test_the_page_comes_on_request_and_hears_the_same_body(launched):
    pytest.importorskip('viser', reason='the extra view is not installed')
    arguments = {'view': 'true', 'playback': 'true', 'body_id': 'b', 'caption_topic': '/said'}
    nodes = {node.executable: node for node in launched('bringup.launch.py', **arguments).nodes}
    assert set(nodes) == {'motion_server', 'playback_node', 'view_node'} <= executables()
    view, served = nodes['view_node'], nodes['motion_server']
    assert view.parameters[0] == str(ROOT / 'config' / 'view.yaml')
    assert view.overrides == {'body_id': 'b'}
    for topic in ('command', 'joint_states', 'odom', 'caption'):
        assert view.remappings[topic] == served.remappings[topic]


def test_the_body_is_shown_on_request(launched):
    arguments = {'playback': 'true', 'robot_state_publisher': 'true', 'rviz': 'true'}
    arguments |= {'namespace': 'anna', 'use_sim_time': 'true', 'joint_states_topic': '/body'}
    nodes = {n.executable: n for n in launched('bringup.launch.py', **arguments).nodes}
    assert set(nodes) == {'motion_server', 'playback_node', 'robot_state_publisher', 'rviz2'}
    assert {node.namespace for node in nodes.values()} == {'anna'}
    assert all(node.overrides == {'use_sim_time': True} for node in nodes.values())
    publisher, rviz = nodes['robot_state_publisher'], nodes['rviz2']
    description = publisher.parameters[-1]['robot_description']
    assert description.value == (ROOT / 'urdf' / 'human.urdf').read_text()
    assert description.value_type is str
    for node in (publisher, rviz):
        assert node.package == node.executable
        assert node.remappings['/tf'] == 'tf'
        assert node.remappings['/tf_static'] == 'tf_static'
    assert (
        publisher.remappings['joint_states'] == nodes['playback_node'].remappings['joint_states']
    )
    assert rviz.arguments[:2] == ['-d', str(ROOT / 'rviz' / 'body.rviz')]


@pytest.mark.parametrize(
    ('argument', 'package'), [('rviz', 'rviz2'), ('robot_state_publisher',) * 2]
)
def test_a_viewer_that_is_not_installed_stops_the_launch_before_it_begins(
    launched, monkeypatch, argument, package
):
    from ament_index_python import packages

    monkeypatch.setattr(packages, 'INSTALLED', ['mgpt3_ros'])
    with pytest.raises(RuntimeError, match=f'{argument}:=true needs the package {package}'):
        launched('bringup.launch.py', **{argument: 'true'})


def test_a_urdf_of_other_joints_is_asked_for(launched, tmp_path):
    arguments = {'robot_state_publisher': 'true', 'joint_profile': 'ros4hri'}
    with pytest.raises(RuntimeError, match='not of ros4hri: give urdf_file:=FILE'):
        launched('bringup.launch.py', **arguments)
    with pytest.raises(RuntimeError, match='cannot be read'):
        launched('bringup.launch.py', **arguments, urdf_file=str(tmp_path / 'none.urdf'))
    mine = tmp_path / 'mine.urdf'
    mine.write_text('<robot name="mine"/>')
    publisher = launched('bringup.launch.py', **arguments, urdf_file=str(mine)).nodes[-1]
    assert publisher.parameters[-1]['robot_description'].value == '<robot name="mine"/>'


def test_rviz_shows_what_is_published_in_its_namespace():
    config = yaml.safe_load((ROOT / 'rviz' / 'body.rviz').read_text())['Visualization Manager']
    world_frame = yaml.safe_load((ROOT / 'config' / 'motion_server.yaml').read_text())
    world_frame = world_frame['/**']['ros__parameters']['world_frame']
    assert config['Global Options']['Fixed Frame'] == world_frame
    kinds = {
        display['Class'].removeprefix('rviz_default_plugins/'): (
            display.get('Topic') or display.get('Description Topic') or {}
        ).get('Value')
        for display in config['Displays']
    }
    assert kinds.pop('RobotModel') == 'robot_description'  # of robot_state_publisher
    published = {
        topic: kind
        for path in (ROOT / 'mgpt3_ros' / 'nodes').glob('*_node.py')
        for kind, topic in re.findall(r"_publisher\(\s*(\w+), '(\w+)'", path.read_text())
    }
    shown = {topic: kind for kind, topic in kinds.items() if topic}
    assert shown == {'markers': 'MarkerArray', 'caption_marker': 'Marker'}
    assert shown.items() <= published.items()


def declared_parameters(name: str) -> set[str]:
    from mgpt3_ros.nodes.lifecycle import MODEL_PARAMETERS
    from mgpt3_ros.nodes.listening_node import LISTENING_PARAMETERS
    from mgpt3_ros.nodes.moving_node import MOVING_PARAMETERS

    if name == 'motion_server':
        return set.union(*(declared_parameters(n) for n in ('generate', 'caption', 'predict')))
    if name == 'robot':  # of the body the robot's name is enough; rate is the stand-in's
        return declared_parameters('generate') - {'body_id'} | {'rate'}
    own = import_module(f'mgpt3_ros.nodes.{name}_node').PARAMETER_NAMES
    model = () if name in ('playback', 'view') else MODEL_PARAMETERS
    if name == 'retarget':
        model = ('autostart',)
    listening = LISTENING_PARAMETERS if name in ('caption', 'predict') else ()
    moving = MOVING_PARAMETERS if name in ('generate', 'retarget') else ()
    return {*own, *model, *listening, *moving}


# Where a robot listens it is moved from where it is seen alone.
ROBOT = {
    **{'joint_profile': 'g1', 'base_frame': ''},
    **{'start_from': 'joint_states', 'require_joint_state': True},
}
UNUSED = {  # by retarget_node, of those that move a body
    *('stamp_mode', 'closed_loop', 'body_id', 'max_text_length', 'publish_markers'),
}


@pytest.mark.parametrize('name', sorted(path.stem for path in (ROOT / 'config').glob('*.yaml')))
def test_parameters_files_name_declared_parameters_with_their_defaults(name):
    pytest.importorskip('rclpy', reason='the declarations are rclpy descriptors')
    from mgpt3_ros.nodes.parameters import PARAMETERS

    data = yaml.safe_load((ROOT / 'config' / f'{name}.yaml').read_text())
    values = data['/**']['ros__parameters']
    assert set(values) == declared_parameters(name) - (UNUSED if name == 'retarget' else set())
    meant = ROBOT if name in ('robot', 'retarget') else {}
    for key, value in values.items():
        assert type(value) is type(PARAMETERS[key].default), key
        assert value == meant.get(key, PARAMETERS[key].default), key
