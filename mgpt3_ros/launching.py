# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files share: their arguments, and how these reach the nodes.

A parameters file comes first; an argument that is given overrides it, one left empty does not.
Imported by launch files only, since ``launch`` comes with a ROS installation.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, SetParameter
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription

_BOOLEANS = ['true', 'false']
_UNSET = ''  # leaves the choice to the parameters file

# Launch arguments that override the parameter of the same name.
_TEXTS = ('checkpoint', 'device', 'joint_profile', 'body_id')
_FLAGS = ('autostart', 'publish_markers')

_TOPICS = {
    'command': ('command_topic', 'Topic of the text commands.'),
    'joint_states': ('joint_states_topic', 'Topic that tells where the body is.'),
    'joint_trajectory': ('trajectory_topic', 'Topic of the joint trajectories.'),
}


def describe(
    executable: str,
    nodes: Callable[[LaunchContext], list[Any]],
    topics: Iterable[str] = ('joint_states',),
    flags: Iterable[str] = ('autostart',),
    playback: bool = False,
) -> LaunchDescription:
    """Return a launch description.

    Args:
        executable: whose parameters file is taken where none is given.
        nodes: gives the nodes, when the values of the arguments are known.
        topics: which can be given other names.
        flags: parameters that arguments can switch, of ``_FLAGS``.
        playback: whether playback_node can be asked for.
    """
    return LaunchDescription(
        [
            *_common_arguments(executable, tuple(flags)),
            *(_topic_argument(topic) for topic in topics),
            *([_playback_argument()] if playback else []),
            # Show each line when it is written, not when a buffer is full.
            SetEnvironmentVariable('RCUTILS_LOGGING_BUFFERED_STREAM', '1'),
            SetParameter('use_sim_time', LaunchConfiguration('use_sim_time')),
            OpaqueFunction(function=nodes),
        ]
    )


def model_node(context: LaunchContext, executable: str, **keywords: Any) -> Node:
    """Return a node that uses the model, with its parameters file and what overrides it."""
    parameters = [LaunchConfiguration('params_file'), _overrides(context)]
    return Node(
        executable=executable, parameters=parameters, **_shared_keywords(context), **keywords
    )


def playback_node(context: LaunchContext, **keywords: Any) -> Node:
    """Return playback_node, for the same body."""
    values = _overrides(context)
    body = {name: values[name] for name in ('joint_profile', 'body_id') if name in values}
    return Node(
        executable='playback_node',
        name='playback_node',
        parameters=[_shipped('playback'), body],
        **_shared_keywords(context),
        **keywords,
    )


def _shared_keywords(context: LaunchContext) -> dict[str, Any]:
    given = context.launch_configurations
    return {
        'package': 'mgpt3_ros',
        'namespace': LaunchConfiguration('namespace'),
        'output': 'screen',
        'respawn': LaunchConfiguration('use_respawn').perform(context) == 'true',
        'respawn_delay': 2.0,
        'arguments': ['--ros-args', '--log-level', LaunchConfiguration('log_level')],
        'remappings': [
            *(
                (topic, LaunchConfiguration(name))
                for topic, (name, _) in _TOPICS.items()
                if name in given
            ),
            ('/tf', 'tf'),
        ],
    }


def _overrides(context: LaunchContext) -> dict[str, Any]:
    """Return the parameters whose arguments were given."""
    names = [n for n in (*_TEXTS, *_FLAGS) if n in context.launch_configurations]
    given = {name: LaunchConfiguration(name).perform(context) for name in names}
    # A text stays a text: launch would read a body_id of 7 as a number.
    return {
        name: value == 'true' if name in _FLAGS else ParameterValue(value, value_type=str)
        for name, value in given.items()
        if value != _UNSET
    }


def _shipped(name: str) -> str:
    """Return the path of a parameters file of the package."""
    return os.path.join(get_package_share_directory('mgpt3_ros'), 'config', f'{name}.yaml')


def _common_arguments(executable: str, flags: tuple[str, ...]) -> list[DeclareLaunchArgument]:
    """Return every argument with its default, its meaning and, where closed, its choices."""
    file = _shipped(executable.removesuffix('_node'))
    meanings = {
        'autostart': 'Configure and activate at start',
        'publish_markers': 'Show the body in RViz',
    }
    return [
        _argument('namespace', '', 'Namespace of the nodes and their topics.'),
        _argument('params_file', file, f'YAML file with the parameters of {executable}.'),
        _argument(
            'checkpoint', _UNSET, 'Folder of the model; empty: as the parameters file says.'
        ),
        _argument(
            'device',
            _UNSET,
            'auto, cpu, cuda or cuda:N; empty: as the parameters file says.',
        ),
        *(
            _argument(
                flag,
                _UNSET,
                f'{meanings[flag]}; empty: as the parameters file says.',
                [_UNSET, *_BOOLEANS],
            )
            for flag in flags
        ),
        _argument('use_sim_time', 'false', 'Take the time from /clock.', _BOOLEANS),
        _argument(
            'log_level',
            'info',
            'Least severity of the messages that are shown.',
            ['debug', 'info', 'warn', 'error', 'fatal'],
        ),
        _argument(
            'joint_profile',
            _UNSET,
            'Names of the joints; empty: as the parameters file says.',
            [_UNSET, 'human_full', 'ros4hri'],
        ),
        _argument('body_id', _UNSET, 'Name of the body; empty: as the parameters file says.'),
        _argument('use_respawn', 'false', 'Start a node again that has died.', _BOOLEANS),
    ]


def _playback_argument() -> DeclareLaunchArgument:
    return _argument(
        'playback',
        'false',
        'Also play the trajectories as joint states and odometry.',
        _BOOLEANS,
    )


def _topic_argument(topic: str) -> DeclareLaunchArgument:
    name, meaning = _TOPICS[topic]
    return _argument(name, topic, meaning)


def _argument(
    name: str, default: str, description: str, choices: list[str] | None = None
) -> DeclareLaunchArgument:
    return DeclareLaunchArgument(
        name, default_value=default, description=description, choices=choices
    )
