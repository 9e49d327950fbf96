# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files share: their arguments, and how these reach the nodes.

A parameters file comes first; an argument that is given overrides it, one left empty does not.
Imported by launch files only, since ``launch`` comes with a ROS installation.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml
from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription
from mgpt3_ros.model.errors import MotionGPT3Error
from mgpt3_ros.robots import Robot

_BOOLEANS = ['true', 'false', 'True', 'False']
_UNSET = ''  # leaves the choice to the parameters file
_AS_FILE = '; empty: as the parameters file says.'

_MODELS = [_UNSET, 'default', 'stream', 'language']

# Launch arguments that override the parameter of the same name.
_TEXTS = ('checkpoint', 'device', 'joint_profile', 'body_id', 'mode')
_FLAGS = ('autostart', 'publish_markers', 'use_sim_time', 'steering')

# Matches every node, as /** does. Sections apply in the order in which their names first appear in
# all parameters files together: one for a certain node would beat a later /**. This name is
# nobody's, so it is new, applies last, and what it says holds.
_EVERY_NODE = '/**/**'

_TOPICS = {
    'command': ('command_topic', 'Topic of the text commands.'),
    'cmd_vel': ('cmd_vel_topic', 'Topic of the velocities that steer, with steering.'),
    'goal_pose': ('goal_pose_topic', 'Topic of the poses to walk to, with steering.'),
    'path': ('path_topic', 'Topic of the paths to walk along, with steering.'),
    'joint_states': ('joint_states_topic', 'Topic that tells how the body stands.'),
    'odom': ('odom_topic', 'Topic that tells where the body is.'),
    'joint_trajectory': ('trajectory_topic', 'Topic of the joint trajectories.'),
    'base_trajectory': ('base_trajectory_topic', "Topic of the pelvis' trajectories."),
    'markers': ('markers_topic', 'Topic of the markers of the body.'),
    'caption': ('caption_topic', 'Topic of the captions.'),
    '~/caption_event': ('caption_event_topic', 'Topic of the captions for programs.'),
    'caption_marker': ('caption_marker_topic', 'Topic of the captions as markers.'),
    'predicted_base_trajectory': (
        'base_trajectory_topic',
        "Topic of the pelvis' predicted trajectories.",
    ),
    'predicted_trajectory': ('trajectory_topic', 'Topic of the predicted trajectories.'),
}


def describe(
    executable: str,
    nodes: Callable[[LaunchContext], list[Any]],
    topics: Iterable[str],
    flags: Iterable[str] = ('autostart',),
    playback: bool = False,
    viewers: bool = False,
    moves: bool = False,
    robot: bool = False,
) -> LaunchDescription:
    """Return a launch description.

    Args:
        executable: whose parameters file is taken where none is given.
        nodes: gives the nodes, when the values of the arguments are known.
        topics: which can be given other names, of ``_TOPICS``.
        flags: parameters that arguments can switch, of ``_FLAGS``.
        playback: whether playback_node can be asked for.
        viewers: whether robot_state_publisher and RViz can be asked for.
        moves: whether the mode in which a body is moved can be chosen.
        robot: whether the body is a robot, which ``robot_nodes`` starts nodes for.
    """
    mode = f'clip: motions with an end; stream: moves until the next command{_AS_FILE}'
    modes = [_UNSET, 'clip', 'stream']
    played = 'Also play the trajectories as joint states and odometry.'
    return LaunchDescription(
        [
            *(_robot_arguments() if robot else []),
            *_common_arguments(executable, flags, robot),
            *(_argument(_TOPICS[topic][0], topic, _TOPICS[topic][1]) for topic in topics),
            *([_argument('mode', _UNSET, mode, modes)] if moves else []),
            *([_argument('playback', 'false', played, _BOOLEANS)] if playback else []),
            *(_viewer_arguments() if viewers else []),
            # Show each line when it is written, not when a buffer is full.
            SetEnvironmentVariable('RCUTILS_LOGGING_BUFFERED_STREAM', '1'),
            OpaqueFunction(function=nodes),
        ]
    )


