# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a trajectory keeps within: bounds on speeds and accelerations, and the limits of joints."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mgpt3_ros.body.body_trajectory import BodyState, BodyTrajectory, JointPath
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.spline import extreme_rates

EASE_S = 0.25  # how much of a motion its slowing end covers; it takes twice that time
BLEND_SPEED = 3.0  # [rad/s], [m/s]: a blend lasts at least as long as keeps its own speed below
WORTH_TELLING = 0.01  # [rad] beyond a limit; less is what a spline adds
_FAR = 1e9  # [rad]: no limit is farther


@dataclass(frozen=True)
class Timing:
    """How a clip becomes a trajectory; see the parameters of the same names.

    max_velocity [rad/s] and max_acceleration [rad/s^2] bound every joint, or each its own (J,).
    """

    fps_out: float = 20.0
    lead_in_s: float = 0.5
    blend_s: float = 0.3
    max_velocity: Array | float = np.inf
    max_acceleration: Array | float = np.inf


def excess_of(joints: JointPath, timing: Timing) -> float:
    """Return how many times slower ``joints`` must go to keep the bounds of ``timing``."""
    assert joints.velocities is not None
    speed, acceleration = extreme_rates(joints.times, joints.positions, joints.velocities)
    too_fast = float(np.max(speed / timing.max_velocity))
    too_sudden = float(np.max(acceleration / timing.max_acceleration))
    return max(too_fast, np.sqrt(too_sudden))


def stopped_before(state: BodyState, now: BodyState, limits: Array) -> BodyState:
    """Return ``state``, with joints that it has beyond their limits (J, 2) stopped there.

    Those that are beyond ``now`` already stay so.
    """
    lowest = np.minimum(limits[:, 0], now.positions)
    highest = np.maximum(limits[:, 1], now.positions)
    positions = np.clip(state.positions, lowest, highest)
    velocities = np.where(positions == state.positions, state.velocities, 0.0)
    return replace(state, positions=positions, velocities=velocities)


def held_within(
    trajectory: BodyTrajectory, limits: Array, state: BodyState | None, back_s: float
) -> BodyTrajectory:
    """Hold joints at their limits (J, 2) where a trajectory would take them beyond.

    A body that begins beyond comes back in ``back_s``, later if that were faster than
    ``BLEND_SPEED``: its limits are farther out at first, by ``excess (1 - t / back_s)^2``. Between
    two knots a cubic stays among its four Bezier points, so velocities are held such that these
    are within the limits too; only the first, of a body that already moves, is left as it is.
    """
    joints = trajectory.joints
    assert joints.velocities is not None
    limits = np.clip(np.broadcast_to(limits, (len(trajectory.names), 2)), -_FAR, _FAR)
    first = np.clip(joints.positions[0], *limits.T) if state is None else state.positions
    below, above = np.maximum(limits[:, 0] - first, 0), np.maximum(first - limits[:, 1], 0)
    back_s = max(back_s, 2 * float((below + above).max()) / BLEND_SPEED)
    left = np.maximum(1 - (joints.times - joints.times[0]) / back_s, 0.0)[:, None]
    lower, upper = limits[:, 0] - left**2 * below, limits[:, 1] + left**2 * above
    positions = np.clip(joints.positions, lower, upper)
    velocities = np.where(
        positions > joints.positions, 2 * left / back_s * below, joints.velocities
    )
    velocities = np.where(positions < joints.positions, -2 * left / back_s * above, velocities)
    # From knot to Bezier point: no farther than to the limit, which may be farther out before.
    steps = np.diff(joints.times)[:, None] / 3
    before, after = np.concatenate([steps[:1], steps]), np.concatenate([steps, steps[-1:]])
    up, down = upper - positions, positions - lower
    up_before = positions - np.concatenate([lower[:1], lower[:-1]])
    down_before = np.concatenate([upper[:1], upper[:-1]]) - positions
    velocities = np.clip(
        velocities,
        -np.minimum(down / after, down_before / before),
        np.minimum(up / after, up_before / before),
    )
    if state is not None:
        positions[0], velocities[0] = joints.positions[0], joints.velocities[0]
    farthest = np.abs(joints.positions - positions).max(axis=0)
    return replace(
        trajectory,
        joints=JointPath(joints.times, positions, velocities),
        held={
            name: float(far)
            for name, far in zip(trajectory.names, farthest, strict=True)
            if far > WORTH_TELLING
        },
    )
