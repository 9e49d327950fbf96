# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One clip goes over into the next: a moment to leave the one and enter the other, and a step.

The two rarely fit: one breaks off in mid stride, the other begins with the feet together. Of the
last moments of the one and the first of the other those are taken that differ least. Where one
goes much faster than the other, or elsewhere, the one slows down on its own way before it is left,
and the other begins slowly: a body that turned back within a blend would be pulled there. The next
clip is put down so that the foot that stands keeps its place; what differs otherwise dies away,
and the other foot, where it has to go elsewhere, is lifted on its way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.finishing.blending import inertialise, place_after
from mgpt3_ros.model.finishing.continuation import BLEND_S, PELVIS
from mgpt3_ros.model.finishing.leg_pose import LEGS, pose_leg
from mgpt3_ros.model.finishing.retiming import Moments, at_moments, changing_rate
from mgpt3_ros.model.kinematics.heading import heading, rotate_about_y
from mgpt3_ros.model.kinematics.vectors import norm

Array = NDArray[np.float64]

LEAVE_S = (0.25, 0.5)  # before its end a clip is left; the last quarter is eased where it ends
JOIN_TAKES_S = 0.5 * sum(LEAVE_S)  # of the clip before, give or take an eighth
ENTER_S = 0.5  # so much of the next clip may be left out
STEP_FROM = 0.04  # [m]: a foot that goes further is lifted
STEP_HEIGHT, FULL_STEP = 0.10, 0.4  # [m]: how high a foot is lifted that goes so far or further
SAME_PACE = 0.4  # [m/s]: a smaller difference dies away in the blend
BRAKING = 5.0  # [m/s^2] of a body that slows down before it goes elsewhere, or begins to run
LONGEST_BLEND_S = 0.7
SHIFTING = 6.0  # [m/s^2] of a body that is brought over its feet; a quintic has 5.77 h / T^2
SLOWEST_START = 0.3  # of its speed, at which a clip begins
_PACE_FRAMES = 4  # over which a pace is the mean

_BALLS = [leg[3] for leg in LEGS]
_HELD_SPEED = 0.3  # [m/s]: a second of it counts as much as a metre of height


class Join(NamedTuple):
    """How one clip goes over into the next.

    cut: the frame at which the clip before is left. joints: (S, 22, 3) from it on in the world of
    that clip: the first frame is that frame. entered: of these, the frame at which the body has
    slowed down and the next clip begins.
    """

    cut: int
    joints: NDArray
    entered: int


def join(
    before: NDArray, after: NDArray, fps: float, leave: tuple[int, int] | None = None
) -> tuple[int, NDArray]:
    """What :func:`joined` says but for ``entered``: the cut, and the joints from it on."""
    return joined(before, after, fps, leave)[:2]


def joined(
    before: NDArray, after: NDArray, fps: float, leave: tuple[int, int] | None = None
) -> Join:
    """Let a clip follow on another.

    Args:
        before: (T, 22, 3) [m], Y up.
        after: (U, 22, 3) [m], anywhere, facing anywhere.
        fps: frames per second of both.
        leave: the first and the last frame at which the clip before may be left; None for
            ``LEAVE_S`` before its end.

    Returns:
        The cut, the joints, and where the next clip begins. Bones may stretch during the blend.

    Raises:
        MotionError: a clip has fewer than 4 frames.
    """
    if min(len(before), len(after)) < 4:
        raise MotionError('clips of 4 frames at least can be joined')
    if leave is None:
        latest, earliest = (len(before) - 1 - round(seconds * fps) for seconds in LEAVE_S)
        leave = max(earliest, 1), max(latest, 1)
    rates = _rates(before[: leave[1] + 1], after, fps)
    own = before.astype(np.float64)
    moments = Moments(own)
    ways = {cut: _left(own, moments, cut, rates[0], fps) for cut in range(leave[0], leave[1] + 1)}
    cut, enter = _moments(ways, after, rates[1], fps)
    way, velocity = ways[cut]
    last = way[-1]
    clip = place_after(_entered(after[enter:].astype(np.float64), rates[1], fps), last)
    support = int(_support(last, velocity))
    clip = clip + (last[_BALLS[support]] - clip[0, _BALLS[support]]) * (1, 0, 1)
    away = float(np.linalg.norm((last - clip[0])[PELVIS] * (1, 0, 1)))
    blend_s = float(np.clip(np.sqrt(5.77 * away / SHIFTING), BLEND_S, LONGEST_BLEND_S))
    blended = inertialise(clip, fps, last, velocity, blend_s)
    blended = _with_step(blended, clip, 1 - support, round(blend_s * fps))
    joints = np.concatenate([way[:-1], blended]).astype(before.dtype, copy=False)
    return Join(cut, joints, len(way) - 1)


def _rates(before: NDArray, clip: NDArray, fps: float) -> tuple[float, float]:
    """At which shares of their speeds the one is left and the other begins.

    Of the paces v and w, as each body sees its own, the shares r of v and s of w are those at
    which r v and s w differ least, the larger ones where several do; what differs less than
    ``SAME_PACE`` stays as it is.
    """
    left, entered = _pace(before, fps), _pace(clip[: _PACE_FRAMES + 1][::-1], -fps)
    gap = float(np.linalg.norm(left - entered))
    if gap <= SAME_PACE:
        return 1.0, 1.0
    along = float(left @ entered)
    begun = np.clip(along / max(float(entered @ entered), 1e-9), SLOWEST_START, 1.0)
    rate = np.clip(begun * along / max(float(left @ left), 1e-9), 0.0, 1.0)
    change = 1.0 - SAME_PACE / gap
    return float(1.0 - change * (1.0 - rate)), float(1.0 - change * (1.0 - begun))


