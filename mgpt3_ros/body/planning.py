# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a clip to a trajectory that a body can follow from where it is.

A clip begins anywhere and breaks off in full swing; a body does neither. So the clip is put down
at the body's place and heading, the difference in pose and velocity dies away over a blend, the
end is eased to a stop along the clip's own poses (so that planted feet stay planted), and where
a bound is exceeded the whole is slowed down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.body_trajectory import BasePath, BodyState, BodyTrajectory, JointPath
from mgpt3_ros.body.profiles.base import whole_turns_near
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.spline import extreme_rates, spline_velocities, start_slope
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.finishing.blending import inertialise

EASE_S = 0.25  # how much of a motion its slowing end covers; it takes twice that time
BLEND_SPEED = 3.0  # [rad/s], [m/s]: a blend lasts at least as long as keeps its own speed below

_MOST_POINTS = 20_000  # of a trajectory: 16 minutes at 20 points per second


@dataclass(frozen=True)
class Clip:
    """Body angles at a constant rate, in ROS frames, as the model made them.

    positions (T, J) [rad], base_pos (T, 3) [m], base_rot (T, 4) xyzw, fps [1/s]; T >= 2.
    near: writes positions (T, J) as other angles of the same poses, starting close to a goal (J,).
    """

    names: tuple[str, ...]
    positions: Array
    base_pos: Array
    base_rot: Array
    fps: float
    near: Callable[[Array, Array], Array] = whole_turns_near

    @property
    def duration_s(self) -> float:
        """Time from the first to the last frame [s]."""
        return (len(self.positions) - 1) / self.fps


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


def calm(positions: Array, fps: float, limits: Array) -> Array:
    """Take the spikes out of joint angles: where one turns faster than it can, it is smoothed.

    Angles of limbs that are nearly straight, or near gimbal lock, can jump though the body hardly
    moves. Slowing the whole motion down for that would be wrong; only the jump is spread in time.

    Args:
        positions: (T, J) [rad] at ``fps``.
        fps: frames per second.
        limits: (J,) [rad/s].

    Returns:
        (T, J), the first and the last frame unchanged.
    """
    calmed = np.array(positions, dtype=np.float64)
    largest_step = _CALM_MARGIN * limits / fps
    for _ in range(_CALM_PASSES):
        too_fast = np.abs(np.diff(calmed, axis=0)) > largest_step
        if not too_fast.any():
            break
        # A frame is moved towards its neighbours if a step near it is too large.
        near = np.zeros_like(calmed, dtype=bool)
        for shift in range(-_CALM_REACH, _CALM_REACH + 1):
            rows = np.clip(np.arange(len(calmed)) + shift, 0, len(too_fast) - 1)
            near |= too_fast[rows]
        near[[0, -1]] = False
        bend = np.zeros_like(calmed)
        bend[1:-1] = calmed[:-2] - 2 * calmed[1:-1] + calmed[2:]
        calmed += 0.25 * near * bend
    return calmed


_CALM_PASSES = 100
_CALM_REACH = 3  # frames
_CALM_MARGIN = 0.8  # between two frames a spline is faster than the straight line


