# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Feet of a planned trajectory: never under the floor, and side by side where the body rests.

Joint angles are blended joint by joint, and what is blended puts feet where neither motion had
them. So the base is lifted by what a foot goes under the floor, z = 0, and a body that was stopped
in mid stride closes its feet.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import convolve1d, maximum_filter1d

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.body_trajectory import BasePath, BodyState, BodyTrajectory, JointPath
from mgpt3_ros.body.bounds import Timing, held_within
from mgpt3_ros.body.commands.shaping import Taken, taking_over
from mgpt3_ros.body.from_motion import BodyClip, clip_of
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.profiles import JointProfile
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.spline import spline_velocities
from mgpt3_ros.body.stopping import stop
from mgpt3_ros.body.window import model_joints
from mgpt3_ros.model.finishing.finish import finish_joined
from mgpt3_ros.model.finishing.joining import LEAVE_S, join
from mgpt3_ros.model.finishing.settling import STAND_S, is_stance, standing_pose
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS, FPS

if TYPE_CHECKING:
    from mgpt3_ros.model.motion import Motion

CLOSE_LEAD_S = 0.1  # from a stop to where the feet begin to close
FIRST_S = 0.2  # the first knot of a body that is on its way already
_CLOSEST_S = 0.005  # of two knots
_LIFT_S = 0.1  # so long before and after a foot would be under the floor the base is lifted
_WORTH = 0.002  # [m]
_SAME_SPEED = 0.05  # [rad/s]
_AROUND_S = (0.2, 0.5)  # what is seen before and after a moment at which a motion takes over
_BLEND_S = 0.1  # the motion begins in the state that it is joined to


def joints_of(trajectory: BodyTrajectory, at: Array, profile: JointProfile) -> Array:
    """The model's joints (N, 22, 3) [m], Y up, of a trajectory at times (N,) [s]."""
    joints, base = trajectory.sample(at)
    return model_joints(profile, joints.positions, base.pos, base.rot)


def grounded(trajectory: BodyTrajectory, profile: JointProfile) -> BodyTrajectory:
    """Lift the base of a trajectory where a foot would be under the floor.

    The first knot stays, since the body is on its way there.
    """
    times = trajectory.times
    feet = joints_of(trajectory, times, profile)[:, FOOT_JOINTS, 1]
    depth = np.maximum(-feet.min(axis=1), 0.0)
    depth[0] = 0.0
    if depth.max() < _WORTH or len(times) < 3:
        return trajectory
    half = max(round(_LIFT_S / float(np.median(np.diff(times)))), 1)
    # A mean of what is the most on either side is smooth, and nowhere less than what is needed.
    window = np.hanning(2 * half + 3)[1:-1]
    lift = convolve1d(maximum_filter1d(depth, 2 * half + 1), window / window.sum(), mode='nearest')
    share = np.minimum((times - times[0]) / _LIFT_S, 1.0)
    lift *= share * share * (3 - 2 * share)
    rise = spline_velocities(times, lift[:, None], np.zeros(1), np.zeros(1))[:, 0]
    base = trajectory.base
    pos, lin = base.pos.copy(), base.lin.copy()
    pos[:, 2] += lift
    lin[:, 2] += rise
    return replace(trajectory, base=BasePath(base.times, pos, base.rot, lin, base.ang))


def seen_around(trajectory: BodyTrajectory, at_s: float, profile: JointProfile) -> Taken:
    """What a body does around the moment ``at_s`` [s] after a trajectory was sent."""
    behind, ahead = (round(seconds * FPS) for seconds in _AROUND_S)
    at = at_s + np.arange(-behind, ahead + 1) / FPS
    return Taken(joints_of(trajectory, at, profile), behind)


def meeting(
    motion: Motion, trajectory: BodyTrajectory, at_s: float, profile: JointProfile
) -> BodyClip:
    """The motion as it goes on from where a trajectory is ``at_s`` [s] after it was sent.

    The foot that stands there keeps its place, and the other one steps to where the motion has it,
    as :func:`~mgpt3_ros.model.finishing.joining.join` says.
    """
    taken = seen_around(trajectory, at_s, profile)
    joints = taking_over(taken, motion.joints.astype(np.float64))
    return clip_of(replace(motion, joints=joints), profile, goes_on=True)