def asked_for(context: LaunchContext, name: str) -> bool:
    """Whether a switch is on."""
    return LaunchConfiguration(name).perform(context).lower() == 'true'


def model_node(
    context: LaunchContext, executable: str, topics: Iterable[str], **keywords: Any
) -> Node:
    """Return a node that uses the model, with its parameters file and what overrides it.

    Args:
        context: holds the arguments' values.
        executable: of the package.
        topics: those that ``describe`` was told.
        **keywords: of the node.
    """
    return _node(context, 'mgpt3_ros', executable, _parameters(context), topics, **keywords)


def playback_node(context: LaunchContext) -> list[Node]:
    """Return playback_node, for the same body; nothing if it is not asked for."""
    if not asked_for(context, 'playback'):
        return []
    parameters = [_share('config', 'playback.yaml'), *_parameters(context)]
    topics = ('joint_states', 'odom', 'joint_trajectory', 'base_trajectory')
    return [_node(context, 'mgpt3_ros', 'playback_node', parameters, topics, name='playback_node')]


def robot_nodes(context: LaunchContext, topics: Iterable[str]) -> list[Node]:
    """Return the nodes that move a robot by words, and what stands for it and shows it.

    Raises:
        RuntimeError: the robot or its URDF is not there; or RViz is asked for and not installed.
    """
    name = LaunchConfiguration('robot').perform(context)
    try:
        robot = Robot.from_name_or_file(name)
    except MotionGPT3Error as error:
        raise RuntimeError(f'robot:={name}: {error}') from error
    if asked_for(context, 'caption'):
        nodes = [model_node(context, 'motion_server', topics)]
    else:
        nodes = [model_node(context, 'generate_node', topics, name='generate_node')]
    heard = ('joint_states', 'odom', 'joint_trajectory')
    if asked_for(context, 'sim') or asked_for(context, 'playback'):
        stand_in = 'sim_node' if asked_for(context, 'sim') else 'playback_node'
        parameters = _parameters(context)
        nodes.append(_node(context, 'mgpt3_ros', stand_in, parameters, heard, name=stand_in))
    if _installed('robot_state_publisher'):
        description = ParameterValue(_text(robot.urdf.path, 'robot'), value_type=str)
        parameters = _parameters(context, {'robot_description': description})
        publisher = 'robot_state_publisher'
        nodes.append(
            _node(context, publisher, publisher, parameters, ('joint_states',), name=publisher)
        )
    return [*nodes, *_rviz(context)]


def view_node(context: LaunchContext) -> list[Node]:
    """Return view_node, for the same body; nothing if it is not asked for.

    Raises:
        RuntimeError: viser is not installed.
    """
    if not asked_for(context, 'view'):
        return []
    if importlib.util.find_spec('viser') is None:
        raise RuntimeError('view:=true needs viser: pip install "mgpt3_ros[view]"')
    parameters = [_share('config', 'view.yaml'), *_parameters(context)]
    topics = ('command', 'joint_states', 'odom', 'caption')
    return [_node(context, 'mgpt3_ros', 'view_node', parameters, topics, name='view_node')]


def viewer_nodes(context: LaunchContext) -> list[Node]:
    """Return robot_state_publisher and RViz, as far as they are asked for.

    Raises:
        RuntimeError: one of them is not installed; or the URDF cannot be read, or is of other
            joints than those that come.
    """
    nodes = []
    if asked_for(context, 'robot_state_publisher'):
        name = 'robot_state_publisher'
        _require(name, name)
        # A text: launch would read the XML as YAML.
        description = ParameterValue(_urdf(context), value_type=str)
        parameters = _parameters(context, {'robot_description': description})
        nodes.append(_node(context, name, name, parameters, ('joint_states',), name=name))
    return [*nodes, *_rviz(context)]


