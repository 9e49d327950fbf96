# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topics that steer a body: ``cmd_vel``, ``goal_pose`` and ``path``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import Pose, PoseStamped, Twist
from nav_msgs.msg import Path as PathMessage
from rclpy.qos import QoSProfile

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.frames import vectors_to_model
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.steering.courses import Goal, Path, Velocity
from mgpt3_ros.body.steering.walker import bounded
from mgpt3_ros.model.errors import TextError
from mgpt3_ros.nodes.commands import Command, Step
from mgpt3_ros.nodes.steering import Steering

if TYPE_CHECKING:
    from mgpt3_ros.nodes.generate_node import GenerateNode

PARAMETER_NAMES = ('steering', 'cmd_vel_timeout_s', 'steering_speed')

SILENT = 'cmd_vel is silent'
ZERO = 'cmd_vel is zero'
_NEWEST = QoSProfile(depth=1)
_LOOK_S = 0.02
_AGAIN_S = 2.0  # after a refusal, what is sent all the time is not refused again so soon
_FARTHEST = 1000.0  # [m] of a goal or a path
_MOST_POSES = 10_000
_APART = 0.01  # [m] between places of a path


class SteeringTopics:
    """Takes what steers, and lets a body rest where ``cmd_vel`` falls silent."""

    def __init__(self, node: GenerateNode, steering: Steering) -> None:
        self._node, self._steering = node, steering
        self._heard_s = self._refused_s = -np.inf
        self._asked = np.zeros(3)
        node.create_subscription(Twist, 'cmd_vel', self._on_velocity, _NEWEST)
        node.create_subscription(PoseStamped, 'goal_pose', self._on_goal, _NEWEST)
        node.create_subscription(PathMessage, 'path', self._on_path, _NEWEST)
        self._timer = node.create_timer(
            _LOOK_S, self._look, clock=node.steady_clock, autostart=False
        )

    def _on_velocity(self, message: Twist, info: Mapping[str, int]) -> None:
        asked = np.array([message.linear.x, message.linear.y, message.angular.z])
        steering, now_s = self._steering, self._node.steady_now_s()
        if steering.source == 'velocity':
            self._heard_s = now_s
            if not np.isfinite(asked).all() or not asked.any():
                steering.rest(ZERO if np.isfinite(asked).all() else 'cmd_vel is not finite')
            elif not np.array_equal(asked, self._asked):
                self._asked = asked
                steering.change(Velocity(asked))
            return
        if not asked.any() or now_s - self._refused_s < _AGAIN_S:
            return
        try:
            if not np.isfinite(asked).all():
                raise TextError('cmd_vel holds a number that is not finite')
            self._node.require_steerable(_age_s(info))
        except TextError as refusal:
            self._refused_s = now_s
            _refused(self._node, 'cmd_vel', str(refusal))
            return
        self._heard_s, self._asked = now_s, asked
        kept = bounded(asked)
        note = ''
        if not np.array_equal(kept, asked):
            note = f'held at {kept[0]:g} m/s ahead, {kept[1]:g} m/s aside, {kept[2]:g} rad/s'
        self._begin('cmd_vel', Velocity(asked), 'velocity', note)
        self._timer.reset()

    def _look(self) -> None:
        silent_s = self._node.steady_now_s() - self._heard_s
        steers = self._steering.source == 'velocity' and not self._steering.resting
        if self._steering.source != 'velocity':
            self._timer.cancel()
        if steers and silent_s > self._node.parameters['cmd_vel_timeout_s']:
            self._steering.rest(f'{SILENT} for {silent_s:.1f} s')

    def _on_goal(self, message: PoseStamped, info: Mapping[str, int]) -> None:
        try:
            place, yaw = self._placed([message.pose], message.header.frame_id)
            self._node.require_steerable(_age_s(info))
        except TextError as refusal:
            _refused(self._node, 'goal_pose', str(refusal))
            return
        x, y = place[0][1], place[0][0]
        facing = '' if yaw is None else f', {np.degrees(yaw):.0f} degrees'
        speed = self._node.parameters['steering_speed']
        self._begin(f'goal_pose ({x:.2f}, {y:.2f}){facing}', Goal(place[0], yaw, speed), 'goal')

    def _on_path(self, message: PathMessage, info: Mapping[str, int]) -> None:
        poses = [stamped.pose for stamped in message.poses[:_MOST_POSES]]
        if not poses:  # as Nav2 gives a path up
            if self._steering.source == 'goal':
                self._steering.rest('the path is empty')
            return
        try:
            places, yaw = self._placed(poses, message.header.frame_id)
            self._node.require_steerable(_age_s(info))
        except TextError as refusal:
            _refused(self._node, 'path', str(refusal))
            return
        here = where(self._node)[0]
        places = np.concatenate([here[None], places])
        apart = np.linalg.norm(np.diff(places, axis=0), axis=1)
        places = places[np.concatenate([[True], apart > _APART])]
        speed = self._node.parameters['steering_speed']
        course = Goal(places[-1], yaw, speed) if len(places) < 3 else Path(places, yaw, speed)
        text = f'path of {len(poses)} poses, {float(apart[1:].sum()):.1f} m'
        self._begin(text, course, 'goal')

    def _begin(self, text: str, course: object, source: str, note: str = '') -> None:
        node = self._node
        command = Command(node.new_number(), text, node.steady_now_s(), actions=(text,))
        node.tell(command, 'queued', reason=note)
        self._steering.follow(Step(command), course, source, note)  # type: ignore[arg-type]

    def _placed(self, poses: list[Pose], frame: str) -> tuple[Array, float | None]:
        """Places (N, 2) [m] (x, z) and the last yaw, in the model's world.

        Raises:
            TextError: of a frame that is not known, or with numbers that say no place.
        """
        rows = np.array([(p.position.x, p.position.y, p.position.z) for p in poses])
        last = poses[-1].orientation
        turn = np.array([last.x, last.y, last.z, last.w])
        if not (np.isfinite(rows).all() and np.isfinite(turn).all()):
            raise TextError('it holds a number that is not finite')
        if np.abs(rows[:, :2]).max() > _FARTHEST:
            raise TextError(f'it lies more than {_FARTHEST:g} m away')
        places = vectors_to_model(rows * (1, 1, 0))[:, [0, 2]]
        yaw = None
        if np.linalg.norm(turn) > 0.5:  # all zero where nobody has set it
            yaw = float(quat.yaw(turn / np.linalg.norm(turn)))
        world, base = self._node.parameters['world_frame'], self._node.base_frame()
        if frame.lstrip('/') in ('', world):
            return places, yaw
        if frame.lstrip('/') != base:
            raise TextError(f'its frame is {frame!r}; known are {world!r} and {base!r}')
        here, facing = where(self._node)
        cos, sin = np.cos(facing), np.sin(facing)
        turned = places @ np.array([[cos, -sin], [sin, cos]])
        return here + turned, None if yaw is None else yaw + facing


def where(node: GenerateNode) -> tuple[Array, float]:
    """Where a body is now (2,) [m] (x, z), and its yaw, in the model's world."""
    state, _ = node.body_state(0.0)
    if state is None:
        return np.zeros(2), 0.0
    place = vectors_to_model(state.base_pos)
    return place[[0, 2]], float(quat.yaw(state.base_rot))


def _age_s(info: Mapping[str, int]) -> float:
    """How long ago a message was sent [s]; 0 where the middleware does not say."""
    sent_ns = info['source_timestamp']
    return (time.time_ns() - sent_ns) * 1e-9 if sent_ns else 0.0


def _refused(node: GenerateNode, text: str, reason: str) -> None:
    """Say that a message that would steer is not followed."""
    command = Command(node.new_number(), text, node.steady_now_s())
    node.tell(command, 'refused', DiagnosticStatus.WARN, reason=reason)
