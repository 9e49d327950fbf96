# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joint states to what may follow: predict_node with its parameters file.

A parameters file comes first; an argument that is given overrides it, one left empty does not.
Example: ros2 launch mgpt3_ros predict.launch.py joint_states_topic:=/robot/joint_states
"""

from mgpt3_ros.nodes.launching import describe, model_node

TOPICS = ('joint_states', 'odom', 'predicted_trajectory', 'predicted_base_trajectory')


def nodes(context):
    """Return the node, now that the values of the arguments are known."""
    return [model_node(context, 'predict_node', TOPICS, name='predict_node')]


def generate_launch_description():
    """Return what ``ros2 launch mgpt3_ros predict.launch.py`` starts."""
    return describe('predict_node', nodes, TOPICS)
