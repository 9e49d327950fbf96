# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bodies that cannot be: below the floor, in the air for too long, on their head unasked.

A model that is asked for what it never learned still draws something, and on a robot that is
dangerous. The bounds are those of 3,500 real clips (motion52): none goes below the floor, only
climbers and people on uneven ground are off the floor for longer than a jump, only those who lie,
roll, fall or turn over have their head below their pelvis, and no pelvis is faster than 5.1 m/s.
"""

from __future__ import annotations

import re

import numpy as np
import scipy

from mgpt3_ros.model.finishing.body_fit import fit_body
from mgpt3_ros.model.finishing.retiming import at_moments
from mgpt3_ros.model.kinematics.skeleton import FPS, JOINT_NAMES

SUNK_M = 0.05  # below the floor
HIGH_M, LONGEST_HIGH_S = 0.15, 1.2  # the lowest joint above the floor; a jump takes less
LONGEST_DOWN_S = 0.3  # the head below the pelvis
FASTEST_PELVIS, SPEED_OVER_S = 5.5, 0.25  # [m/s], over [s]
MOST_SLOWED = 1.5  # times: a body that is faster still is no runner

_BELOW = (0.98, 0.93, 0.85)  # of the bound: the shares that are tried
_HEAD, _PELVIS = JOINT_NAMES.index('head'), JOINT_NAMES.index('pelvis')
_UPSIDE_DOWN = re.compile(
    r'\b(lie|lies|lying|lay|lays|laying|floor|ground|roll\w*|flip\w*|flic|hand(stand|spring)\w*|'
    r'headstand\w*|somersault\w*|cartwheel\w*|break ?danc\w*|crawl\w*|fall\w*|fell|slip\w*|'
    r'collaps\w*|push-?ups?|sit-?ups?|crunch\w*|stretch\w*|toes?|bend\w*|bent|fold\w*|curl\w*|'
    r'swim\w*|div\w+|spin kick|ballet|yoga|plank|prone|sleep\w*)\b'
)
_OFF_THE_FLOOR = re.compile(
    r'\b(climb\w*|clamber\w*|hang\w*|playground|platform|box|ladder|stairs?|slope|uneven|rough|'
    r'terrain|step up|up (on|onto)|swim\w*|sit\w*|stool|chair|swing\w*|fl(y|ies|ying))\b'
)


def implausible(joints: np.ndarray, text: str = '') -> str | None:
    """Say why a body cannot do this; None where nothing speaks against it.

    Args:
        joints: (T, 22, 3) [m], Y up, the floor at 0, at 20 frames per second.
        text: what was asked for; who shall lie, roll or climb may be where others are not.
    """
    said = text.lower()
    lowest = joints[..., 1].min(axis=1)
    if lowest.min() < -SUNK_M:
        return f'it would go {-lowest.min():.2f} m below the floor'
    high_s = _longest(lowest > HIGH_M) / FPS
    rolls = _UPSIDE_DOWN.search(said) is not None  # on a back that is thicker than a foot
    if high_s > LONGEST_HIGH_S and not rolls and not _OFF_THE_FLOOR.search(said):
        return f'it would hang in the air for {high_s:.1f} s'
    down_s = _longest(joints[:, _HEAD, 1] < joints[:, _PELVIS, 1]) / FPS
    if down_s > LONGEST_DOWN_S and not rolls:
        return f'it would have its head below its pelvis for {down_s:.1f} s'
    fastest = pelvis_speed(joints)
    if fastest > FASTEST_PELVIS:
        return f'its pelvis would move at {fastest:.1f} m/s'
    return None


def pelvis_speed(joints: np.ndarray) -> float:
    """The pelvis's highest speed [m/s] in joints (T, 22, 3) [m], over ``SPEED_OVER_S``."""
    step = round(SPEED_OVER_S * FPS)
    way = np.linalg.norm(joints[step:, _PELVIS] - joints[:-step, _PELVIS], axis=-1)
    return float(way.max()) / SPEED_OVER_S if len(way) else 0.0


def slowed_down(joints: np.ndarray) -> np.ndarray:
    """A motion whose body is now and then too fast, as fast there as one can be; of its length.

    A runner who is drawn at 6 m/s runs as well at 5.5: moments in which the pelvis is too fast
    take more time, and what then comes after the last frame is left out. All other motions come
    back as they are.

    Args:
        joints: (T, 22, 3) [m] at 20 frames per second.
    """
    if not FASTEST_PELVIS < pelvis_speed(joints) <= MOST_SLOWED * FASTEST_PELVIS:
        return joints
    near = round(SPEED_OVER_S * FPS)
    places = scipy.ndimage.gaussian_filter1d(joints[:, _PELVIS].astype(np.float64), 1.0, axis=0)
    speed = np.linalg.norm(np.gradient(places, axis=0), axis=1) * FPS
    # Slow already a little before, and for a little longer, so that no rate of time jumps.
    speed = scipy.ndimage.maximum_filter1d(speed, 2 * near + 1)
    speed = scipy.ndimage.gaussian_filter1d(speed, near / 2)
    for bound in FASTEST_PELVIS * np.array(_BELOW):
        rate = np.minimum(1.0, bound / np.maximum(speed, bound))
        moments = np.zeros(len(joints))
        for frame in range(1, len(joints)):
            before = moments[frame - 1]
            moments[frame] = before + np.interp(before, np.arange(len(rate)), rate)
        slower = fit_body(at_moments(joints, moments), FPS).astype(joints.dtype)
        if pelvis_speed(slower) <= FASTEST_PELVIS:
            return slower
    return joints


def _longest(held: np.ndarray) -> int:
    """The length of the longest run of True in (T,)."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], held, [False]])))
    return int((ends[1::2] - ends[::2]).max(initial=0))
