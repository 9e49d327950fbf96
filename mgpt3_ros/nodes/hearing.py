# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Odometry of a body: what it tells, of which frames; and why a node hears nothing of one."""

from __future__ import annotations

from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible

from mgpt3_ros.body.observation import MotionBuffer


def why_deaf(node: Node, topic: str, qos: QoSProfile, last_fault: str) -> str:
    """Return a line about a topic on which nothing usable is heard.

    Args:
        node: that listens.
        topic: what it listens to, before remapping.
        qos: with which.
        last_fault: why the last message was not usable; '' if none came.
    """
    name = node.resolve_topic_name(topic)
    if last_fault:
        return f'nothing usable on {name}: {last_fault}'
    publishers = node.get_publishers_info_by_topic(name)
    if not publishers:
        return f'nothing is heard: nobody publishes {name}'
    for publisher in publishers:
        fits, reason = qos_check_compatible(publisher.qos_profile, qos)
        if fits == QoSCompatibility.ERROR:
            return f'nothing is heard on {name}: {publisher.node_name} offers less ({reason})'
    count = f'{len(publishers)} publisher{"s" if len(publishers) > 1 else ""}'
    return f'nothing is heard on {name}, though it has {count}'


def hear_odometry(buffer: MotionBuffer, message: Odometry, stamp_ns: int) -> None:
    """Tell ``buffer`` where the base is and how it moves.

    Raises:
        UnusableError: as :meth:`MotionBuffer.hear_base`.
    """
    place, turn = message.pose.pose.position, message.pose.pose.orientation
    lin, ang = message.twist.twist.linear, message.twist.twist.angular
    buffer.hear_base(
        (place.x, place.y, place.z),
        (turn.x, turn.y, turn.z, turn.w),
        stamp_ns,
        (lin.x, lin.y, lin.z, ang.x, ang.y, ang.z),
    )


def wrong_frames(message: Odometry, world: str, base: str) -> tuple[bool, str]:
    """Look at the frames of odometry; return whether it can be used, and what is odd about them.

    Odometry the other way round (the world as seen from the body) is of no use; frames of other
    names are used, since a robot's odometry is often in a frame of its own.
    """
    frame, child = message.header.frame_id.lstrip('/'), message.child_frame_id.lstrip('/')
    world, base = world.lstrip('/'), base.lstrip('/')
    if (base and frame == base) or (child == world and child != frame):
        return False, (
            f'odometry tells of {child or "nothing"} in {frame}, the wrong way round: '
            f'{base or "the body"} in {world} is needed'
        )
    others = [
        f'{name} is {found!r}, not {wanted!r}'
        for name, found, wanted in (('frame_id', frame, world), ('child_frame_id', child, base))
        if wanted and found not in ('', wanted)
    ]
    return True, f'odometry is taken as it is, though its {" and ".join(others)}' if others else ''
