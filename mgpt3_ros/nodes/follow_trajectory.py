# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A client of ``control_msgs/action/FollowJointTrajectory``, where that package is installed.

A topic tells nobody whether a controller took a trajectory; the action does, and how it went.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.node import Node
from rclpy.task import Future
from trajectory_msgs.msg import JointTrajectory

from mgpt3_ros.nodes.messages import to_duration

# Of the result's error_code, as FollowJointTrajectory.action names them.
ERROR_NAMES = {
    0: 'SUCCESSFUL',
    -1: 'INVALID_GOAL',
    -2: 'INVALID_JOINTS',
    -3: 'OLD_HEADER_TIMESTAMP',
    -4: 'PATH_TOLERANCE_VIOLATED',
    -5: 'GOAL_TOLERANCE_VIOLATED',
}
_INVALID_GOAL = -1


@dataclass(frozen=True)
class Tolerances:
    """How far joints may be off; 0 leaves it to the controller.

    path, goal: [rad] on the way and at its end. goal_time_s: how much later the end may come.
    """

    path: float = 0.0
    goal: float = 0.0
    goal_time_s: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What became of a goal.

    controller: whose it was. error_code: of ``ERROR_NAMES``; 0 where the end was reached.
    reason: in words; empty where all went well.
    """

    controller: str
    error_code: int
    reason: str = ''


def follow_action() -> Any:
    """Return the type of the action, or None: control_msgs comes with ROS's controllers."""
    try:
        return importlib.import_module('control_msgs.action').FollowJointTrajectory
    except ImportError:
        return None


class Follower:
    """The goals of one controller; a new one replaces the one before.

    Attributes:
        active: whether a goal has been sent of which no outcome is known.
        tracking_error: the largest of the joints in the last feedback [rad].
    """

    def __init__(
        self, node: Node, action: Any, controller: str, on_outcome: Callable[[Outcome], None]
    ) -> None:
        """Look for the controller's server.

        Args:
            node: that sends.
            action: of ``follow_action``.
            controller: its name.
            on_outcome: told what became of the goal that was sent last; nothing of those that it
                replaced.
        """
        self.active = False
        self.tracking_error = 0.0
        self._action = action
        self._controller = controller
        self._on_outcome = on_outcome
        self._number = self._given_up = 0
        self._running: Any = None  # the handle of the goal that was accepted last
        self._client = ActionClient(node, action, f'{controller}/follow_joint_trajectory')

    @property
    def ready(self) -> bool:
        """Whether a server answers."""
        return bool(self._client.server_is_ready())

    def follow(self, trajectory: JointTrajectory, tolerances: Tolerances) -> None:
        """Send a goal."""
        self._number += 1
        number = self._number
        self.active, self.tracking_error = True, 0.0
        tolerance_of = importlib.import_module('control_msgs.msg').JointTolerance
        goal = self._action.Goal(
            trajectory=trajectory, goal_time_tolerance=to_duration(tolerances.goal_time_s)
        )
        names = trajectory.joint_names
        goal.path_tolerance = [tolerance_of(name=n, position=tolerances.path) for n in names]
        goal.goal_tolerance = [tolerance_of(name=n, position=tolerances.goal) for n in names]
        sent = self._client.send_goal_async(goal, self._on_feedback)
        sent.add_done_callback(lambda answer: self._on_answer(number, answer))

    def cancel(self) -> None:
        """Have the controller give up what it was asked for; it then holds its pose."""
        self._given_up = self._number  # also where it has not answered yet
        self._number += 1
        self.active = False
        if self._running is not None:
            self._running.cancel_goal_async()

    def lost(self) -> None:
        """Say that the server has gone with the goal."""
        self._end(self._number, _INVALID_GOAL, 'its action server has gone')

    def close(self) -> None:
        """Give the client up."""
        self._client.destroy()

    def _on_feedback(self, message: Any) -> None:
        errors = message.feedback.error.positions
        self.tracking_error = float(np.abs(errors).max()) if len(errors) else 0.0

    def _on_answer(self, number: int, answer: Future) -> None:
        handle = answer.result()
        if not handle.accepted:
            if number == self._number:
                # The goal before goes on otherwise, while other controllers do something else.
                self.cancel()
                self._end(self._number, _INVALID_GOAL, 'it rejected the trajectory')
            return
        if number <= self._given_up:
            handle.cancel_goal_async()
            return
        self._running = handle
        handle.get_result_async().add_done_callback(lambda result: self._on_result(number, result))

    def _on_result(self, number: int, answer: Future) -> None:
        status, result = answer.result().status, answer.result().result
        if status == GoalStatus.STATUS_SUCCEEDED:
            self._end(number, int(result.error_code), str(result.error_string))
        elif status == GoalStatus.STATUS_CANCELED:
            self._end(number, _INVALID_GOAL, 'someone else cancelled the trajectory')
        else:
            self._end(number, int(result.error_code) or _INVALID_GOAL, str(result.error_string))

    def _end(self, number: int, code: int, words: str) -> None:
        if number != self._number:
            return
        self.active, self._running = False, None
        reason = ''
        if code:
            name = ERROR_NAMES.get(code, 'unknown error')
            reason = f'{self._controller}: {name} ({code}){f": {words}" if words else ""}'
        self._on_outcome(Outcome(self._controller, code, reason))
