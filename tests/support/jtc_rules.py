# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What joint_trajectory_controller (Jazzy) asks of a trajectory, as we read its source.

An oracle for tests, written without a look at our own code: each function names one rule, and
``violations`` lists all that a message breaks. The controller itself overlooks NaN; we do not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from trajectory_msgs.msg import JointTrajectory


def violations(
    message: JointTrajectory, joints: Iterable[str], now_s: float = 0.0, lead_in_s: float = 1e-9
) -> list[str]:
    """List every rule that ``message`` breaks; an empty list means that it would be accepted.

    joints: those of the controller; now_s: its clock; lead_in_s: the first point's least time.
    """
    return [
        *names_are_the_controllers(message, set(joints)),
        *has_points(message),
        *lengths_match(message),
        *numbers_are_finite(message),
        *times_increase(message),
        *ends_in_the_future(message, now_s),
        *ends_at_rest(message),
        *leaves_time_to_arrive(message, lead_in_s),
    ]


def time_s(message: JointTrajectory, index: int) -> float:
    """Return the time of a point after the start [s]."""
    duration = message.points[index].time_from_start
    return duration.sec + duration.nanosec * 1e-9


def names_are_the_controllers(message: JointTrajectory, joints: set[str]) -> list[str]:
    names = list(message.joint_names)
    found = []
    if not names:
        found.append('no joint names')
    if len(set(names)) != len(names):
        found.append('a joint is named twice')
    if set(names) != joints:
        found.append(f'joints differ: {sorted(set(names) ^ joints)}')
    return found


def has_points(message: JointTrajectory) -> list[str]:
    return [] if message.points else ['no points']


def lengths_match(message: JointTrajectory) -> list[str]:
    width = len(message.joint_names)
    found = []
    for index, point in enumerate(message.points):
        if len(point.positions) != width:
            found.append(f'point {index}: {len(point.positions)} positions for {width} joints')
        if len(point.velocities) not in (0, width) or len(point.accelerations) not in (0, width):
            found.append(f'point {index}: velocities or accelerations of a wrong length')
        if len(point.effort):
            found.append(f'point {index}: effort, which a position interface refuses')
    return found


def numbers_are_finite(message: JointTrajectory) -> list[str]:
    return [
        f'point {index}: a number is not finite'
        for index, point in enumerate(message.points)
        if not all(map(math.isfinite, [*point.positions, *point.velocities]))
    ]


def times_increase(message: JointTrajectory) -> list[str]:
    found = []
    previous = -1
    for index, point in enumerate(message.points):
        if point.time_from_start.sec < 0:
            found.append(f'point {index}: negative time')
        now = point.time_from_start.sec * 10**9 + point.time_from_start.nanosec
        if now <= previous:
            found.append(f'point {index}: time does not increase')
        previous = now
    return found


def ends_in_the_future(message: JointTrajectory, now_s: float) -> list[str]:
    stamp = message.header.stamp
    if not message.points or (stamp.sec == 0 and stamp.nanosec == 0):
        return []
    end = stamp.sec + stamp.nanosec * 1e-9 + time_s(message, -1)
    return [] if end > now_s else ['a stamped trajectory ends in the past']


def ends_at_rest(message: JointTrajectory) -> list[str]:
    if not message.points:
        return []
    fastest = max((abs(v) for v in message.points[-1].velocities), default=0.0)
    return [] if fastest <= 1e-9 else [f'the last velocity is {fastest}, not 0']


def leaves_time_to_arrive(message: JointTrajectory, lead_in_s: float) -> list[str]:
    """A first point at time 0 would be jumped to, without a way from the current state."""
    if not message.points or time_s(message, 0) >= lead_in_s - 1e-9:
        return []
    return [f'the first point comes after {time_s(message, 0)} s, before {lead_in_s} s']
