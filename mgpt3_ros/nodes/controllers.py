# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The controllers of a robot: each gets its joints, by action where it can, else by topic.

Topic and action are those of joint_trajectory_controller, ``CONTROLLER/joint_trajectory`` and
``CONTROLLER/follow_joint_trajectory``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from rclpy.lifecycle import LifecycleNode
from trajectory_msgs.msg import JointTrajectory

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.nodes.follow_trajectory import Follower, Outcome, Tolerances, follow_action
from mgpt3_ros.nodes.messages import part_of

FOLLOW_BY = ('auto', 'topic', 'action')


class Controllers:
    """Those that move one robot."""

    def __init__(
        self,
        node: LifecycleNode,
        joints: Mapping[str, Sequence[str]],
        follow_by: str,
        on_outcome: Callable[[Outcome], None],
    ) -> None:
        """Make what speaks to them.

        Args:
            node: that sends.
            joints: by the controller that moves them.
            follow_by: ``topic``, ``action``, or ``auto``: by action where a server answers.
            on_outcome: told what became of a trajectory that was sent by action.

        Raises:
            ConfigError: it shall be by action, and control_msgs is not installed.
        """
        self.joints = {name: list(names) for name, names in joints.items()}
        self._always_by_action = follow_by == 'action'
        self._publishers = {
            name: node.create_lifecycle_publisher(JointTrajectory, f'{name}/joint_trajectory', 10)
            for name in self.joints
        }
        action = follow_action() if follow_by != 'topic' else None
        if action is None and self._always_by_action:
            raise ConfigError(
                'follow_by: action needs the package control_msgs, which is not installed: '
                '`sudo apt install ros-$ROS_DISTRO-control-msgs`, or follow_by: topic'
            )
        self._followers = {}
        if action is not None:
            self._followers = {
                name: Follower(node, action, name, on_outcome) for name in self.joints
            }

    @property
    def active(self) -> bool:
        """Whether a goal is under way."""
        return any(follower.active for follower in self._followers.values())

    @property
    def by_action(self) -> list[str]:
        """The controllers whose servers answer."""
        return [name for name, follower in self._followers.items() if follower.ready]

    @property
    def tracking_error(self) -> float:
        """The largest error of a joint that a controller told of last [rad]."""
        return max((f.tracking_error for f in self._followers.values()), default=0.0)

    def missing(self) -> list[str]:
        """Return the controllers that shall be reached by action and do not answer."""
        if not self._always_by_action:
            return []
        return [name for name, follower in self._followers.items() if not follower.ready]

    def send(
        self, trajectory: JointTrajectory, tolerances: Tolerances, but: Collection[str] = ()
    ) -> None:
        """Send each controller its joints, all with the stamp of ``trajectory``.

        Args:
            trajectory: of the whole robot.
            tolerances: of goals.
            but: controllers that are left alone.
        """
        for name, joints in self.joints.items():
            if name in but:
                continue
            part = part_of(trajectory, joints)
            follower = self._followers.get(name)
            if follower is not None and follower.ready:
                follower.follow(part, tolerances)
            else:
                self._publishers[name].publish(part)

    def watch(self) -> None:
        """Look whether servers have gone with their goals."""
        for follower in self._followers.values():
            if follower.active and not follower.ready:
                follower.lost()

    def close(self) -> None:
        """Give the actions' clients up."""
        for follower in self._followers.values():
            follower.close()
