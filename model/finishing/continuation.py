# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Putting drawn clips where an observed body stands, so that the frames that were given hold."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from mgpt3_ros.model.finishing.blending import inertialise, place_after
from mgpt3_ros.model.kinematics.heading import heading, rotate_about_y, wrap

PELVIS = 0
LEVEL = np.array([1, 0, 1])  # of a vector, the part along the floor
PACE_WINDOW_S = 0.5  # a body's pace is the mean over this time: longer than a step's sway
PACE_S = 3.0  # how long a pace is kept: an error of the drawn one decays with this time constant
STRAIGHT_SHARE = 0.5  # of going straight on in the path of a continuation
SMOOTH_SHARE = 0.75  # of going smoothly from pace to pace in the path through a gap
BLEND_S = 0.4  # a pose's error decays over about a step: longer looks floaty, shorter jerks


class Seams(TypedDict, total=False):
    """How far a clip's own first and last pose were off [m], means over the joints."""

    seam_error_m: float
    end_seam_error_m: float


def placement(last: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Where a pose stands relative to another.

    Args:
        last: (22, 3) [m], the pose that is stood on.
        first: (22, 3) [m], the pose that is placed.

    Returns:
        (4,): dx and dz [m] in the heading frame of ``last``, sine and cosine of the turn.
    """
    yaw, next_yaw = heading(last), heading(first)
    x, _, z = rotate_about_y(first[PELVIS] - last[PELVIS], -yaw)
    return np.array([x, z, np.sin(next_yaw - yaw), np.cos(next_yaw - yaw)], dtype=np.float32)


def continue_from(observed: np.ndarray, clip: np.ndarray, fps: float) -> tuple[np.ndarray, Seams]:
    """Let a clip follow what was observed.

    Args:
        observed: (T, 22, 3) [m], two frames at least.
        clip: (S, 22, 3) [m], its first frame at the time of the last observed one.
        fps: frames per second of both.

    Returns:
        The S - 1 frames that follow, which continue position and velocity.
    """
    placed = place_after(clip, observed[-1])
    seams: Seams = {'seam_error_m': _distance(placed[0], observed[-1])}
    placed = keep_pace(observed, placed, fps)
    velocity = (observed[-1] - observed[-2]) * fps
    blended = inertialise(placed, fps, observed[-1], velocity, BLEND_S)
    return blended[1:].astype(np.float32), seams


def keep_pace(observed: np.ndarray, clip: np.ndarray, fps: float) -> np.ndarray:
    """Let a clip begin at the horizontal pace that was observed, and keep halfway to it.

    How fast a body goes on is known better than a model draws it: of all that a clip says, its
    pace is what is most often off, and it adds up over time. So the pace at the beginning is the
    observed one, the difference decaying slowly; and the path is the mean of that and of going
    straight on, which was chosen on mocap22's val clips. A difference d [m/s] that decays with the
    time constant p = ``PACE_S`` moves the body by d p (1 - exp(-t / p)) until t.

    Args:
        observed: (T, 22, 3) [m].
        clip: (S, 22, 3) [m], its first frame at the time of the last observed one.
        fps: frames per second of both.
    """
    frames = max(min(round(PACE_WINDOW_S * fps), len(observed) - 1, len(clip) - 1), 1)
    pace = (observed[-1, PELVIS] - observed[-1 - frames, PELVIS]) * LEVEL * fps / frames  # [m/s]
    drawn = (clip[frames, PELVIS] - clip[0, PELVIS]) * LEVEL * fps / frames
    time_s = np.arange(len(clip)) / fps
    travelled_s = PACE_S * (1 - np.exp(-time_s / PACE_S))
    kept = clip + ((pace - drawn) * travelled_s[:, None])[:, None]
    straight = clip[0, PELVIS] + pace * time_s[:, None]
    aside = (straight - kept[:, PELVIS]) * LEVEL
    return kept + STRAIGHT_SHARE * aside[:, None]


def bridge(
    before: np.ndarray, clip: np.ndarray, after: np.ndarray, fps: float
) -> tuple[np.ndarray, Seams]:
    """Let a clip lead from one motion into another.

    Where a body goes in a gap is known better from how it comes and leaves than from what a model
    draws: three quarters of its path over the floor are the cubic from the one pace to the other,
    a share that was chosen on mocap22's val clips. Poses, headings and heights are the clip's.

    Args:
        before: (T, 22, 3) [m].
        clip: (S, 22, 3) [m], its first frame at the time of the last of ``before``, its last at
            the time of the first of ``after``.
        after: (U, 22, 3) [m], in the same frame as ``before``.
        fps: frames per second of all three.

    Returns:
        The S - 2 frames of the gap.
    """
    placed = place_after(clip, before[-1])
    seams: Seams = {
        'seam_error_m': _distance(placed[0], before[-1]),
        'end_seam_error_m': _distance(placed[-1], after[0]),
    }
    # What is off at the end is a wrong path more than a wrong pose: spread over the whole gap.
    share = np.linspace(0, 1, len(placed))
    share = (share * share * (3 - 2 * share))[:, None]
    turn = wrap(heading(after[0]) - heading(placed[-1]))
    root = placed[:, PELVIS]
    local = rotate_about_y(placed - root[:, None], turn * share)
    path = root + share * (after[0, PELVIS] - root[-1])
    aside = (_smooth_path(before, after, len(placed), fps) - path) * LEVEL
    placed = local + (path + SMOOTH_SHARE * aside)[:, None]
    rate, end_rate = (before[-1] - before[-2]) * fps, (after[1] - after[0]) * fps
    blended = inertialise(
        placed, fps, before[-1], rate, BLEND_S, end_value=after[0], end_velocity=end_rate
    )
    return blended[1:-1].astype(np.float32), seams


def _distance(pose: np.ndarray, other: np.ndarray) -> float:
    return float(np.linalg.norm(pose - other, axis=-1).mean())


def _smooth_path(before: np.ndarray, after: np.ndarray, frames: int, fps: float) -> np.ndarray:
    """The cubic path (frames, 3) [m] of the pelvis between two motions, at their paces."""
    count = max(min(round(PACE_WINDOW_S * fps), len(before) - 1, len(after) - 1), 1)
    paces = (
        (before[-1, PELVIS] - before[-1 - count, PELVIS]) * fps / count,
        (after[count, PELVIS] - after[0, PELVIS]) * fps / count,
    )
    ends = (before[-1, PELVIS], after[0, PELVIS])
    from scipy.interpolate import CubicHermiteSpline  # brings scipy.optimize along: .3 s

    path = CubicHermiteSpline([0, (frames - 1) / fps], ends, paces)
    return path(np.arange(frames) / fps)
