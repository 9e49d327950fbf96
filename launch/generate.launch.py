# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text commands to joint trajectories: generate_node with its parameters file.

A parameters file comes first; an argument that is given overrides it, one left empty does not.
Example: ros2 launch mgpt3_ros generate.launch.py namespace:=anna publish_markers:=true
"""

from mgpt3_ros.nodes.launching import describe, model_node, playback_node

TOPICS = (
    *('command', 'joint_states', 'odom', 'joint_trajectory', 'base_trajectory', 'markers'),
    *('cmd_vel', 'goal_pose', 'path'),
)


def nodes(context):
    """Return the nodes, now that the values of the arguments are known."""
    return [
        model_node(context, 'generate_node', TOPICS, name='generate_node'),
        *playback_node(context),
    ]


def generate_launch_description():
    """Return what ``ros2 launch mgpt3_ros generate.launch.py`` starts."""
    return describe(
        'generate_node',
        nodes,
        TOPICS,
        flags=('autostart', 'publish_markers', 'steering'),
        playback=True,
        moves=True,
    )
