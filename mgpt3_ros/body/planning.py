# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a clip to a trajectory that a body can follow from where it is.

A clip begins anywhere and breaks off in full swing; a body does neither. So the clip is put down
at the body's place and heading, the difference in pose and velocity dies away over a blend, the
end is eased to a stop along the clip's own poses (so that planted feet stay planted), joints that
would go beyond their limits are held there, and where a bound on speed or acceleration is exceeded
the whole is slowed down.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.body_trajectory import BasePath, BodyState, BodyTrajectory, JointPath
from mgpt3_ros.body.bounds import (
    BLEND_SPEED,
    EASE_S,
    WORTH_TELLING,
    Timing,
    excess_of,
    held_within,
    stopped_before,
)
from mgpt3_ros.body.from_motion import BodyClip
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.finishing.blending import inertialise

_LATER, _LATER_PASSES = 1.1, 60  # how a lead-in that is too short for the bounds grows
_MOST_POINTS = 20_000  # of a trajectory: 16 minutes at 20 points per second


def plan(
    clip: BodyClip,
    timing: Timing,
    state: BodyState | None = None,
    now: BodyState | None = None,
) -> tuple[BodyTrajectory, float]:
    """Return the trajectory of ``clip`` and how many times slower than the clip it is.

    Args:
        clip: what to do.
        timing: rates and bounds.
        state: where the body will be ``lead_in_s`` from now; None where that is unknown: then
            the trajectory begins with the clip's first pose at the world's origin, facing X, and
            later than ``lead_in_s`` where a body that stands upright needs longer to come to it.
        now: where the body is now, if known.

    Raises:
        MotionError: so slow that it would never end.
    """
    if state is not None and now is not None:
        state = stopped_before(state, now, clip.limits)
    placed = _place(clip, state)
    slower = 1.0
    # Where a body already moves beyond a bound no slower clip mends its first velocity.
    bound = state is None or (np.abs(state.velocities) <= timing.max_velocity).all()
    least = np.inf
    for _ in range(6 if bound else 1):
        drawn = slower
        trajectory = replace(_draw(placed, timing, state, drawn), start=now)
        excess = excess_of(trajectory.joints, timing)
        if excess <= 1.0:
            break
        slower *= 1.02 * excess
        if excess > least:  # it must brake before a limit, however slow the clip is
            trajectory = _stretch(trajectory, slower / drawn)
            break
        least = excess
    else:
        trajectory = _stretch(trajectory, slower / drawn)
    if state is None:
        trajectory = _reached_from_standing(trajectory, timing, clip.standing)
    return trajectory, slower


def _place(clip: BodyClip, state: BodyState | None) -> BodyClip:
    """Turn and shift ``clip`` so that it begins at the body's place and heading."""
    heading, place = float(quat.yaw(clip.standing_rot)), np.zeros(2)
    if state is not None:
        heading, place = float(quat.yaw(state.base_rot)), state.base_pos[:2]
    turn = quat.about_z(heading - quat.yaw(clip.base_rot[0]))
    pos = quat.rotate(turn, clip.base_pos - clip.base_pos[0] * [1, 1, 0])
    pos[:, :2] += place
    rot = quat.continuous(quat.multiply(turn, clip.base_rot))
    positions = clip.positions
    if state is not None:
        positions = clip.near(positions, state.positions)
    return replace(clip, positions=positions, base_pos=pos, base_rot=rot)


def _reached_from_standing(
    trajectory: BodyTrajectory, timing: Timing, standing: Array | float
) -> BodyTrajectory:
    """Delay ``trajectory`` so that a body that stands upright comes to it within the bounds."""
    joints, base = trajectory.joints, trajectory.base
    assert joints.velocities is not None
    lead_in_s = float(joints.times[0])
    for _ in range(_LATER_PASSES):
        way = JointPath(
            np.array([0.0, lead_in_s]),
            np.stack([np.zeros_like(joints.positions[0]) + standing, joints.positions[0]]),
            np.stack([np.zeros_like(joints.positions[0]), joints.velocities[0]]),
        )
        if excess_of(way, timing) <= 1.0:
            break
        lead_in_s *= _LATER
    later = lead_in_s - joints.times[0]
    return replace(
        trajectory,
        joints=replace(joints, times=joints.times + later),
        base=replace(base, times=base.times + later),
    )


def _draw(
    clip: BodyClip, timing: Timing, state: BodyState | None, slower: float
) -> BodyTrajectory:
    """Sample ``clip`` ``slower`` times slower, eased at its end, blended from ``state``."""
    elapsed, phase = _eased_phases(clip.duration_s, timing.fps_out, slower)
    sampled = _sample_clip(clip, phase)
    if state is not None:
        first = BodyTrajectory.through(clip.names, elapsed, *sampled).state_at(0.0)
        if clip.goes_on:
            first = first.moving_as(state, 1 / slower)
        sampled = _blend(
            sampled, timing.fps_out, state, first, timing.blend_s * slower, timing.max_velocity
        )
    drawn = BodyTrajectory.through(clip.names, timing.lead_in_s + elapsed, *sampled, state)
    drawn = held_within(drawn, clip.limits, state, timing.blend_s * slower)
    beyond = np.abs(clip.positions - np.clip(clip.positions, *clip.limits.T)).max(axis=0)
    farthest = {
        name: max(float(far), drawn.held.get(name, 0.0))
        for name, far in zip(clip.names, beyond, strict=True)
    }
    return replace(drawn, held={n: far for n, far in farthest.items() if far > WORTH_TELLING})