def plan(
    clip: Clip,
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
    placed = _place(clip, state)
    slower = 1.0
    for _ in range(6):
        trajectory = replace(_draw(placed, timing, state, slower), start=now)
        excess = _excess(trajectory.joints, timing)
        if excess <= 1.0:
            break
        slower *= 1.02 * excess
    else:
        # A body that already moves beyond a bound: no slower clip mends its first velocity.
        trajectory = _stretch(trajectory, 1.02 * excess)
    return (trajectory if state else _reached_from_standing(trajectory, timing)), slower


def stop(
    trajectory: BodyTrajectory, elapsed_s: float, max_acceleration: float = np.inf
) -> BodyTrajectory:
    """Return a short trajectory that brings a body on ``trajectory`` to rest and holds it there.

    It follows the way on which the body already is, ever more slowly: poses and contacts stay
    those of the motion.

    Args:
        trajectory: what the body follows.
        elapsed_s: how long ago that was published.
        max_acceleration: [rad/s^2]; a lower one makes the stop longer.
    """
    now = trajectory.state_at(elapsed_s)
    timing = Timing(max_acceleration=max_acceleration)
    ease_s = EASE_S
    share = np.linspace(0.0, 1.0, 6)
    for _ in range(6):
        joints, base = trajectory.sample(elapsed_s + ease_s * (2 * share - share**2))
        halted = _with_velocities(
            trajectory.names, 2 * ease_s * share, joints.positions, base.pos, base.rot, now
        )
        excess = _excess(halted.joints, timing)
        if excess <= 1.0:
            break
        ease_s *= 1.02 * excess
    return BodyTrajectory(
        halted.names, _without_first(halted.joints), _without_first(halted.base), now
    )


def _place(clip: Clip, state: BodyState | None) -> Clip:
    """Turn and shift ``clip`` so that it begins at the body's place and heading."""
    heading, place = (0.0, np.zeros(2))
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


def _reached_from_standing(trajectory: BodyTrajectory, timing: Timing) -> BodyTrajectory:
    """Delay ``trajectory`` so that a body that stands upright comes to it within the bounds."""
    joints, base = trajectory.joints, trajectory.base
    assert joints.velocities is not None
    lead_in_s = float(joints.times[0])
    for _ in range(_LATER_PASSES):
        way = JointPath(
            np.array([0.0, lead_in_s]),
            np.stack([np.zeros_like(joints.positions[0]), joints.positions[0]]),
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


def _draw(clip: Clip, timing: Timing, state: BodyState | None, slower: float) -> BodyTrajectory:
    """Sample ``clip`` ``slower`` times slower, eased at its end, blended from ``state``."""
    elapsed, phase = _eased_phases(clip.duration_s, timing.fps_out, slower)
    sampled = _sample_clip(clip, phase)
    if state is not None:
        first = _with_velocities(clip.names, elapsed, *sampled).state_at(0.0)
        sampled = _blend(*sampled, timing.fps_out, state, first, timing.blend_s * slower)
    return _with_velocities(clip.names, timing.lead_in_s + elapsed, *sampled, state)


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


def _sample_clip(clip: Clip, phase: Array) -> tuple[Array, Array, Array]:
    """Return positions (N, J), base_pos (N, 3) and base_rot (N, 4) at moments (N,) of the clip."""
    times = np.arange(len(clip.positions)) / clip.fps
    values = np.concatenate([clip.positions, clip.base_pos, clip.base_rot], axis=1)
    ends = start_slope(times, values), -start_slope(-times[::-1], values[::-1])
    path = JointPath(times, values, spline_velocities(times, values, *ends))
    sampled = path.sample(phase)[0]
    joints = clip.positions.shape[1]
    rot = sampled[:, joints + 3 :]
    return (
        sampled[:, :joints],
        sampled[:, joints : joints + 3],
        rot / np.linalg.norm(rot, axis=1, keepdims=True),
    )


def _blend(
    positions: Array,
    base_pos: Array,
    base_rot: Array,
    fps: float,
    state: BodyState,
    first: BodyState,
    blend_s: float,
) -> tuple[Array, Array, Array]:
    """Let the difference between ``state`` and the clip's ``first`` state die away (N frames).

    Where the body goes (base x and y) it is not pulled back: only the velocity's difference dies
    away, and the place keeps what was gained by it.
    """
    tilt = quat.log(quat.multiply(state.base_rot, quat.inverse(first.base_rot)))
    spin = state.base_ang - first.base_ang
    gaps = (state.positions - first.positions, tilt, state.base_pos[2:] - first.base_pos[2:])
    farthest = max(float(np.abs(gap).max()) for gap in gaps)
    # The quintic's steepest slope is 15/8 of its height over its duration.
    blend_s = max(blend_s, 1.875 * farthest / BLEND_SPEED)
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


def _with_velocities(
    names: tuple[str, ...],
    times: Array,
    positions: Array,
    base_pos: Array,
    base_rot: Array,
    start: BodyState | None = None,
) -> BodyTrajectory:
    """Give knots at ``times`` (N,) their velocities: the spline's, ending at rest.

    The first velocities are those of ``start``, or, without it, what the first knots tell.
    """
    rot = quat.continuous(base_rot)
    values = np.concatenate([positions, base_pos, rot], axis=1)
    if start is None:
        rates = start_slope(times, values)
    else:
        spin = 0.5 * quat.multiply(np.append(start.base_ang, 0.0), rot[0])
        rates = np.concatenate([start.velocities, start.base_lin, spin])
    velocities = spline_velocities(times, values, rates, np.zeros_like(rates))
    joints = positions.shape[1]
    return BodyTrajectory(
        names,
        JointPath(times, positions, velocities[:, :joints]),
        BasePath(
            times,
            base_pos,
            rot,
            velocities[:, joints : joints + 3],
            quat.angular_velocity(rot, velocities[:, joints + 3 :]),
        ),
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


_Path = TypeVar('_Path', JointPath, BasePath)


def _without_first(path: _Path) -> _Path:
    return type(path)(*(getattr(path, field.name)[1:] for field in fields(path)))
