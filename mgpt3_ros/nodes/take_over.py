# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a whole motion takes over from what a body does: when, and on which trajectory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mgpt3_ros.body.body_trajectory import BodyTrajectory
from mgpt3_ros.body.commands.meaning import Action, counts_from_there
from mgpt3_ros.body.from_motion import BodyClip, clip_of
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.stance import (
    begins_at_speed,
    grounded,
    joints_of,
    meeting,
    on_the_way,
    rested_first,
)
from mgpt3_ros.nodes.generation import Generated, Meets

if TYPE_CHECKING:
    from mgpt3_ros.nodes.generate_node import GenerateNode

MEETING_S = 0.1  # that joining a motion to one that plays may take
_SENDING_S = 0.03  # from there until it is sent, on a busy machine
_SOONEST_S = 0.25  # before it takes over, a motion is sent at the latest
_FIRST_DRAW_S = 0.5  # that drawing is expected to take at first
_MISSED = 2  # times that it is drawn anew, since it came too late


class TakeOver:
    """From what the body of a generate_node does to what was drawn for it."""

    def __init__(self, node: GenerateNode) -> None:
        self._node = node
        self._begun_s, self._draw_s = 0.0, _FIRST_DRAW_S  # of what is drawn to take over
        self._missed = 0

    def meets(self, action: Action, lead_s: float) -> Meets | None:
        """Where a motion whose numbers count from there will take over; None where it has none.

        Nor where that is not known: where joint states say where the body is, or it soon rests.
        """
        node, playing = self._node, self._node.playing
        known = not node.starts_from_joint_states() and node.robot is None
        if not known or playing is None or self._missed > _MISSED:
            return None
        self._begun_s = node.clock.motion_s()
        at_s = playing.elapsed_s(self._begun_s) + self._draw_s + lead_s
        soon = at_s > playing.trajectory.end_s - _SOONEST_S
        return None if soon or not counts_from_there(action) else Meets(playing, at_s)

    def comes_too_late(self, drawn: Generated) -> bool:
        """Whether the moment has passed at which a motion should take over, or will too soon."""
        node = self._node
        meets, now_s = drawn.meets, node.clock.motion_s()
        if meets is None:
            self._missed = 0
            return False
        self._draw_s = max(now_s - self._begun_s, 0.5 * self._draw_s)
        late = meets.left_s(now_s) < _SOONEST_S or not meets.holds(node.playing, now_s)
        self._missed = self._missed + 1 if late else 0
        return late

    def last_pose(self) -> np.ndarray | None:
        """The pose (22, 3) [m], Y up, in which what plays ends; None where that is unknown."""
        if self._node.playing is None or self._node.starts_from_joint_states():
            return None
        trajectory = self._node.playing.trajectory
        return joints_of(trajectory, np.array([trajectory.end_s]), self._node.profile)[0]

    def planned(
        self, generated: Generated, lead_s: float, now_s: float | None, follows: bool
    ) -> tuple[BodyTrajectory, float]:
        """The trajectory of a motion from where the body is, and how many times slower it is.

        Args:
            generated: what was drawn.
            lead_s: from its time 0 to its first point, unless it meets a body that moves [s].
            now_s: its time 0, by the clock of a body that moves; None for one that stands.
            follows: whether it begins when what plays has ended.
        """
        node, playing = self._node, self._node.playing
        known = now_s is not None and not node.starts_from_joint_states()
        if not known or generated.leave_s is not None:
            now, then = node.body_state(lead_s, now_s)
            trajectory, slower = plan(self._clip(generated), node.timing(lead_s), then, now)
            return self._grounded(trajectory), slower
        assert playing is not None
        assert now_s is not None
        elapsed_s = playing.elapsed_s(now_s)
        if generated.meets is None and not follows:
            lead_s += MEETING_S
            clip = meeting(generated.motion, playing.trajectory, elapsed_s + lead_s, node.profile)
        else:
            lead_s = lead_s if generated.meets is None else generated.meets.left_s(now_s)
            clip = self._clip(generated)
        now, then = node.body_state(lead_s, now_s)
        trajectory, slower = plan(clip, node.timing(lead_s), then, now)
        bounded = np.isfinite(node.max_acceleration())
        if bounded and then is not None and not begins_at_speed(trajectory, then):
            trajectory, slower = rested_first(
                generated.motion, playing.trajectory, elapsed_s, node.timing(lead_s), node.profile
            )
            return self._grounded(trajectory), slower
        trajectory = self._grounded(trajectory)
        late_s = node.clock.motion_s() - now_s + _SENDING_S
        limits = node.profile.position_limits
        return on_the_way(trajectory, playing.trajectory, elapsed_s, limits, late_s), slower

    def _clip(self, generated: Generated) -> BodyClip:
        """What was drawn, in joints; found here where the body to be met has come to rest."""
        clip = generated.clip
        return clip_of(generated.motion, self._node.profile) if clip is None else clip

    def _grounded(self, trajectory: BodyTrajectory) -> BodyTrajectory:
        """Put the feet of a human on the floor; those of a robot were placed when it was drawn."""
        node = self._node
        return trajectory if node.robot is not None else grounded(trajectory, node.profile)
