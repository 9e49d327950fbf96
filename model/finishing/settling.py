# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion comes to rest in a stance that a body can hold: both feet on the floor, side by side.

Drawn motions break off in mid stride, or with both feet in the air. What does not end in a stance
is slowed down over its last stride and joined to standing still: the foot that stands stays, and
the other one closes. What ends in a stance already stays as it is.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.finishing.body_fit import fit_body
from mgpt3_ros.model.finishing.finish import finish_joined
from mgpt3_ros.model.finishing.foot_lock import FADE_S
from mgpt3_ros.model.finishing.joining import LONGEST_BLEND_S, join
from mgpt3_ros.model.finishing.leg_pose import LEGS, pose_leg
from mgpt3_ros.model.finishing.retiming import at_moments
from mgpt3_ros.model.kinematics.heading import heading, rotate_about_y
from mgpt3_ros.model.kinematics.joint_angles import BodyAngles, angles_to_joints

Array = NDArray[np.float64]

LEVEL = 0.03  # [m]: feet of a stance differ in height by less
LOW = 0.05  # [m]: and the balls of both are lower
APART = 0.5  # [m]: and no further from one another
STAND_S = LONGEST_BLEND_S + FADE_S  # of standing at the end: the step and what dies away after it

_BALLS = [leg[3] for leg in LEGS]
_ANKLES = [leg[2] for leg in LEGS]
_FLAT = 0.14  # [m]: an ankle of a flat foot is lower
_SLOWED_S, _SLOWEST = 0.6, 0.5  # the last part of a fast motion, and the share of its speed
_FAST = 1.6  # [m/s]: a body that is faster is slowed before it steps


def is_stance(pose: NDArray) -> bool:
    """Whether a pose (22, 3) [m], Y up, floor at y = 0, stands on both feet."""
    heights, ankles = pose[_BALLS, 1], pose[_ANKLES, 1]
    apart = float(np.linalg.norm((pose[_BALLS[0]] - pose[_BALLS[1]])[[0, 2]]))
    level = abs(float(heights[0] - heights[1])) <= LEVEL and heights.max() <= LOW
    flat = abs(float(ankles[0] - ankles[1])) <= LEVEL and ankles.max() <= _FLAT
    return bool(level and flat and apart <= APART)


def standing_pose() -> Array:
    """Somebody who stands upright with the arms hanging (22, 3) [m], at the origin, facing +Z."""
    return _standing_pose().copy()


@cache
def _standing_pose() -> Array:
    angles = np.zeros((1, 63))
    pose = angles_to_joints(BodyAngles(np.zeros((1, 3)), np.array([[0.0, 0.0, 0.0, 1.0]]), angles))
    found = np.asarray(pose[0], dtype=np.float64)
    found[:, 1] -= found[:, 1].min()
    return found


def settle(joints: NDArray, fps: float) -> NDArray:
    """Let a motion (T, 22, 3) [m], Y up, end in a stance.

    Returns:
        The motion itself where it ends in a stance; else one that is up to ``STAND_S`` longer.

    Raises:
        MotionError: it has fewer than 4 frames.
    """
    if is_stance(joints[-1]):
        return joints
    slowed = _slowed(joints, fps)
    stand = np.repeat(standing_pose()[None], round(STAND_S * fps), axis=0)
    cut, rest = join(slowed, stand.astype(joints.dtype), fps)
    return np.concatenate([slowed[:cut], finish_joined(rest, fps)])


def standing_on(pose: NDArray) -> Array:
    """Somebody who stands upright (22, 3) between the feet of a pose, flat where those are.

    With legs of height h and a foot d away from where it stands, the hips come down by
    h - sqrt(h^2 - d^2).
    """
    upright = rotate_about_y(standing_pose(), float(heading(pose.astype(np.float64))))
    shifts = [
        ((pose[[ankle, ball]] - upright[[ankle, ball]]).mean(axis=0)) * (1.0, 0.0, 1.0)
        for ankle, ball in zip(_ANKLES, _BALLS, strict=True)
    ]
    middle = 0.5 * (shifts[0] + shifts[1])
    away, height = float(np.linalg.norm(shifts[0] - middle)), float(upright[0, 1])
    stand = upright + middle
    stand[:, 1] -= height - np.sqrt(max(height**2 - away**2, 0.0))
    for leg, shift in zip(LEGS, shifts, strict=True):
        ankle, ball = (upright[None, joint] + shift for joint in leg[2:])
        stand[list(leg[1:])] = pose_leg(stand[None, list(leg)], ankle, ball)[0]
    return stand


def _slowed(joints: NDArray, fps: float) -> NDArray:
    """A motion whose last part is slower, where it is fast."""
    frames = min(round(_SLOWED_S * fps), len(joints) - 2)
    way = joints[-1, 0] - joints[-1 - frames, 0]
    if np.linalg.norm(way[[0, 2]]) * fps / frames < _FAST:
        return joints
    share = np.linspace(0.0, 1.0, round(frames / (0.5 * (1 + _SLOWEST))) + 1)
    at = len(joints) - 1 - frames + frames * (share + 0.5 * (1 - _SLOWEST) * (share - share**2))
    slow = fit_body(at_moments(joints, at), fps)
    return np.concatenate([joints[: len(joints) - 1 - frames], slow])