def on_the_way(
    trajectory: BodyTrajectory,
    before: BodyTrajectory,
    elapsed_s: float,
    limits: Array,
    late_s: float = 0.0,
) -> BodyTrajectory:
    """A trajectory with knots of the one before, which it follows until its own first knot.

    Without them a body goes there by one cubic, on which feet slide and go through the floor. They
    are its own knots, so that the way is the same: between others a cubic leaves it.

    Args:
        trajectory: it begins on the way of the one before.
        before: what the body follows, sent ``elapsed_s`` [s] before time 0.
        elapsed_s: see there.
        limits: of the joints (J, 2) [rad], at which they are held, as by
            :func:`~mgpt3_ros.body.bounds.held_within`: the way to a trajectory's first knot, by a
            cubic that nobody planned, may lead beyond.
        late_s: how long after its time 0 the trajectory is sent [s].
    """
    first_s, last_s = late_s + FIRST_S, float(trajectory.times[0]) - _CLOSEST_S
    if first_s > last_s or elapsed_s >= before.end_s:
        return trajectory
    knots = before.times - elapsed_s
    knots = knots[(knots > first_s + _CLOSEST_S) & (knots < last_s)]
    times = np.concatenate([[first_s], knots])
    joints, base = before.sample(elapsed_s + times)
    own, ours = trajectory.joints, trajectory.base
    assert joints.velocities is not None
    assert own.velocities is not None
    whole = replace(
        trajectory,
        joints=JointPath(
            np.concatenate([times, own.times]),
            np.concatenate([joints.positions, own.positions]),
            np.concatenate([joints.velocities, own.velocities]),
        ),
        base=BasePath(
            np.concatenate([times, ours.times]),
            np.concatenate([base.pos, ours.pos]),
            quat.continuous(np.concatenate([base.rot, ours.rot])),
            np.concatenate([base.lin, ours.lin]),
            np.concatenate([base.ang, ours.ang]),
        ),
    )
    held = held_within(whole, limits, None, _BLEND_S).joints
    assert held.velocities is not None
    count = len(times)
    return replace(
        whole,
        joints=JointPath(
            whole.joints.times,
            np.concatenate([held.positions[:count], own.positions]),
            np.concatenate([held.velocities[:count], own.velocities]),
        ),
    )


def rested_first(
    motion: Motion,
    before: BodyTrajectory,
    elapsed_s: float,
    timing: Timing,
    profile: JointProfile,
) -> tuple[BodyTrajectory, float]:
    """A motion that takes over from a body that has come to rest on its way.

    For a motion that cannot be begun at the body's speed within the bounds, however slow it is.

    Args:
        motion: to do.
        before: what the body follows, sent ``elapsed_s`` [s] ago.
        elapsed_s: see there.
        timing: rates and bounds.
        profile: of the joints.

    Returns:
        The trajectory, and how many times slower than the motion it is.
    """
    halted = stop(
        before,
        elapsed_s,
        float(np.min(timing.max_acceleration)),
        profile.position_limits,
        timing.max_velocity,
    )
    rest_s = halted.end_s
    clip = meeting(motion, halted, rest_s, profile)
    timing = replace(timing, lead_in_s=rest_s)
    trajectory, slower = plan(clip, timing, halted.state_at(rest_s), halted.state_at(0.0))
    return on_the_way(trajectory, halted, 0.0, profile.position_limits), slower


def begins_at_speed(trajectory: BodyTrajectory, state: BodyState) -> bool:
    """Whether a trajectory begins at the speed that the body has there."""
    assert trajectory.joints.velocities is not None
    return bool(np.allclose(trajectory.joints.velocities[0], state.velocities, atol=_SAME_SPEED))


def closing(
    trajectory: BodyTrajectory, timing: Timing, profile: JointProfile
) -> BodyTrajectory | None:
    """What brings a body on to a stance that follows a trajectory from now on.

    Args:
        trajectory: published just now, ends at rest.
        timing: rates and bounds; ``lead_in_s`` from now the body is still on that way.
        profile: of the joints.

    Returns:
        A trajectory that begins after the lead-in on the way of the other; None where that one
        ends in a stance by itself.
    """
    from mgpt3_ros.model.motion import Motion  # imports PyTorch, which takes seconds

    if is_stance(joints_of(trajectory, np.array([trajectory.end_s]), profile)[0]):
        return None
    at = timing.lead_in_s + np.arange(round((LEAVE_S[1] + 0.2) * FPS)) / FPS
    before = joints_of(trajectory, at, profile)
    stand = np.repeat(standing_pose()[None], round(STAND_S * FPS), axis=0)
    cut, rest = join(before, stand, FPS)
    motion = Motion(np.concatenate([before[:cut], finish_joined(rest, FPS)]), FPS)
    closed, _ = plan(
        clip_of(motion, profile, goes_on=True),
        replace(timing, blend_s=_BLEND_S),
        trajectory.state_at(timing.lead_in_s),
        trajectory.state_at(0.0),
    )
    return grounded(closed, profile)
