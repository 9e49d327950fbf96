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

from dataclasses import dataclass, replace

import numpy as np

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.body_trajectory import BasePath, BodyState, BodyTrajectory, JointPath
from mgpt3_ros.body.from_motion import BodyClip
from mgpt3_ros.body.profiles.base import UNLIMITED
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.spline import extreme_rates
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.finishing.blending import inertialise

EASE_S = 0.25  # how much of a motion its slowing end covers; it takes twice that time
LONGEST_EASE_S = 10.0  # of a stop: one that must brake before a limit gains nothing by more
BLEND_SPEED = 3.0  # [rad/s], [m/s]: a blend lasts at least as long as keeps its own speed below

LAG = 0.05  # [rad] off its way, a joint does not follow
_STOP_STEP_S, _STOP_POINTS = 0.05, 100  # between the points of a stop, and how many at most
_FAR = 1e9  # [rad]: no limit is farther
WORTH_TELLING = 0.01  # [rad] beyond a limit; less is what a spline adds
_MOST_POINTS = 20_000  # of a trajectory: 16 minutes at 20 points per second


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
        state = _stopped_before(state, now, clip.limits)
    placed = _place(clip, state)
    slower = 1.0
    # Where a body already moves beyond a bound no slower clip mends its first velocity.
    bound = state is None or (np.abs(state.velocities) <= timing.max_velocity).all()
    least = np.inf
    for _ in range(6 if bound else 1):
        drawn = slower
        trajectory = replace(_draw(placed, timing, state, drawn), start=now)
        excess = _excess(trajectory.joints, timing)
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


def stop(
    trajectory: BodyTrajectory,
    elapsed_s: float,
    max_acceleration: float = np.inf,
    limits: Array = UNLIMITED,
    max_velocity: Array | float = np.inf,
    seen: BodyState | None = None,
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
        seen: where the body's joints are, if known; those that are more than ``LAG`` off stop
            there.
    """
    now = trajectory.state_at(elapsed_s)
    lags = np.zeros(len(now.positions), dtype=bool)
    if seen is not None:
        lags = np.abs(seen.positions - now.positions) > LAG
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
        points = min(round(2 * ease_s / _STOP_STEP_S), _STOP_POINTS)
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
        excess = _excess(halted.joints, timing)
        if excess <= 1.0 or ease_s == LONGEST_EASE_S:
            break
        ease_s = min(1.02 * excess * ease_s, LONGEST_EASE_S)
    return replace(halted.without(1), start=now)


def now_and_then(
    seen: BodyState | None, trajectory: BodyTrajectory | None, elapsed_s: float, ahead_s: float
) -> tuple[BodyState | None, BodyState | None]:
    """Return where a body is now and where it will be ``ahead_s`` later; None where unknown.

    Args:
        seen: where it was seen; None to believe the trajectory.
        trajectory: what was published last, ``elapsed_s`` ago; None where nothing was.
        elapsed_s: see there.
        ahead_s: time from now [s].
    """
    if seen is not None and (trajectory is None or elapsed_s >= trajectory.end_s):
        return seen, coming_to_rest(seen, ahead_s)
    if trajectory is None:
        return None, None
    if seen is not None:
        return seen, carried_on(seen, trajectory, elapsed_s, ahead_s)
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


def _stopped_before(state: BodyState, now: BodyState, limits: Array) -> BodyState:
    """Return ``state``, with joints that it has beyond their limits (J, 2) stopped there.

    Those that are beyond ``now`` already stay so.
    """
    lowest = np.minimum(limits[:, 0], now.positions)
    highest = np.maximum(limits[:, 1], now.positions)
    positions = np.clip(state.positions, lowest, highest)
    velocities = np.where(positions == state.positions, state.velocities, 0.0)
    return replace(state, positions=positions, velocities=velocities)


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
        if _excess(way, timing) <= 1.0:
            break
        lead_in_s *= _LATER
    later = lead_in_s - joints.times[0]
    return replace(
        trajectory,
        joints=replace(joints, times=joints.times + later),
        base=replace(base, times=base.times + later),
    )


_LATER, _LATER_PASSES = 1.1, 60
_HELPS = (
    0.9  # of what a bound was exceeded by before: slowing down does not help where more is left
)


def _draw(
    clip: BodyClip, timing: Timing, state: BodyState | None, slower: float
) -> BodyTrajectory:
    """Sample ``clip`` ``slower`` times slower, eased at its end, blended from ``state``."""
    elapsed, phase = _eased_phases(clip.duration_s, timing.fps_out, slower)
    sampled = _sample_clip(clip, phase)
    if state is not None:
        first = BodyTrajectory.through(clip.names, elapsed, *sampled).state_at(0.0)
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
    joint_gaps = (state.positions - first.positions) / np.minimum(BLEND_SPEED, max_velocity)
    gaps = (joint_gaps, tilt / BLEND_SPEED, (state.base_pos - first.base_pos)[2:] / BLEND_SPEED)
    # The quintic's steepest slope is 15/8 of its height over its duration.
    blend_s = max(blend_s, 1.875 * max(float(np.abs(gap).max()) for gap in gaps))
    blended = inertialise(
        np.concatenate([positions, base_pos[:, 2:]], axis=1),
        fps,
        np.append(state.positions, state.base_pos[2]),
        np.append(state.velocities, state.base_lin[2]),
        blend_s,
    )
    tilts = inertialise(np.zeros((len(positions), 3)), fps, tilt, spin, blend_s)
    share = np.minimum(np.arange(len(positions)) / (fps * blend_s), 1.0)[:, None]
    # The integral of the velocity (1 - s)^2 (1 + 2 s), which falls smoothly from 1 to 0.
    gained = (share - share**3 + 0.5 * share**4) * blend_s
    base_xy = base_pos[:, :2] + gained * (state.base_lin - first.base_lin)[:2]
    return (
        blended[:, :-1],
        np.concatenate([base_xy, blended[:, -1:]], axis=1),
        quat.continuous(quat.multiply(quat.exp(tilts), base_rot)),
    )


def _excess(joints: JointPath, timing: Timing) -> float:
    """Return how many times slower ``joints`` must go to keep the bounds of ``timing``."""
    assert joints.velocities is not None
    speed, acceleration = extreme_rates(joints.times, joints.positions, joints.velocities)
    too_fast = float(np.max(speed / timing.max_velocity))
    too_sudden = float(np.max(acceleration / timing.max_acceleration))
    return max(too_fast, np.sqrt(too_sudden))


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
