# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a body is, as joint_states and odom tell it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from nav_msgs.msg import Odometry
from sensor_msgs.msg import JointState

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.body_trajectory import FARTHEST, BodyState, BodyTrajectory
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.nodes.messages import seconds

_JUMP_S = 0.5  # stamps further apart do not belong together: a gap, or a clock that was reset


def read_joints(message: JointState, names: tuple[str, ...]) -> tuple[Array, Array, float]:
    """Read the joints that a profile knows; names may come in any order, with others among them.

    Args:
        message: as heard.
        names: (J,) the profile's joints.

    Returns:
        positions (J,) [rad] and velocities (J,) [rad/s], zero where they are not given, and the
        share of ``names`` that the message has.

    Raises:
        MotionError: lengths differ, a name comes twice, or a number is not finite or no angle.
    """
    if len(message.name) != len(message.position):
        raise MotionError(f'{len(message.name)} names for {len(message.position)} positions')
    if len(set(message.name)) != len(message.name):
        raise MotionError('a joint is named twice')
    column = {name: index for index, name in enumerate(message.name)}
    known = [(row, column[name]) for row, name in enumerate(names) if name in column]
    rows, columns = [pair[0] for pair in known], [pair[1] for pair in known]
    positions, velocities = np.zeros(len(names)), np.zeros(len(names))
    positions[rows] = np.asarray(message.position)[columns]
    if len(message.velocity) == len(message.name):
        velocities[rows] = np.asarray(message.velocity)[columns]
    if not (np.abs([positions, velocities]) < FARTHEST).all():
        raise MotionError('a joint is not finite, or beyond all angles')
    return positions, velocities, len(known) / len(names)


class BodyObserver:
    """Keeps the newest usable joint state and odometry of one body.

    Attributes:
        accepted: joint states that were taken.
        dropped: joint states that were not.
        bad_in_a_row: the same since the last one that was taken.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self.accepted = self.dropped = self.bad_in_a_row = 0
        self._names = names
        self._state: BodyState | None = None
        self._heard_s = -np.inf
        self._stamp_s = -np.inf
        self._has_odometry = False

    def hear_joints(self, message: JointState, now_s: float, min_coverage: float) -> None:
        """Take a joint state; velocities that it lacks follow from the one before.

        Raises:
            MotionError: it is unusable; the message says why.
        """
        try:
            positions, velocities, coverage = read_joints(message, self._names)
            if coverage < min_coverage:
                raise MotionError(
                    f'it names {coverage:.0%} of the joints of the profile, '
                    f'min_joint_coverage asks for {min_coverage:.0%}'
                )
            stamp_s = seconds(message.header.stamp) or now_s
            step_s = stamp_s - self._stamp_s
            if -_JUMP_S < step_s <= 0:
                raise MotionError('it is not newer than the one before')
        except MotionError:
            self.dropped += 1
            self.bad_in_a_row += 1
            raise
        self.accepted += 1
        self.bad_in_a_row = 0
        before = self._state
        if before is not None and not len(message.velocity) and 1e-4 < step_s < _JUMP_S:
            velocities = (positions - before.positions) / step_s
        if before is None:
            before = BodyState(
                positions, velocities, np.zeros(3), quat.IDENTITY, np.zeros(3), np.zeros(3)
            )
        self._state = replace(before, positions=positions, velocities=velocities)
        self._heard_s, self._stamp_s = now_s, stamp_s

    def hear_base(self, message: Odometry) -> None:
        """Take the base's pose and twist; the twist is given in the base's own axes.

        Raises:
            MotionError: a number is not finite, or the quaternion has length zero.
        """
        place, turn = message.pose.pose.position, message.pose.pose.orientation
        linear, angular = message.twist.twist.linear, message.twist.twist.angular
        values = np.array(
            [
                *(place.x, place.y, place.z, turn.x, turn.y, turn.z, turn.w),
                *(linear.x, linear.y, linear.z, angular.x, angular.y, angular.z),
            ]
        )
        length = float(np.linalg.norm(values[3:7]))
        if not (np.abs(values) < FARTHEST).all() or length < 1e-6:
            raise MotionError('it holds no finite number, or no orientation')
        if self._state is None:
            return
        rot = values[3:7] / length
        self._has_odometry = True
        self._state = replace(
            self._state,
            base_pos=values[:3],
            base_rot=rot,
            base_lin=quat.rotate(rot, values[7:10]),
            base_ang=quat.rotate(rot, values[10:13]),
        )

    def age_s(self, now_s: float) -> float:
        """Return how long ago the last usable joint state was heard [s]; inf if none was."""
        return now_s - self._heard_s

    def state(self, base: BodyState | None) -> BodyState | None:
        """Return the body's state; without odometry its base is that of ``base``, if given."""
        if self._state is None or self._has_odometry:
            return self._state
        if base is None:
            return None
        return replace(base, positions=self._state.positions, velocities=self._state.velocities)


def coming_to_rest(state: BodyState, within_s: float) -> BodyState:
    """Return where a body comes to rest that slows down evenly over ``within_s``."""
    way_s = 0.5 * within_s
    return replace(
        state,
        positions=state.positions + way_s * state.velocities,
        base_pos=state.base_pos + way_s * state.base_lin,
        base_rot=quat.multiply(quat.exp(way_s * state.base_ang), state.base_rot),
    ).at_rest()


def carried_on(
    state: BodyState, trajectory: BodyTrajectory, elapsed_s: float, ahead_s: float
) -> BodyState:
    """Return where a body seen at ``state`` will be ``ahead_s`` later on its trajectory.

    What the trajectory does in that time is added to what was seen.
    """
    now, then = trajectory.state_at(elapsed_s), trajectory.state_at(elapsed_s + ahead_s)
    turn = quat.about_z(quat.yaw(state.base_rot) - quat.yaw(now.base_rot))
    step = quat.multiply(then.base_rot, quat.inverse(now.base_rot))
    step = quat.multiply(quat.multiply(turn, step), quat.inverse(turn))
    return BodyState(
        state.positions + then.positions - now.positions,
        then.velocities,
        state.base_pos + quat.rotate(turn, then.base_pos - now.base_pos),
        quat.multiply(step, state.base_rot),
        quat.rotate(turn, then.base_lin),
        quat.rotate(turn, then.base_ang),
    )
