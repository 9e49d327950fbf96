# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Planted feet stay planted: contacts are found, anchored, and the legs bent to reach them.

The ball of the foot (joint ``foot``) is planted where it is low and slow for a while. There it is
held at its median place on the level; between two contacts the correction goes smoothly from the
one's to the other's, before the first and after the last it fades. The ankle follows, and is held
as well where the foot stands flat. Heights stay, but for feet under the floor, y = 0, which are
lifted. A foot that steps from one contact to the next clears the floor: drawn steps drag over it.
Legs are bent as ``leg_pose`` says: no bone changes its length, and nothing moves but knees, ankles
and feet. Motion without contact stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.finishing.leg_pose import LEGS, pose_legs
from mgpt3_ros.model.kinematics.skeleton import checked_joints
from mgpt3_ros.model.kinematics.vectors import median, norm

Array = NDArray[np.float64]

# In mocap22 a standing ball of the foot is at 0 to 3 cm, an ankle at 8 to 11 cm.
BALL_HEIGHT = 0.05  # [m]
ANKLE_HEIGHT = 0.12  # [m]
CONTACT_SPEED = 0.7  # [m/s]: stance is slower, swing near the floor faster than 1.5
SHORTEST_CONTACT_S = 0.10
LONGEST_GAP_S = 0.15  # of contact that noise interrupts
LARGEST_CORRECTION = 0.12  # [m]: a foot that goes further is dragged on purpose
FADE_S = 0.30

# The ball of a stepping foot of mocap22 is at 6 to 10 cm for most of its way, at 3 cm one frame
# after it leaves the floor.
CLEARANCE = 0.055  # [m]
RISE_SPEED = 0.8  # [m/s] at which it gets there and comes down
SHORTEST_STEP = 0.15  # [m]: a foot that goes less may shift its weight on the floor

# foot_slide: swing feet near the floor are faster than this, also slipping ones slower.
SWING_SPEED = 1.0  # [m/s]


def lock_feet(
    joints: NDArray, fps: float, hold_first: bool = False, hold_last: bool = False
) -> NDArray:
    """Hold planted feet in place and lift feet that are under the floor.

    Args:
        joints: (T, 22, 3) [m], Y up, floor at y = 0.
        fps: frames per second.
        hold_first: leave the first frame as it is, since an observed motion ends there: a foot
            that is planted in it stays at its place in it.
        hold_last: the same for the last frame.

    Returns:
        (T, 22, 3), same dtype.

    Raises:
        MotionError: for a wrong shape, NaN or infinity, or a rate that is not positive.
    """
    return lock_all([joints], fps, hold_first, hold_last)[0]


def lock_all(
    motions: Sequence[NDArray], fps: float, hold_first: bool = False, hold_last: bool = False
) -> list[NDArray]:
    """What :func:`lock_feet` gives of each motion; the legs of all are posed at once."""
    checked = [_checked(joints, fps) for joints in motions]
    given = [joints.astype(np.float64) for joints in checked]
    feet = []
    for joints in given:
        held = [frame for frame, hold in ((0, hold_first), (len(joints) - 1, hold_last)) if hold]
        for leg in LEGS:
            target = _foot_targets(joints[:, leg[2:]], held, fps)
            target[held] = joints[held][:, leg[2:]]
            feet.append(target)
    targets = np.stack([np.concatenate(feet[side::2]) for side in range(2)], axis=1)
    begins = np.cumsum([len(joints) for joints in given])[:-1]
    locked = np.split(pose_legs(np.concatenate(given), targets), begins)
    return [
        own.astype(joints.dtype, copy=False) for own, joints in zip(locked, checked, strict=True)
    ]


def foot_slide(joints: NDArray, fps: float, swing_speed: float = SWING_SPEED) -> float:
    """Mean horizontal speed [m/s] of the balls of the feet while they are on the floor.

    On the floor means: below 5 cm at both ends of a step between frames (the height that foot
    skating ratios use, as in Karunratanakul et al., GMD, 2023), and slower than ``swing_speed``.
    Neither smoothing nor segments of the lock enter. Real swing feet pass under 5 cm too, at 2 to
    4 m/s; infinity counts them, and gives .48 m/s for real locomotion and .02 in place.

    Args:
        joints: (T, 22, 3) [m], Y up, floor at y = 0.
        fps: frames per second.
        swing_speed: [m/s].

    Returns:
        The mean over both feet; 0 where no foot is on the floor.
    """
    balls = _checked(joints, fps)[:, [leg[-1] for leg in LEGS]].astype(np.float64)
    speed = np.linalg.norm(np.diff(balls[..., [0, 2]], axis=0), axis=-1) * fps
    low = np.maximum(balls[1:, :, 1], balls[:-1, :, 1]) < BALL_HEIGHT
    on_floor = low & (speed < swing_speed)
    return float(speed[on_floor].mean()) if on_floor.any() else 0.0


