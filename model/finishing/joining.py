# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One clip goes over into the next: a moment to leave the one and enter the other, and a step.

The two rarely fit: one breaks off in mid stride, the other begins with the feet together. Of the
last moments of the one and the first of the other those are taken that differ least. The next clip
is put down so that the foot that stands keeps its place; what differs otherwise dies away, and the
other foot, where it has to go elsewhere, is lifted on its way.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.finishing.blending import inertialise, place_after
from mgpt3_ros.model.finishing.continuation import BLEND_S, PELVIS
from mgpt3_ros.model.finishing.leg_pose import LEGS, pose_leg
from mgpt3_ros.model.kinematics.heading import heading, rotate_about_y

Array = NDArray[np.float64]

LEAVE_S = (0.25, 0.5)  # before its end a clip is left; the last quarter is eased where it ends
JOIN_TAKES_S = 0.5 * sum(LEAVE_S)  # of the clip before, give or take an eighth
ENTER_S = 0.5  # so much of the next clip may be left out
STEP_FROM = 0.04  # [m]: a foot that goes further is lifted
STEP_HEIGHT, FULL_STEP = 0.10, 0.4  # [m]: how high a foot is lifted that goes so far or further

_BALLS = [leg[3] for leg in LEGS]
_HELD_SPEED = 0.3  # [m/s]: a second of it counts as much as a metre of height


def join(before: NDArray, after: NDArray, fps: float) -> tuple[int, NDArray]:
    """Let a clip follow on another.

    Args:
        before: (T, 22, 3) [m], Y up.
        after: (U, 22, 3) [m], anywhere, facing anywhere.
        fps: frames per second of both.

    Returns:
        The frame at which the clip before is left, and the joints (S, 22, 3) from it on in the
        world of that clip: the first frame is that frame. Bones may stretch during the blend.

    Raises:
        MotionError: a clip has fewer than 4 frames.
    """
    if min(len(before), len(after)) < 4:
        raise MotionError('clips of 4 frames at least can be joined')
    cut, enter = _moments(before, after, fps)
    last = before[cut].astype(np.float64)
    velocity = (last - before[cut - 1]) * fps
    clip = place_after(after[enter:].astype(np.float64), last)
    support = _support(last, velocity)
    clip = clip + (last[_BALLS[support]] - clip[0, _BALLS[support]]) * (1, 0, 1)
    blended = inertialise(clip, fps, last, velocity, BLEND_S)
    blended = _with_step(blended, clip, 1 - support, fps)
    return cut, blended.astype(before.dtype, copy=False)


def _moments(before: NDArray, after: NDArray, fps: float) -> tuple[int, int]:
    """The frame at which the one is left and the one at which the other is entered."""
    latest = max(len(before) - 1 - round(LEAVE_S[0] * fps), 1)
    earliest = max(len(before) - 1 - round(LEAVE_S[1] * fps), 1)
    last_entry = min(round(ENTER_S * fps), (len(after) - 1) // 4)
    cuts, enters = range(earliest, latest + 1), range(last_entry + 1)
    left = [_state(before, cut, cut - 1, fps) for cut in cuts]
    entered = [_state(after, enter, enter + 1, fps) for enter in enters]
    costs = [[_difference(one, other) for other in entered] for one in left]
    row, column = np.unravel_index(int(np.argmin(costs)), (len(cuts), len(enters)))
    return cuts[int(row)], enters[int(column)]


def _state(joints: NDArray, frame: int, neighbour: int, fps: float) -> tuple[Array, Array]:
    """Pose (22, 3) from above the support foot and velocity (22, 3), in the heading frame."""
    pose = joints[frame].astype(np.float64)
    velocity = (pose - joints[neighbour]) * fps * (1 if neighbour < frame else -1)
    yaw = -heading(pose)
    return rotate_about_y(pose, yaw), rotate_about_y(velocity, yaw)


def _difference(one: tuple[Array, Array], other: tuple[Array, Array]) -> float:
    """How far two states are from one another [m], the foot that stands in one on the other's."""
    support = _BALLS[_support(*one)]
    shift = (one[0][support] - other[0][support]) * (1, 0, 1)
    gap = one[0] - other[0] - shift
    drift = one[1] - other[1]
    # Half of the difference in velocity over the blend is what the body is carried on by it.
    landing = gap[PELVIS] + 0.3 * BLEND_S * drift[PELVIS]
    return float(
        np.linalg.norm(gap, axis=1).mean()
        + 0.1 * np.linalg.norm(drift, axis=1).mean()
        + np.linalg.norm(landing * (1, 0, 1))
        + np.linalg.norm(gap[_BALLS], axis=1).sum()
    )


def _support(pose: Array, velocity: Array) -> int:
    """Which foot stands: the lower and slower one (0 left, 1 right)."""
    speed = np.linalg.norm(velocity[_BALLS], axis=1)
    return int(np.argmin(pose[_BALLS, 1] + _HELD_SPEED * speed))


def _with_step(blended: Array, clip: Array, foot: int, fps: float) -> Array:
    """Lift a foot that goes elsewhere during the blend (T, 22, 3)."""
    frames = min(round(BLEND_S * fps), len(blended) - 1)
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
