# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a body is now and where it will be, by what was seen of it and what it follows."""

from __future__ import annotations

from dataclasses import replace

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.body_trajectory import BodyState, BodyTrajectory


def now_and_then(
    seen: BodyState | None,
    trajectory: BodyTrajectory | None,
    elapsed_s: float,
    ahead_s: float,
    ago_s: float = 0.0,
) -> tuple[BodyState | None, BodyState | None]:
    """Return where a body is now and where it will be ``ahead_s`` later; None where unknown.

    Args:
        seen: where it was seen; None to believe the trajectory.
        trajectory: what was published last, ``elapsed_s`` ago; None where nothing was.
        elapsed_s: see there.
        ahead_s: time from now [s].
        ago_s: how long ago the body was seen [s]: it has moved on since.
    """
    if seen is not None and (trajectory is None or elapsed_s >= trajectory.end_s):
        return seen, coming_to_rest(seen, ahead_s)
    if trajectory is None:
        return None, None
    if seen is not None:
        ago_s = min(ago_s, elapsed_s)
        then_s = elapsed_s - ago_s
        now = carried_on(seen, trajectory, then_s, ago_s) if ago_s else seen
        return now, carried_on(seen, trajectory, then_s, ago_s + ahead_s)
    return trajectory.state_at(elapsed_s), trajectory.state_at(elapsed_s + ahead_s)


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
