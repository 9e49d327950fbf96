# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of bags as plain arrays, and texts and trajectories as messages."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from mgpt3_ros.bags.topics import BagError, Recorded
from mgpt3_ros.body.body_trajectory import BodyTrajectory
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.model.extras import extra

JOINT_STATE = 'sensor_msgs/msg/JointState'
ODOMETRY = 'nav_msgs/msg/Odometry'
STRING = 'std_msgs/msg/String'
JOINT_TRAJECTORY = 'trajectory_msgs/msg/JointTrajectory'
BASE_TRAJECTORY = 'trajectory_msgs/msg/MultiDOFJointTrajectory'

# rclpy.serialize_message leaves up to this many stray bytes behind a message, which readers on
# DDS never see, but scripts that write bags with rosbag2_py store.
_STRAY_BYTES = 8


@functools.cache
def typestore() -> Any:
    """Return the message types of ROS 2 Jazzy."""
    with extra('bags'):
        from rosbags.typesys import Stores, get_typestore

    return get_typestore(Stores.ROS2_JAZZY)


def decode(message: Recorded) -> Any:
    """Return a message of a standard type, with stray bytes behind it or not.

    Raises:
        BagError: the bytes are no such message.
    """
    from rosbags.serde import SerdeError

    complaint: Exception | None = None
    for stray in range(_STRAY_BYTES + 1):
        try:
            data = message.data[: len(message.data) - stray]
            return typestore().deserialize_cdr(data, message.type)
        except SerdeError as error:
            complaint = complaint or error
    raise BagError(f'a message of {message.topic} is damaged: {complaint}') from complaint


@dataclass(frozen=True)
class Joints:
    """A joint state: stamp [ns], 0 if it has none; names and positions (J,) [rad]."""

    stamp_ns: int
    names: list[str]
    positions: Array


def read_joints(message: Recorded) -> Joints:
    """Read a joint state; lengths may differ and numbers may not be finite.

    Raises:
        BagError: the bytes are no joint state.
    """
    state = decode(message)
    return Joints(_nanoseconds(state.header.stamp), list(state.name), state.position)


def read_pose(message: Recorded) -> tuple[int, Array]:
    """Read stamp [ns] and pose (7,), x y z [m] and quaternion xyzw, of an odometry.

    Raises:
        BagError: the bytes are no odometry.
    """
    odometry = decode(message)
    place, turn = odometry.pose.pose.position, odometry.pose.pose.orientation
    pose = np.array([place.x, place.y, place.z, turn.x, turn.y, turn.z, turn.w])
    return _nanoseconds(odometry.header.stamp), pose


def text_message(text: str) -> bytes:
    """Return the bytes of a std_msgs/String."""
    return _encode(STRING, data=text)


def trajectory_messages(
    trajectory: BodyTrajectory, stamp_ns: int, world_frame: str, base_frame: str
) -> tuple[bytes, bytes]:
    """Return the bytes of a JointTrajectory and its MultiDOFJointTrajectory.

    Args:
        trajectory: with velocities.
        stamp_ns: when its time 0 is.
        world_frame: in which the base is.
        base_frame: the name of the base.
    """
    joints, base = trajectory.joints, trajectory.base
    assert joints.velocities is not None
    ends = [_made('builtin_interfaces/msg/Duration', **_seconds_and_rest(t)) for t in joints.times]
    stamp = _made('builtin_interfaces/msg/Time', **_split(stamp_ns))
    header = _made('std_msgs/msg/Header', stamp=stamp, frame_id=world_frame)
    nothing = np.zeros(0)
    points = [
        _made(
            'trajectory_msgs/msg/JointTrajectoryPoint',
            positions=position,
            velocities=velocity,
            accelerations=nothing,
            effort=nothing,
            time_from_start=end,
        )
        for position, velocity, end in zip(joints.positions, joints.velocities, ends, strict=True)
    ]
    bases = [
        _made(
            'trajectory_msgs/msg/MultiDOFJointTrajectoryPoint',
            transforms=[
                _made(
                    'geometry_msgs/msg/Transform',
                    translation=_vector(pos),
                    rotation=_made(
                        'geometry_msgs/msg/Quaternion',
                        **dict(zip('xyzw', rot.tolist(), strict=True)),
                    ),
                )
            ],
            velocities=[
                _made('geometry_msgs/msg/Twist', linear=_vector(lin), angular=_vector(ang))
            ],
            accelerations=[],
            time_from_start=end,
        )
        for pos, rot, lin, ang, end in zip(
            base.pos, base.rot, base.lin, base.ang, ends, strict=True
        )
    ]
    return (
        _encode(
            JOINT_TRAJECTORY, header=header, joint_names=list(trajectory.names), points=points
        ),
        _encode(BASE_TRAJECTORY, header=header, joint_names=[base_frame], points=bases),
    )


def _made(kind: str, **fields: Any) -> Any:
    return typestore().types[kind](**fields)


def _encode(kind: str, **fields: Any) -> bytes:
    return bytes(typestore().serialize_cdr(_made(kind, **fields), kind))


def _vector(values: Array) -> Any:
    return _made('geometry_msgs/msg/Vector3', **dict(zip('xyz', values.tolist(), strict=True)))


def _split(nanoseconds: int) -> dict[str, int]:
    return {'sec': nanoseconds // 10**9, 'nanosec': nanoseconds % 10**9}


def _seconds_and_rest(seconds: float) -> dict[str, int]:
    return _split(round(float(seconds) * 1e9))


def _nanoseconds(stamp: Any) -> int:
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)
