# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text commands to joint trajectories: generate_node with its parameters file.

A parameters file comes first; an argument that is given overrides it, one left empty does not.
Example: ros2 launch mgpt3_ros generate.launch.py namespace:=anna publish_markers:=true
"""

import os

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, SetParameter
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription

SHARE = get_package_share_directory('mgpt3_ros')
BOOLEANS = ['true', 'false']
UNSET = ''  # leaves the choice to the parameters file

# Launch arguments that override the parameter of the same name.
TEXTS = ('checkpoint', 'device', 'joint_profile', 'body_id')
FLAGS = ('autostart', 'publish_markers')


def declared_arguments():
    """Return every argument with its default, its meaning and, where closed, its choices."""
    return [
        DeclareLaunchArgument(
            'namespace', default_value='', description='Namespace of the nodes and their topics.'
        ),
        DeclareLaunchArgument(
            'params_file',
            default_value=os.path.join(SHARE, 'config', 'generate.yaml'),
            description='YAML file with the parameters of generate_node.',
        ),
        DeclareLaunchArgument(
            'checkpoint',
            default_value=UNSET,
            description='Folder of the model; empty: as the parameters file says.',
        ),
        DeclareLaunchArgument(
            'device',
            default_value=UNSET,
            description='auto, cpu, cuda or cuda:N; empty: as the parameters file says.',
        ),
        DeclareLaunchArgument(
            'autostart',
            default_value=UNSET,
            choices=[UNSET, *BOOLEANS],
            description='Configure and activate at start; empty: as the parameters file says.',
        ),
        DeclareLaunchArgument(
            'use_sim_time',
            default_value='false',
            choices=BOOLEANS,
            description='Take the time from /clock.',
        ),
        DeclareLaunchArgument(
            'log_level',
            default_value='info',
            choices=['debug', 'info', 'warn', 'error', 'fatal'],
            description='Least severity of the messages that are shown.',
        ),
        DeclareLaunchArgument(
            'joint_profile',
            default_value=UNSET,
            choices=[UNSET, 'human_full', 'ros4hri'],
            description='Names of the joints; empty: as the parameters file says.',
        ),
        DeclareLaunchArgument(
            'body_id',
            default_value=UNSET,
            description='Name of the body; empty: as the parameters file says.',
        ),
        DeclareLaunchArgument(
            'publish_markers',
            default_value=UNSET,
            choices=[UNSET, *BOOLEANS],
            description='Show the body in RViz; empty: as the parameters file says.',
        ),
        DeclareLaunchArgument(
            'use_respawn',
            default_value='false',
            choices=BOOLEANS,
            description='Start a node again that has died.',
        ),
        DeclareLaunchArgument(
            'command_topic', default_value='command', description='Topic of the text commands.'
        ),
        DeclareLaunchArgument(
            'joint_states_topic',
            default_value='joint_states',
            description='Topic that tells where the body is.',
        ),
        DeclareLaunchArgument(
            'trajectory_topic',
            default_value='joint_trajectory',
            description='Topic of the joint trajectories.',
        ),
        DeclareLaunchArgument(
            'playback',
            default_value='false',
            choices=BOOLEANS,
            description='Also play the trajectories as joint states and odometry.',
        ),
    ]


def overrides(context: LaunchContext):
    """Return the parameters whose arguments were given."""
    given = {name: LaunchConfiguration(name).perform(context) for name in (*TEXTS, *FLAGS)}
    values = {name: value for name, value in given.items() if value != UNSET}
    # A text stays a text: launch would read a body_id of 7 as a number.
    return {
        name: value == 'true' if name in FLAGS else ParameterValue(value, value_type=str)
        for name, value in values.items()
    }


def nodes(context: LaunchContext):
    """Return the nodes, now that the values of the arguments are known."""
    values = overrides(context)
    common = {
        'package': 'mgpt3_ros',
        'namespace': LaunchConfiguration('namespace'),
        'output': 'screen',
        'respawn': LaunchConfiguration('use_respawn').perform(context) == 'true',
        'respawn_delay': 2.0,
        'arguments': ['--ros-args', '--log-level', LaunchConfiguration('log_level')],
        'remappings': [
            ('command', LaunchConfiguration('command_topic')),
            ('joint_states', LaunchConfiguration('joint_states_topic')),
            ('joint_trajectory', LaunchConfiguration('trajectory_topic')),
            ('/tf', 'tf'),
        ],
    }
    body = {name: values[name] for name in ('joint_profile', 'body_id') if name in values}
    return [
        Node(
            executable='generate_node',
            name='generate_node',
            parameters=[LaunchConfiguration('params_file'), values],
            **common,
        ),
        Node(
            executable='playback_node',
            name='playback_node',
            parameters=[os.path.join(SHARE, 'config', 'playback.yaml'), body],
            condition=IfCondition(LaunchConfiguration('playback')),
            **common,
        ),
    ]


def generate_launch_description():
    """Return what ``ros2 launch mgpt3_ros generate.launch.py`` starts."""
    return LaunchDescription(
        [
            *declared_arguments(),
            # Show each line when it is written, not when a buffer is full.
            SetEnvironmentVariable('RCUTILS_LOGGING_BUFFERED_STREAM', '1'),
            SetParameter('use_sim_time', LaunchConfiguration('use_sim_time')),
            OpaqueFunction(function=nodes),
        ]
    )
