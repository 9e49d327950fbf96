# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages as no one should send them: wrong names, lengths, numbers, stamps, texts and bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Quaternion, Transform, Twist, Vector3
from nav_msgs.msg import Odometry
from rclpy.serialization import serialize_message
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from trajectory_msgs.msg import (
    JointTrajectory,
    JointTrajectoryPoint,
    MultiDOFJointTrajectory,
    MultiDOFJointTrajectoryPoint,
)

from mgpt3_ros.body.profiles import make_profile

NAMES = make_profile('human_full', 'human').names
TEXTS = (
    'a person walks forward for 1 seconds.',
    'walk, then wave, then bow',
    '%s%n%x {0} {} {text!r} $(touch owned) `touch owned`; touch owned',
    '../../../etc/passwd',
    '\x00\x01\x1b[2J',
    '\u202egnikcah \u200b\u200d\ufeff',
    '💃🕺🏽 一个人在走路 شخص يمشي',
    'walk for 1e308 seconds',
    'walk for -5 seconds, then for nan seconds',
)
_ODD = (float('nan'), float('inf'), -float('inf'), 1e308, -1e308, 5e-324, 1e17, 0.0, -0.0)
_LONGEST_TEXT = 1_000_000
_ENDS = (0, 1, 2**31 - 1, -(2**31))