def _eased_phases(duration_s: float, fps: float, slower: float) -> tuple[Array, Array]:
    """Return times (N,) from 0 and the moments (N,) of a clip to show at them [s].

    The clip runs at 1 / slower of its speed until ``EASE_S`` before its end; that rest takes twice
    its time, at a rate that falls to zero.
    """
    ease_s = min(EASE_S, 0.5 * duration_s)
    straight_s = (duration_s - ease_s) * slower
    total_s = straight_s + 2 * ease_s * slower
    if total_s * fps > _MOST_POINTS:
        raise MotionError(
            f'the bounds would make it last {total_s:.0f} s: raise max_joint_velocity or '
            'max_joint_acceleration'
        )
    whole = np.arange(1, int(np.ceil(total_s * fps - 0.5)))  # a last step may be half as long
    elapsed = np.concatenate([[0.0], whole / fps, [total_s]])
    share = np.clip((elapsed - straight_s) / (2 * ease_s * slower), 0.0, 1.0)
    phase = np.minimum(elapsed, straight_s) / slower + ease_s * (2 * share - share**2)
    return elapsed, phase


Poses = tuple[Array, Array, Array]  # positions (N, J), base_pos (N, 3) and base_rot (N, 4)


def _sample_clip(clip: BodyClip, phase: Array) -> Poses:
    """Return the poses at moments (N,) of the clip."""
    times = np.arange(len(clip.positions)) / clip.fps
    # Held in its own time, so that what a joint does near a limit is slowed down with the rest.
    within = np.clip(clip.positions, *clip.limits.T)
    poses = within, clip.base_pos, clip.base_rot
    whole = BodyTrajectory.through(clip.names, times, *poses, ends_at_rest=False)
    whole = held_within(whole, clip.limits, None, EASE_S)
    joints, base = whole.sample(phase)
    return joints.positions, base.pos, base.rot


def _blend(
    sampled: Poses,
    fps: float,
    state: BodyState,
    first: BodyState,
    blend_s: float,
    max_velocity: Array | float,
) -> Poses:
    """Let the difference between ``state`` and the clip's ``first`` state die away (N frames).

    Where the body goes (base x and y) it is not pulled back: only the velocity's difference dies
    away, and the place keeps what was gained by it.
    """
    positions, base_pos, base_rot = sampled
    tilt = quat.log(quat.multiply(state.base_rot, quat.inverse(first.base_rot)))
    spin = state.base_ang - first.base_ang
    # Half of a slow joint's speed is left for the clip itself, which would else be slowed for it.
    speed = np.minimum(BLEND_SPEED, 0.5 * np.asarray(max_velocity))
    joint_gaps = (state.positions - first.positions) / speed
    gaps = (joint_gaps, tilt / BLEND_SPEED, (state.base_pos - first.base_pos)[2:] / BLEND_SPEED)
    # The quintic's steepest slope is 15/8 of its height over its duration.
    blend_s = max(blend_s, 1.875 * max(float(np.abs(gap).max()) for gap in gaps))
    here = np.append(state.positions, state.base_pos[2])
    there = np.append(first.positions, first.base_pos[2])
    drift = np.append(state.velocities - first.velocities, (state.base_lin - first.base_lin)[2])
    still = np.zeros((len(positions), len(here)))
    blended = np.concatenate([positions, base_pos[:, 2:]], axis=1)
    blended += inertialise(still, fps, here - there, drift, blend_s)
    tilts = inertialise(still[:, :3], fps, tilt, spin, blend_s)
    share = np.minimum(np.arange(len(positions)) / (fps * blend_s), 1.0)[:, None]
    # The integral of the velocity (1 - s)^2 (1 + 2 s), which falls smoothly from 1 to 0.
    gained = (share - share**3 + 0.5 * share**4) * blend_s
    base_xy = base_pos[:, :2] + gained * (state.base_lin - first.base_lin)[:2]
    return (
        blended[:, :-1],
        np.concatenate([base_xy, blended[:, -1:]], axis=1),
        quat.continuous(quat.multiply(quat.exp(tilts), base_rot)),
    )


def _stretch(trajectory: BodyTrajectory, slower: float) -> BodyTrajectory:
    """Let ``trajectory`` take ``slower`` times as long, from its first knot on."""
    joints, base = trajectory.joints, trajectory.base
    assert joints.velocities is not None
    times = joints.times[0] + slower * (joints.times - joints.times[0])
    return replace(
        trajectory,
        joints=JointPath(times, joints.positions, joints.velocities / slower),
        base=BasePath(times, base.pos, base.rot, base.lin / slower, base.ang / slower),
    )
