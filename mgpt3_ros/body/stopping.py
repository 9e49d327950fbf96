# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stop of a body that moves: within its bounds, along the way on which it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mgpt3_ros.body.body_trajectory import BodyState, BodyTrajectory
from mgpt3_ros.body.bounds import EASE_S, Timing, excess_of, held_within
from mgpt3_ros.body.profiles.base import UNLIMITED
from mgpt3_ros.body.quaternions import Array

LAG = 0.05  # [rad] off its way, a joint does not follow
LONGEST_EASE_S = 10.0  # one that must brake before a limit gains nothing by more
_STEP_S, _MOST_POINTS = 0.05, 100  # between points, and how many at most


def stop(
    trajectory: BodyTrajectory,
    elapsed_s: float,
    max_acceleration: float = np.inf,
    limits: Array = UNLIMITED,
    max_velocity: Array | float = np.inf,
    seen: BodyState | None = None,
    seen_ago_s: float = 0.0,
) -> BodyTrajectory:
    """Return a short trajectory that brings a body on ``trajectory`` to rest and holds it there.

    It follows the way on which the body already is, ever more slowly: poses and contacts stay
    those of the motion. A joint that is seen to be elsewhere, since it is weak or hindered, slows
    down from there: it is not driven on to where it should be.

    Args:
        trajectory: what the body follows.
        elapsed_s: how long ago that was published.
        max_acceleration: [rad/s^2]; a lower one makes the stop longer.
        limits: (J, 2) [rad] of the joints.
        max_velocity: [rad/s], of all joints or of each (J,).
        seen: where the body's joints were, if known; those that are more than ``LAG`` off their
            way since then stop there.
        seen_ago_s: how long ago [s].
    """
    now = trajectory.state_at(elapsed_s)
    lags = np.zeros(len(now.positions), dtype=bool)
    if seen is not None:
        since, _ = trajectory.sample(np.linspace(max(elapsed_s - seen_ago_s, 0.0), elapsed_s, 9))
        lags = np.abs(seen.positions - since.positions).min(axis=0) > LAG
        here = np.where(lags, seen.positions, now.positions)
        rates = np.where(
            lags, np.clip(seen.velocities, -max_velocity, max_velocity), now.velocities
        )
        now = replace(now, positions=here, velocities=rates)
    # A motion that was made within other bounds moves as fast as it moves.
    fastest = np.maximum(max_velocity, np.abs(now.velocities))
    timing = Timing(max_velocity=fastest, max_acceleration=max_acceleration)
    ease_s = EASE_S
    for _ in range(8):
        points = min(round(2 * ease_s / _STEP_S), _MOST_POINTS)
        share = np.linspace(0.0, 1.0, 1 + points)
        passed_s = ease_s * (2 * share - share**2)  # of the motion; its speed falls evenly to 0
        joints, base = trajectory.sample(elapsed_s + passed_s)
        own = now.positions + passed_s[:, None] * now.velocities
        halted = BodyTrajectory.through(
            trajectory.names,
            2 * ease_s * share,
            np.where(lags, own, joints.positions),
            base.pos,
            base.rot,
            now,
        )
        halted = held_within(halted, limits, now, 2 * ease_s)
        excess = excess_of(halted.joints, timing)
        if excess <= 1.0 or ease_s == LONGEST_EASE_S:
            break
        ease_s = min(1.02 * excess * ease_s, LONGEST_EASE_S)
    return replace(halted.without(1), start=now)