class Oddities:
    """Makes random messages; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._stamp_ns = 10**12
        self._oddity = 0.0  # of the message in the making: the chance that a part of it is odd
        self.makers: dict[str, Callable[[], Any]] = {
            'command': self.command,
            'joint_states': self.joint_state,
            'odom': self.odometry,
            'joint_trajectory': self.joint_trajectory,
            'base_trajectory': self.base_trajectory,
        }

    def spoiled(self, message: Any) -> bytes:
        """Return the bytes of ``message`` with some changed, or fewer of them."""
        self._begin()
        raw = bytearray(serialize_message(message))
        for _ in range(self._random.randint(1, 8)):
            raw[self._random.randrange(4, len(raw))] = self._random.randrange(256)
        return bytes(raw[: self._random.randint(4, len(raw))] if self._rarely() else raw)

    def command(self) -> String:
        """Return a text: known, random, or very long."""
        self._begin()
        pick = self._random.random()
        if pick < 0.4:
            return String(data=self._random.choice(TEXTS))
        if pick < 0.995:
            return String(data=self._text(self._random.randint(0, 200)))
        return String(data=self._text(20) * (self._random.randint(0, _LONGEST_TEXT) // 20))

    def joint_state(self) -> JointState:
        """Return joint states: names, lengths, numbers and stamps may all be odd."""
        self._begin()
        names = self._names()
        message = JointState(name=names, position=self._numbers(self._length(len(names))))
        message.header.stamp = self._stamp()
        if self._rarely():
            message.velocity = self._numbers(self._length(len(names)))
            message.effort = self._numbers(self._length(len(names)))
        return message

    def odometry(self) -> Odometry:
        """Return a base anywhere, turned in any way or none."""
        self._begin()
        message = Odometry()
        message.header.stamp = self._stamp()
        message.header.frame_id = self._text(5)
        transform, twist = self._transform(), self._twist()
        place = message.pose.pose.position
        place.x, place.y, place.z = (getattr(transform.translation, axis) for axis in 'xyz')
        message.pose.pose.orientation = transform.rotation
        message.twist.twist = twist
        return message

    def joint_trajectory(self) -> JointTrajectory:
        """Return points of any length, at times in any order."""
        self._begin()
        names = self._names()
        message = JointTrajectory(joint_names=names)
        if self._rarely():
            message.header.stamp = self._stamp()
        for at in self._times():
            point = JointTrajectoryPoint(time_from_start=at)
            point.positions = self._numbers(self._length(len(names)))
            if self._random.random() < 0.5:
                point.velocities = self._numbers(self._length(len(names)))
            message.points.append(point)
        return message

    def base_trajectory(self) -> MultiDOFJointTrajectory:
        """Return a base's trajectory with any number of bodies and points."""
        self._begin()
        message = MultiDOFJointTrajectory(joint_names=self._names()[: self._length(1)])
        if self._rarely():
            message.header.stamp = self._stamp()
        for at in self._times():
            bodies = self._length(1)
            message.points.append(
                MultiDOFJointTrajectoryPoint(
                    transforms=[self._transform() for _ in range(bodies)],
                    velocities=[self._twist() for _ in range(self._length(bodies))],
                    time_from_start=at,
                )
            )
        return message

    # ------------------------------------------------------------------ parts

    def _begin(self) -> None:
        self._oddity = self._random.choice((0.0, 0.02, 0.1, 0.5))

    def _rarely(self) -> bool:
        return self._random.random() < self._oddity

    def _length(self, right: int) -> int:
        if not self._rarely():
            return right
        return self._random.choice(
            (0, 1, max(right - 1, 0), right + 1, self._random.randint(0, 300))
        )

    def _text(self, length: int) -> str:
        def char() -> str:
            point = self._random.randrange(self._random.choice((0x80, 0x3000, 0x110000)))
            if 0xD800 <= point < 0xE000 or (point < 0x20 and not self._rarely()):
                point = 0x20
            return chr(point)

        return ''.join(char() for _ in range(length))

    def _names(self) -> list[str]:
        names: list[str] = list(NAMES)
        if not self._rarely():
            return names
        pick = self._random.random()
        self._random.shuffle(names)
        if pick < 0.3:
            return names[: self._random.randint(0, len(names))]
        if pick < 0.5:
            return names + self._random.choices(names, k=3)
        if pick < 0.8:
            return names + [self._text(8) for _ in range(self._random.randint(1, 20))]
        longest = 10_000 if self._rarely() else 30
        return [self._text(self._random.randint(0, longest)) for _ in range(10)]

    def _numbers(self, count: int) -> list[float]:
        numbers = [self._random.gauss(0.0, 1.0) for _ in range(count)]
        if count and self._rarely():
            for _ in range(self._random.choice((1, 1, count))):
                numbers[self._random.randrange(count)] = self._number()
        return numbers

    def _number(self) -> float:
        if self._random.random() < 0.5:
            return self._random.choice(_ODD)
        return self._random.gauss(0.0, 1.0) * 10.0 ** self._random.randint(-10, 10)

    def _stamp(self) -> Time:
        """Return a stamp: the next one mostly, else an old, equal, far, zero or negative one."""
        before_ns = self._stamp_ns
        self._stamp_ns += self._random.randint(1, 20_000_000)
        at_ns = self._stamp_ns
        if self._rarely():
            if self._random.random() < 0.3:
                nanosec = self._random.choice((0, 1, 999_999_999, 2**32 - 1))
                return Time(sec=self._random.choice(_ENDS), nanosec=nanosec)
            at_ns = before_ns - self._random.choice((0, 1, 300_000_000))
        return Time(sec=at_ns // 10**9, nanosec=at_ns % 10**9)

    def _times(self) -> Sequence[Duration]:
        at_ns, times = 0, []
        for _ in range(self._random.choice((0, 1, 2, 5, 40))):
            at_ns += self._random.randint(1, 200_000_000)
            times.append(Duration(sec=at_ns // 10**9, nanosec=at_ns % 10**9))
        if times and self._rarely():
            times[self._random.randrange(len(times))] = Duration(
                sec=self._random.choice(_ENDS), nanosec=self._random.choice((0, 2**32 - 1))
            )
        return times

    def _vector(self) -> Vector3:
        return Vector3(**dict(zip('xyz', self._numbers(3), strict=True)))

    def _transform(self) -> Transform:
        numbers = self._numbers(4) if not self._rarely() else [0.0] * 4
        return Transform(
            translation=self._vector(),
            rotation=Quaternion(**dict(zip('xyzw', numbers, strict=True))),
        )

    def _twist(self) -> Twist:
        return Twist(linear=self._vector(), angular=self._vector())
