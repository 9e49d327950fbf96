# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A body for RViz: its bones, its joints and the words that it follows."""

from __future__ import annotations

import numpy as np
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Point, Vector3
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.model.kinematics.skeleton import PARENTS

_LIFETIME = Duration(nanosec=500_000_000)  # a body that is no longer told of disappears
_BONE_WIDTH_M, _JOINT_WIDTH_M, _TEXT_HEIGHT_M = 0.04, 0.06, 0.12
_ABOVE_HEAD_M = 0.35
_HEAD = 15


def body_markers(
    joints: Array, text: str, namespace: str, stamp: Time, world_frame: str
) -> MarkerArray:
    """Build the markers of a body whose 22 joints stand at ``joints`` (22, 3) [m]."""
    points = [Point(x=x, y=y, z=z) for x, y, z in np.asarray(joints, dtype=np.float64).tolist()]
    bones = [
        points[end]
        for joint, parent in enumerate(PARENTS)
        if parent >= 0
        for end in (parent, joint)
    ]

    def marker(kind: int, name: str, scale: Vector3, color: ColorRGBA) -> Marker:
        return _marker(kind, f'{namespace}/{name}', scale, color, stamp, world_frame)

    lines = marker(
        Marker.LINE_LIST, 'bones', Vector3(x=_BONE_WIDTH_M), ColorRGBA(r=0.2, g=0.6, b=0.9, a=1.0)
    )
    lines.points = bones
    width = Vector3(x=_JOINT_WIDTH_M, y=_JOINT_WIDTH_M, z=_JOINT_WIDTH_M)
    spheres = marker(Marker.SPHERE_LIST, 'joints', width, ColorRGBA(r=0.9, g=0.6, b=0.2, a=1.0))
    spheres.points = points
    caption = text_marker(text, joints, f'{namespace}/text', stamp, world_frame)
    return MarkerArray(markers=[lines, spheres, caption])


def text_marker(
    text: str,
    joints: Array,
    namespace: str,
    stamp: Time,
    world_frame: str,
    lifetime: Duration = _LIFETIME,
) -> Marker:
    """Build the marker of words above the head of a body at ``joints`` (22, 3) [m]."""
    scale, color = Vector3(z=_TEXT_HEIGHT_M), ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
    marker = _marker(Marker.TEXT_VIEW_FACING, namespace, scale, color, stamp, world_frame)
    marker.text, marker.lifetime = text, lifetime
    x, y, z = np.asarray(joints[_HEAD], dtype=np.float64).tolist()
    marker.pose.position = Point(x=x, y=y, z=z + _ABOVE_HEAD_M)
    return marker


def _marker(
    kind: int, namespace: str, scale: Vector3, color: ColorRGBA, stamp: Time, world_frame: str
) -> Marker:
    marker = Marker(type=kind, ns=namespace, scale=scale, color=color, lifetime=_LIFETIME)
    marker.header.stamp = stamp
    marker.header.frame_id = world_frame
    marker.pose.orientation.w = 1.0
    return marker