def _rviz(context: LaunchContext) -> list[Node]:
    if not asked_for(context, 'rviz'):
        return []
    _require('rviz2', 'rviz')
    shown = ['-d', LaunchConfiguration('rviz_config')]
    # It ends when its window is closed, and ends nothing else.
    only_once = {'name': 'rviz2', 'respawn': False}
    return [_node(context, 'rviz2', 'rviz2', _overrides(context), (), shown, **only_once)]


def _installed(package: str) -> bool:
    try:
        get_package_share_directory(package)
    except PackageNotFoundError:
        return False
    return True


def _require(package: str, argument: str) -> None:
    """Look for a package before anything starts: launch, failing later, leaves what runs behind.

    Raises:
        RuntimeError: it is not installed.
    """
    if not _installed(package):
        raise RuntimeError(
            f'{argument}:=true needs the package {package}, which is not installed: '
            f'`sudo apt install ros-$ROS_DISTRO-{package.replace("_", "-")}`'
        )


def _urdf(context: LaunchContext) -> str:
    path = LaunchConfiguration('urdf_file').perform(context)
    profile = LaunchConfiguration('joint_profile').perform(context)
    if profile == 'ros4hri' and path == _share('urdf', 'human.urdf'):
        raise RuntimeError(
            f'{path} has the joints of human_full, not of ros4hri: give urdf_file:=FILE with '
            'those of REP-155, such as that of the package human_description'
        )
    return _text(Path(path), f'urdf_file:={path}')


def _text(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding='utf-8')
    except (OSError, UnicodeDecodeError) as error:
        raise RuntimeError(f'{what} cannot be read: {error}') from error


def _node(
    context: LaunchContext,
    package: str,
    executable: str,
    parameters: list[Any],
    topics: Iterable[str],
    arguments: Iterable[Any] = (),
    **keywords: Any,
) -> Node:
    """Return a node with what all have in common; ``keywords`` beat that."""
    shared = {
        'namespace': LaunchConfiguration('namespace'),
        'output': 'screen',
        'respawn': asked_for(context, 'use_respawn'),
        'respawn_delay': 2.0,
        'arguments': [*arguments, '--ros-args', '--log-level', LaunchConfiguration('log_level')],
        'remappings': [
            *((topic, LaunchConfiguration(_TOPICS[topic][0])) for topic in topics),
            ('/tf', 'tf'),
            ('/tf_static', 'tf_static'),
        ],
    }
    return Node(
        package=package, executable=executable, parameters=parameters, **(shared | keywords)
    )


def _parameters(context: LaunchContext, *more: Any) -> list[Any]:
    """Return the parameters file that was given, ``more``, and what overrides both.

    Raises:
        RuntimeError: there is none; launch itself would go on without, at the defaults.
    """
    path = LaunchConfiguration('params_file').perform(context)
    if not Path(path).is_file():
        raise RuntimeError(f'params_file:={path}: there is no such file')
    return [path, *more, *_overrides(context, path)]


def _overrides(context: LaunchContext, path: str = '') -> list[str]:
    """Return a parameters file of the arguments that were given; nothing where none was.

    ``model`` names a checkpoint as ``checkpoint`` does, which counts where both are given. Beside
    a parameters file at ``path``, mode stream takes the shipped checkpoint of that form, unless an
    argument or that file names one.
    """
    names = [n for n in (*_TEXTS, *_FLAGS) if n in context.launch_configurations]
    given = {name: LaunchConfiguration(name).perform(context) for name in names}
    values = {
        name: value.lower() == 'true' if name in _FLAGS else value
        for name, value in given.items()
        if value != _UNSET
    }
    if 'robot' in context.launch_configurations:
        values['joint_profile'] = LaunchConfiguration('robot').perform(context)
    model = context.launch_configurations.get('model', _UNSET)
    if model != _UNSET:
        values.setdefault('checkpoint', model)
    if path and values.get('mode') == 'stream' and not _named(path):
        values.setdefault('checkpoint', 'stream')
    if not values:
        return []
    # It stays, as launch's own do: a node that is started again reads it again.
    with tempfile.NamedTemporaryFile(
        'w', prefix='mgpt3_launch_', suffix='.yaml', delete=False, encoding='utf-8'
    ) as file:
        yaml.safe_dump({_EVERY_NODE: {'ros__parameters': values}}, file)
    return [file.name]


