# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What nodes make of a motion: joint angles, a planned trajectory, its messages, their bytes."""

from __future__ import annotations

from builtin_interfaces.msg import Time
from rclpy.serialization import serialize_message

from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.from_motion import clip_of
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.nodes.messages import to_messages

# Functions of this module by the part that each is.
PARTS = {
    'clip_of': 'joint angles',
    'plan': 'planning',
    'to_messages': 'messages',
    'serialize_message': 'serialising',
}


def published(motion: Motion) -> list[bytes]:
    """The bytes of both messages of a motion's trajectory."""
    trajectory, _ = plan(clip_of(motion, make_profile('human_full', '')), Timing())
    return [serialize_message(message) for message in to_messages(trajectory, Time(), 'map', 'b')]
