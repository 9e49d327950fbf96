# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text commands to joint trajectories: generate_node with its parameters file.

A parameters file comes first; an argument that is given overrides it, one left empty does not.
Example: ros2 launch mgpt3_ros generate.launch.py namespace:=anna publish_markers:=true
"""

from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration

from mgpt3_ros.launching import describe, model_node, playback_node


def nodes(context):
    """Return the nodes, now that the values of the arguments are known."""
    return [
        model_node(context, 'generate_node', name='generate_node'),
        playback_node(context, condition=IfCondition(LaunchConfiguration('playback'))),
    ]


def generate_launch_description():
    """Return what ``ros2 launch mgpt3_ros generate.launch.py`` starts."""
    return describe(
        'generate_node',
        nodes,
        topics=('command', 'joint_states', 'joint_trajectory'),
        flags=('autostart', 'publish_markers'),
        playback=True,
    )