def _foot_targets(foot: Array, held: list[int], fps: float) -> Array:
    """Where ankle and ball (T, 2, 3) shall be, from where they are."""
    ankle, ball = foot[:, 0], foot[:, 1]
    planted = contacts(ball, BALL_HEIGHT, fps)
    ball_target = ball + _hold(ball, planted, held, fps)
    ball_target[:, 1] += _clearance(ball_target, planted, fps)
    carried = ankle + (ball_target - ball)
    flat = contacts(carried, ANKLE_HEIGHT, fps)
    ankle_target = carried + _hold(carried, flat, held, fps)
    ankle_target = ball_target - _resized(ball_target - ankle_target, ball - ankle)
    target = np.stack([ankle_target, ball_target], axis=1)
    target[..., 1] -= np.minimum(target[..., 1].min(axis=1, keepdims=True), 0.0)
    return target


def contacts(point: NDArray, height: float, fps: float) -> list[slice]:
    """Frames in which a joint (T, 3) [m] is planted: under ``height`` and slow, for a while."""
    if len(point) < 3:
        return []
    smooth = point.copy()
    smooth[1:-1] = (point[:-2] + 2 * point[1:-1] + point[2:]) / 4
    velocity = np.empty_like(smooth)  # as np.gradient
    velocity[1:-1] = (smooth[2:] - smooth[:-2]) / 2
    velocity[0], velocity[-1] = smooth[1] - smooth[0], smooth[-1] - smooth[-2]
    speed = norm(velocity)[:, 0] * fps
    planted = (smooth[:, 1] < height) & (speed < CONTACT_SPEED)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], planted, [False]]))).tolist()
    runs: list[slice] = []
    for run in map(slice, edges[::2], edges[1::2]):
        if runs and run.start - runs[-1].stop <= LONGEST_GAP_S * fps:
            run = slice(runs.pop().start, run.stop)
        runs.append(run)
    return [run for run in runs if _is_plant(point[run], fps)]


def _is_plant(point: Array, fps: float) -> bool:
    """Whether a low, slow joint (T, 3) stays for long enough, near enough to one place."""
    if len(point) < round(SHORTEST_CONTACT_S * fps):
        return False
    return bool(norm(point - median(point)).max() <= LARGEST_CORRECTION)


def _hold(point: Array, runs: list[slice], held: list[int], fps: float) -> Array:
    """Level correction (T, 3) that keeps a joint in place during runs, zero in ``held`` frames."""
    free = (frame for frame in held if not any(r.start <= frame < r.stop for r in runs))
    runs = sorted([*runs, *(slice(f, f + 1) for f in free)], key=lambda run: run.start)
    shift = np.zeros_like(point)
    for run in runs:
        own = [frame for frame in held if run.start <= frame < run.stop]
        place = point[own[0]] if own else median(point[run])
        shift[run] = (place - point[run]) * [1, 0, 1]
    for before, after in pairwise(runs):
        weight = _ease(after.start - before.stop + 2)[1:-1]
        start, end = shift[before.stop - 1], shift[after.start]
        shift[before.stop : after.start] = start + weight * (end - start)
    if runs:
        fade = _ease(round(FADE_S * fps) + 2)[1:-1]
        lead_in, tail = fade[-runs[0].start :][: runs[0].start], fade[::-1]
        first, last = runs[0].start, runs[-1].stop
        shift[first - len(lead_in) : first] = lead_in * shift[first]
        tail = tail[: len(point) - last]
        shift[last : last + len(tail)] = tail * shift[last - 1]
    return shift


def _clearance(ball: Array, runs: list[slice], fps: float) -> Array:
    """How far (T,) [m] a ball (T, 3) must be lifted between contacts to clear the floor."""
    lift = np.zeros(len(ball))
    for before, after in pairwise(runs):
        step = np.linalg.norm((ball[after.start] - ball[before.stop - 1])[[0, 2]])
        frames = np.arange(before.stop, after.start)
        if step < SHORTEST_STEP or not len(frames):
            continue
        away = np.minimum(frames - before.stop, after.start - 1 - frames) + 1
        wanted = np.minimum(CLEARANCE, RISE_SPEED / fps * away)
        lift[frames] = np.maximum(wanted - ball[frames, 1], 0.0)
    return lift


@lru_cache(maxsize=256)
def _ease(count: int) -> Array:
    """Weights (count, 1) from 0 to 1 that start and end at rest; not to be written to."""
    s = np.linspace(0.0, 1.0, count)[:, None]
    return s * s * (3 - 2 * s)


def _resized(vector: Array, like: Array) -> Array:
    return vector * norm(like) / np.maximum(norm(vector), 1e-9)


def _checked(joints: NDArray, fps: float) -> NDArray:
    if not fps > 0:
        raise MotionError(f'fps must be positive, not {fps}')
    return checked_joints(joints)
