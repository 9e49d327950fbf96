# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands, captions and predictions in one process, and on request a body to play them.

A parameters file comes first; an argument that is given overrides it, one left empty does not.
Example: ros2 launch mgpt3_ros bringup.launch.py playback:=true
"""

from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration

from mgpt3_ros.launching import describe, model_node, playback_node


def nodes(context):
    """Return the nodes, now that the values of the arguments are known."""
    return [
        model_node(context, 'motion_server'),  # no name: it would become that of all three nodes
        playback_node(context, condition=IfCondition(LaunchConfiguration('playback'))),
    ]


def generate_launch_description():
    """Return what ``ros2 launch mgpt3_ros bringup.launch.py`` starts."""
    return describe(
        'motion_server',
        nodes,
        topics=('command', 'joint_states', 'joint_trajectory'),
        flags=('autostart', 'publish_markers'),
        playback=True,
    )
