# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands, captions and predictions in one process; on request a body that moves, and RViz.

A parameters file comes first; an argument that is given overrides it, one left empty does not.
A person to look at:
  ros2 launch mgpt3_ros bringup.launch.py playback:=true view:=true          in the browser
  ros2 launch mgpt3_ros bringup.launch.py playback:=true robot_state_publisher:=true rviz:=true
"""

from mgpt3_ros.nodes.launching import describe, model_node, playback_node, view_node, viewer_nodes

TOPICS = (
    *('command', 'joint_states', 'odom', 'joint_trajectory', 'base_trajectory', 'markers'),
    *('cmd_vel', 'goal_pose', 'path'),
    *('caption', '~/caption_event', 'caption_marker'),
)


def nodes(context):
    """Return the nodes, now that the values of the arguments are known."""
    return [
        # Without a name: it would become that of all three nodes.
        model_node(context, 'motion_server', TOPICS),
        *playback_node(context),
        *view_node(context),
        *viewer_nodes(context),
    ]


def generate_launch_description():
    """Return what ``ros2 launch mgpt3_ros bringup.launch.py`` starts."""
    return describe(
        'motion_server',
        nodes,
        TOPICS,
        flags=('autostart', 'publish_markers', 'steering'),
        playback=True,
        moves=True,
        viewers=True,
    )