def _named(path: str) -> bool:
    """Whether a parameters file names a checkpoint."""
    sections = yaml.safe_load(Path(path).read_text(encoding='utf-8')) or {}
    given = [section.get('ros__parameters', {}) for section in sections.values()]
    return any(parameters.get('checkpoint') for parameters in given)


def _share(*parts: str) -> str:
    """Return the path of a file of the package."""
    return os.path.join(get_package_share_directory('mgpt3_ros'), *parts)


def _common_arguments(
    executable: str, flags: Iterable[str], robot: bool
) -> list[DeclareLaunchArgument]:
    file = _share('config', f'{"robot" if robot else executable.removesuffix("_node")}.yaml')
    body = [
        _argument('joint_profile', _UNSET, f'Names of the joints, or a robot{_AS_FILE}'),
        _argument('body_id', _UNSET, f'Name of the body{_AS_FILE}'),
    ]
    meanings = {
        'autostart': 'Configure and activate at start',
        'publish_markers': 'Publish the body for RViz on markers',
        'use_sim_time': 'Take the time from /clock',
        'steering': 'Let cmd_vel, goal_pose and path steer the body',
    }
    levels = ['debug', 'info', 'warn', 'error', 'fatal']
    return [
        _argument('namespace', '', 'Namespace of the nodes and their topics.'),
        _argument('params_file', file, f'YAML file with the parameters of {executable}.'),
        _argument('checkpoint', _UNSET, f'Folder of the model{_AS_FILE}'),
        _argument('model', _UNSET, f'The same by its name{_AS_FILE}', _MODELS),
        _argument('device', _UNSET, f'auto, cpu, cuda or cuda:N{_AS_FILE}'),
        *(
            _argument(flag, _UNSET, f'{meanings[flag]}{_AS_FILE}', [_UNSET, *_BOOLEANS])
            for flag in (*flags, 'use_sim_time')
        ),
        _argument('log_level', 'info', 'Least severity of the messages that are shown.', levels),
        *([] if robot else body),
        _argument('use_respawn', 'false', 'Start a node again that has died.', _BOOLEANS),
    ]


def _robot_arguments() -> list[DeclareLaunchArgument]:
    known = 'Name of a robot, as `mgpt3 robot list` shows, or the path of its YAML.'
    sim = 'Simulate it with MuJoCo, base guided, in the place of playback (extra sim).'
    played = 'A stand-in that does what it is told; false where a robot listens.'
    return [
        _argument('robot', 'g1', known),
        _argument('sim', 'false', sim, _BOOLEANS),
        _argument('playback', 'true', played, _BOOLEANS),
        _argument('caption', 'false', 'Also caption and predict what the robot does.', _BOOLEANS),
        _argument('rviz', 'false', 'Also open RViz with rviz_config.', _BOOLEANS),
        _argument('rviz_config', _share('rviz', 'body.rviz'), 'What RViz shows.'),
    ]


def _viewer_arguments() -> list[DeclareLaunchArgument]:
    page = 'Also show the body on a page in the browser, which takes commands too.'
    frames = 'Also publish the frames of the body, from joint_states and urdf_file.'
    return [
        _argument('view', 'false', page, _BOOLEANS),
        _argument('robot_state_publisher', 'false', frames, _BOOLEANS),
        _argument('urdf_file', _share('urdf', 'human.urdf'), 'URDF of the body.'),
        _argument('rviz', 'false', 'Also open RViz with rviz_config.', _BOOLEANS),
        _argument('rviz_config', _share('rviz', 'body.rviz'), 'What RViz shows.'),
    ]


def _argument(
    name: str, default: str, description: str, choices: list[str] | None = None
) -> DeclareLaunchArgument:
    return DeclareLaunchArgument(
        name, default_value=default, description=description, choices=choices
    )
