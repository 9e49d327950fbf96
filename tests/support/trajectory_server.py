# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A controller's end of FollowJointTrajectory, as joint_trajectory_controller (Jazzy) answers.

It moves nothing: a goal ends when it is told to, and a new goal that it takes ends the one before
as cancelled. What it takes and refuses is the test's to say.
"""

from __future__ import annotations

from typing import Any

from control_msgs.action import FollowJointTrajectory
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from rclpy.task import Future

from tests.support.jtc_rules import violations

Result = FollowJointTrajectory.Result


class TrajectoryServer:
    """The server of one controller.

    Attributes:
        goals: those that it took, in order.
        refused: what was wrong with those that it did not.
        accepts: whether it takes goals that keep the rules.
        cancelled: how many goals a client gave up.
    """

    def __init__(self, node: Node, controller: str, joints: tuple[str, ...]) -> None:
        self.goals: list[Any] = []
        self.refused: list[list[str]] = []
        self.accepts = True
        self.cancelled = 0
        self._joints = joints
        self._node = node
        self._end: Future | None = None
        self._handle: ServerGoalHandle | None = None
        self._server: ActionServer | None = ActionServer(
            node,
            FollowJointTrajectory,
            f'{controller}/follow_joint_trajectory',
            execute_callback=self._execute,
            goal_callback=self._on_goal,
            cancel_callback=self._on_cancel,
        )

    @property
    def running(self) -> bool:
        """Whether a goal is under way."""
        return self._end is not None and not self._end.done()

    def finish(self, code: int = 0, words: str = '') -> None:
        """End the goal that is under way: it succeeded, or failed with a code."""
        assert self._end is not None
        self._end.set_result((code, words))

    def feedback(self, error: float) -> None:
        """Tell that each joint is off by so much [rad]."""
        assert self._handle is not None
        message = FollowJointTrajectory.Feedback(joint_names=list(self._joints))
        message.error.positions = [error] * len(self._joints)
        self._handle.publish_feedback(message)

    def close(self) -> None:
        """Go away, if it is still there."""
        server, self._server = self._server, None
        if server is not None:
            server.destroy()

    def _on_goal(self, goal: Any) -> GoalResponse:
        now_s = self._node.get_clock().now().nanoseconds * 1e-9
        stamped = goal.trajectory.header.stamp.sec > 0
        found = violations(goal.trajectory, self._joints, now_s if stamped else 0.0)
        if found or not self.accepts:
            self.refused.append(found)
            return GoalResponse.REJECT
        if self.running:
            self._end.set_result(None)
        self.goals.append(goal)
        return GoalResponse.ACCEPT

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        self.cancelled += 1
        if self.running:
            self._end.set_result(None)
        return CancelResponse.ACCEPT

    async def _execute(self, handle: ServerGoalHandle) -> Any:
        self._handle, self._end = handle, Future()
        end = await self._end
        result = Result()
        if end is None:
            if handle.is_cancel_requested:
                handle.canceled()
            else:
                handle.abort()
            return result
        result.error_code, result.error_string = end
        if result.error_code:
            handle.abort()
        else:
            handle.succeed()
        return result