def _pace(joints: NDArray, fps: float) -> Array:
    """The level velocity (3,) [m/s] over the last frames (T, 22, 3), as the last pose sees it."""
    frames = min(_PACE_FRAMES, len(joints) - 1)
    last = joints[-1].astype(np.float64)
    pace = (last[PELVIS] - joints[-1 - frames, PELVIS]) * (1, 0, 1) * fps / frames
    return np.asarray(rotate_about_y(pace, -heading(last)))


def _left(before: Array, poses: Moments, cut: int, rate: float, fps: float) -> tuple[Array, Array]:
    """What a body does from ``cut`` on until it is left (N, 22, 3), and its velocity (22, 3) then.

    It goes on along its own motion, ever more slowly, until it goes at ``rate`` of its speed.
    """
    velocity = (before[cut] - before[cut - 1]) * fps
    speed = float(np.linalg.norm(_pace(before[: cut + 1], fps)))
    frames = round((1 - rate) * speed / BRAKING * fps)
    frames = min(frames, int(2 * (len(before) - 1 - cut) / (1 + rate)))
    if frames < 1:
        return before[cut : cut + 1], velocity
    moments = cut + changing_rate(1.0, rate, frames)
    around = poses.at(moments[-1] + np.array([-0.5, 0.0]))
    velocity = (around[1] - around[0]) * 2 * rate * fps
    return poses.at(moments), velocity


def _entered(clip: Array, rate: float, fps: float) -> Array:
    """A clip that begins at ``rate`` of its speed and gathers it."""
    speed = float(np.linalg.norm(_pace(clip[: _PACE_FRAMES + 1][::-1], -fps)))
    frames = round((1 - rate) * speed / BRAKING * fps)
    moments = changing_rate(rate, 1.0, frames)
    rest = len(clip) - 1 - moments[-1]
    if frames < 1 or rest < 1:
        return clip
    moments = np.concatenate(
        [moments[:-1], np.linspace(moments[-1], len(clip) - 1, round(rest) + 1)]
    )
    return at_moments(clip, moments)


def _moments(
    ways: dict[int, tuple[Array, Array]], after: NDArray, begun: float, fps: float
) -> tuple[int, int]:
    """The frame at which the one is left and the one at which the other is entered.

    ``ways``: by the first, what :func:`_left` gives; the other begins at ``begun`` of its speed.
    """
    count = min(round(ENTER_S * fps), (len(after) - 1) // 4) + 1
    poses = after[:count].astype(np.float64)
    entered = _seen(poses, (after[1 : count + 1] - poses) * fps * begun)
    ends, velocities = zip(*((way[-1], velocity) for way, velocity in ways.values()), strict=True)
    left = _seen(np.stack(ends), np.stack(velocities))
    costs = _differences(left, entered)
    cut, enter = divmod(int(costs.argmin()), count)
    return list(ways)[cut], enter


def _seen(poses: Array, velocities: Array) -> tuple[Array, Array]:
    """Poses (..., 22, 3) and their velocities (..., 22, 3), each in its heading frame."""
    yaw = -heading(poses)[..., None]
    return rotate_about_y(poses, yaw), rotate_about_y(velocities, yaw)


def _differences(ones: tuple[Array, Array], others: tuple[Array, Array]) -> Array:
    """How far states are from others (M, N) [m], the foot that stands in them on each of theirs.

    Poses and velocities are (M, 22, 3) and (N, 22, 3).
    """
    rows = np.arange(len(ones[0]))
    support = np.asarray(_BALLS)[_support(*ones)]  # (M,)
    gap = ones[0][:, None] - others[0]  # (M, N, 22, 3)
    gap = gap - (gap[rows, :, support] * (1, 0, 1))[:, :, None]
    drift = ones[1][:, None] - others[1]
    # Half of the difference in velocity over the blend is what the body is carried on by it.
    landing = gap[:, :, PELVIS] + 0.3 * BLEND_S * drift[:, :, PELVIS]
    gaps = norm(gap)[..., 0]
    return np.asarray(
        gaps.mean(axis=2)
        + 0.1 * norm(drift)[..., 0].mean(axis=2)
        + norm(landing * (1, 0, 1))[..., 0]
        + gaps[..., _BALLS].sum(axis=2)
    )


def _support(pose: Array, velocity: Array) -> NDArray[np.intp]:
    """Which foot stands in poses (..., 22, 3): the lower and slower one (...), 0 left, 1 right."""
    speed = norm(velocity[..., _BALLS, :])[..., 0]
    return np.argmin(pose[..., _BALLS, 1] + _HELD_SPEED * speed, axis=-1)


def _with_step(blended: Array, clip: Array, foot: int, frames: int) -> Array:
    """Lift a foot that goes elsewhere during the ``frames`` of the blend (T, 22, 3)."""
    frames = min(frames, len(blended) - 1)
    if frames < 2:
        return blended
    leg = list(LEGS[foot])
    way = float(np.linalg.norm((clip[frames] - blended[0])[leg[3]] * (1, 0, 1)))
    if way < STEP_FROM:
        return blended
    share = np.arange(frames + 1) / frames
    rise = STEP_HEIGHT * min(way / FULL_STEP, 1.0) ** 0.5 * np.sin(np.pi * share) ** 2
    stepped = blended.copy()
    part = stepped[: frames + 1]
    ankle, ball = (part[:, joint] + rise[:, None] * (0, 1, 0) for joint in leg[2:])
    part[:, leg[1:]] = pose_leg(part[:, leg], ankle, ball)
    return stepped
