# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot that moves by words: generate_node with its profile, and a stand-in for the robot.

A parameters file comes first; an argument that is given overrides it, one left empty does not.
Simulated, with captions of what it does:
  ros2 launch mgpt3_ros robot.launch.py robot:=g1 sim:=true caption:=true
A robot of your own, whose controllers run:
  ros2 launch mgpt3_ros robot.launch.py robot:=/path/of/mine.yaml playback:=false
"""

from mgpt3_ros.nodes.launching import describe, robot_nodes

TOPICS = (
    *('command', 'joint_states', 'odom', 'joint_trajectory', 'caption'),
    *('cmd_vel', 'goal_pose', 'path'),
)


def nodes(context):
    """Return the nodes, now that the values of the arguments are known."""
    return robot_nodes(context, TOPICS)


def generate_launch_description():
    """Return what ``ros2 launch mgpt3_ros robot.launch.py`` starts."""
    return describe(
        'generate_node',
        nodes,
        TOPICS,
        flags=('autostart', 'publish_markers', 'steering'),
        moves=True,
        robot=True,
    )
