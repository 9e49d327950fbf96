# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trajectories as messages: built so that joint_trajectory_controller takes them, and read back.

Joints go out as ``trajectory_msgs/JointTrajectory``, the pelvis beside them as a
``MultiDOFJointTrajectory`` with the same stamp, count and times.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Quaternion, Transform, Twist, Vector3
from std_msgs.msg import Header
from trajectory_msgs.msg import (
    JointTrajectory,
    JointTrajectoryPoint,
    MultiDOFJointTrajectory,
    MultiDOFJointTrajectoryPoint,
)

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.body_trajectory import FARTHEST, BasePath, BodyTrajectory, JointPath
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.model.errors import GenerationError, MotionError


def to_messages(
    trajectory: BodyTrajectory, stamp: Time, world_frame: str, base_frame: str
) -> tuple[JointTrajectory, MultiDOFJointTrajectory]:
    """Build both messages of ``trajectory``.

    Args:
        trajectory: joints and base over the same knots.
        stamp: when it starts; zero means when it is received.
        world_frame: the frame in which the base is given.
        base_frame: the name of the base in the second message.

    Raises:
        GenerationError: a number is not finite; such a trajectory must not reach a body.
    """
    _require_finite(trajectory)
    joints, base = trajectory.joints, trajectory.base
    assert joints.velocities is not None
    times = [to_duration(at) for at in joints.times]
    joint_message = JointTrajectory(
        header=Header(stamp=stamp, frame_id=world_frame),
        joint_names=list(trajectory.names),
        points=[
            JointTrajectoryPoint(
                positions=_doubles(position), velocities=_doubles(velocity), time_from_start=at
            )
            for position, velocity, at in zip(
                joints.positions, joints.velocities, times, strict=True
            )
        ],
    )
    rows = np.concatenate([base.pos, base.rot, base.lin, base.ang], axis=1).tolist()
    base_message = MultiDOFJointTrajectory(
        header=Header(stamp=stamp, frame_id=world_frame),
        joint_names=[base_frame],
        points=[
            MultiDOFJointTrajectoryPoint(
                transforms=[_transform(row[0:3], row[3:7])],
                velocities=[_twist(row[7:10], row[10:13])],
                time_from_start=at,
            )
            for row, at in zip(rows, times, strict=True)
        ],
    )
    return joint_message, base_message


def joint_path(message: JointTrajectory) -> JointPath:
    """Read the joints of a trajectory, columns in the order of ``message.joint_names``.

    Raises:
        MotionError: it is empty, unordered, of unequal lengths or holds a number that is not
            finite.
    """
    width = len(message.joint_names)
    if not width or not message.points:
        raise MotionError('the trajectory has no joints or no points')
    if len(set(message.joint_names)) != width:
        raise MotionError('the trajectory names a joint twice')
    if any(len(point.positions) != width for point in message.points):
        raise MotionError(f'each point needs {width} positions, one for each joint')
    times = _times(message.points)
    positions = np.array([point.positions for point in message.points], dtype=np.float64)
    velocities = None
    if all(len(point.velocities) == width for point in message.points):
        velocities = np.array([point.velocities for point in message.points], dtype=np.float64)
    if not (_usable(positions) and (velocities is None or _usable(velocities))):
        raise MotionError('the trajectory holds a number that is not finite, or beyond all bodies')
    return JointPath(times, positions, velocities)


def base_path(message: MultiDOFJointTrajectory) -> BasePath:
    """Read the first body of a trajectory; velocities that are not given are zero.

    Raises:
        MotionError: as :func:`joint_path`; also for a quaternion of length zero.
    """
    if not message.joint_names or not message.points:
        raise MotionError('the base trajectory has no body or no points')
    if any(not point.transforms for point in message.points):
        raise MotionError('each point of a base trajectory needs a transform')
    times = _times(message.points)
    rows = []
    for point in message.points:
        place, turn = point.transforms[0].translation, point.transforms[0].rotation
        twist = point.velocities[0] if point.velocities else Twist()
        lin, ang = twist.linear, twist.angular
        rows.append([place.x, place.y, place.z, turn.x, turn.y, turn.z, turn.w])
        rows[-1] += [lin.x, lin.y, lin.z, ang.x, ang.y, ang.z]
    values = np.array(rows, dtype=np.float64)
    if not _usable(values):
        raise MotionError(
            'the base trajectory holds a number that is not finite, or beyond all bodies'
        )
    if (np.linalg.norm(values[:, 3:7], axis=1) < 1e-6).any():
        raise MotionError('the base trajectory holds a quaternion of length zero')
    rot = quat.continuous(values[:, 3:7])
    return BasePath(times, values[:, :3], rot, values[:, 7:10], values[:, 10:13])


def part_of(message: JointTrajectory, names: Sequence[str]) -> JointTrajectory:
    """Return the same trajectory of some of its joints, in the order of ``names``.

    Raises:
        MotionError: one of them is not in it.
    """
    column = {name: index for index, name in enumerate(message.joint_names)}
    missing = [name for name in names if name not in column]
    if missing:
        raise MotionError(f'the trajectory lacks the joint {missing[0]}')
    rows = [column[name] for name in names]

    def of(values: Sequence[float]) -> array[float]:
        return array('d', [values[row] for row in rows])

    return JointTrajectory(
        header=message.header,
        joint_names=list(names),
        points=[
            JointTrajectoryPoint(
                positions=of(point.positions),
                velocities=of(point.velocities),
                time_from_start=point.time_from_start,
            )
            for point in message.points
        ],
    )


def seconds(stamp: Time | Duration) -> float:
    """Return a stamp or duration as seconds."""
    return float(stamp.sec + 1e-9 * stamp.nanosec)


def _times(points: list[JointTrajectoryPoint] | list[MultiDOFJointTrajectoryPoint]) -> Array:
    times = np.array([seconds(point.time_from_start) for point in points])
    if (np.diff(times) <= 0).any() or times[0] < 0:
        raise MotionError('the times of a trajectory must start at 0 or later and increase')
    return times


def _usable(values: Array) -> bool:
    return bool((np.abs(values) < FARTHEST).all())  # also False for NaN


def _require_finite(trajectory: BodyTrajectory) -> None:
    paths = (trajectory.joints, trajectory.base)
    values = [value for path in paths for value in vars(path).values()]
    if not all(np.isfinite(value).all() for value in values):
        raise GenerationError('the motion holds a number that is not finite: not published')


def to_duration(at: float) -> Duration:
    """Return seconds as a duration."""
    nanoseconds = round(float(at) * 1e9)
    return Duration(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def _doubles(row: Array) -> array[float]:
    """Return ``row`` as the array that a message takes over without a look at each number."""
    return array('d', np.ascontiguousarray(row, dtype=np.float64).tobytes())


def _transform(pos: list[float], rot: list[float]) -> Transform:
    return Transform(
        translation=Vector3(x=pos[0], y=pos[1], z=pos[2]),
        rotation=Quaternion(x=rot[0], y=rot[1], z=rot[2], w=rot[3]),
    )


def _twist(lin: list[float], ang: list[float]) -> Twist:
    return Twist(
        linear=Vector3(x=lin[0], y=lin[1], z=lin[2]),
        angular=Vector3(x=ang[0], y=ang[1], z=ang[2]),
    )
