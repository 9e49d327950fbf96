# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joint states to sentences: caption_node with its parameters file.

A parameters file comes first; an argument that is given overrides it, one left empty does not.
Example: ros2 launch mgpt3_ros caption.launch.py joint_states_topic:=/robot/joint_states
"""

from mgpt3_ros.nodes.launching import describe, model_node

TOPICS = ('joint_states', 'odom', 'caption', '~/caption_event', 'caption_marker')


def nodes(context):
    """Return the node, now that the values of the arguments are known."""
    return [model_node(context, 'caption_node', TOPICS, name='caption_node')]


def generate_launch_description():
    """Return what ``ros2 launch mgpt3_ros caption.launch.py`` starts."""
    return describe('caption_node', nodes, TOPICS)
