# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The way of a moving body, measured and changed: bent, stretched, turned and sped up.

A change of the way takes the feet along: where a planted foot stands is changed as the way is, so
that it stays planted, and the legs are bent to reach it. Joints are (T, 22, 3) [m], Y up, floor at
y = 0; angles are yaws as in ``kinematics.heading``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy
from numpy.typing import NDArray

from mgpt3_ros.model.finishing.body_fit import fit_body
from mgpt3_ros.model.finishing.foot_lock import BALL_HEIGHT, SHORTEST_STEP, contacts, lock_feet
from mgpt3_ros.model.finishing.leg_pose import LEGS, pose_legs
from mgpt3_ros.model.finishing.retiming import at_moments
from mgpt3_ros.model.kinematics.heading import heading, rotate_about_y, turn
from mgpt3_ros.model.kinematics.vectors import median

Array = NDArray[np.float64]

STRIDE_S = 0.45  # standard deviation over time that hides how a body sways with its steps
# Step length grows with about the 0.42th power of speed, cadence with the rest (Grieve and Gear,
# "The relationships between length of stride, step frequency, time of swing and speed of walking
# for children and adults", 1966).
LENGTH_SHARE = 0.42
GOES_OVER = 0.3  # [m] over which the scale of a way changes

_BALLS = [leg[3] for leg in LEGS]
_MOVING = 0.3  # of the fastest tenth of a motion: slower is standing


def faces(joints: NDArray, fps: float) -> Array:
    """Yaws (T,) [rad], continuous, that a body faces, without the sway of its steps."""
    yaws = np.unwrap(heading(joints.astype(np.float64)))
    return scipy.ndimage.gaussian_filter1d(yaws, STRIDE_S * fps, mode='nearest')


def turned_by(joints: NDArray) -> float:
    """By how much [rad] a motion turns: the yaw of its last frame minus that of its first."""
    yaws = np.unwrap(heading(joints.astype(np.float64)))
    return float(yaws[-1] - yaws[0])


def travelled(joints: NDArray) -> tuple[float, float]:
    """How far [m] a motion gets ahead and to the left, as seen from its first frame."""
    x, z = joints[-1, 0, [0, 2]].astype(np.float64) - joints[0, 0, [0, 2]]
    left, ahead = turn(x, z, -float(heading(joints[0].astype(np.float64))))
    return float(ahead), float(left)


def pace(joints: NDArray, fps: float) -> float:
    """The usual speed [m/s] of a body's way while it moves."""
    way = scipy.ndimage.gaussian_filter1d(
        joints[:, 0, [0, 2]].astype(np.float64), 0.25 * fps, axis=0
    )
    speed = np.linalg.norm(np.diff(way, axis=0), axis=1) * fps
    moving = speed > _MOVING * np.percentile(speed, 90)
    return float(np.mean(speed[moving])) if moving.any() else 0.0


def landings(joints: NDArray, fps: float) -> list[int]:
    """Frames at which a foot lands that has stepped somewhere else, in order."""
    found = []
    for ball in _BALLS:
        runs = contacts(joints[:, ball].astype(np.float64), BALL_HEIGHT, fps)
        places = [median(joints[run, ball][:, [0, 2]]) for run in runs]
        for at in range(1, len(runs)):
            if np.linalg.norm(places[at] - places[at - 1]) >= SHORTEST_STEP:
                found.append(runs[at].start)
    return sorted(found)


def retimed(joints: NDArray, fps: float, faster: float) -> NDArray:
    """The motion ``faster`` times as fast, at the same rate of frames; its bones stay."""
    if faster == 1.0:
        return joints
    count = max(int((len(joints) - 1) / faster) + 1, 2)
    moments = np.arange(count, dtype=np.float64) * faster
    return fit_body(at_moments(joints, moments), fps)


def paced(joints: NDArray, fps: float, speed: float, most: tuple[float, float]) -> NDArray:
    """The motion at a speed [m/s], by longer or shorter steps and by more or fewer of them.

    The factor of the speed is kept within ``most``; what exceeds it is left.
    """
    now = pace(joints, fps)
    if now < 0.05:
        return joints
    factor = float(np.clip(speed / now, *most))
    length = factor**LENGTH_SHARE
    stretched_way = stretched(joints, fps, length, length)
    return retimed(stretched_way, fps, factor / length)


def stretched(joints: NDArray, fps: float, ahead: float, aside: float) -> NDArray:
    """The motion with its way multiplied, ahead and aside as its first frame sees it."""
    yaw = float(heading(joints[0].astype(np.float64)))
    cos, sin = np.cos(yaw), np.sin(yaw)
    turn_back = np.array([[cos, -sin], [sin, cos]])  # (x, z) to (left, ahead)
    matrix = turn_back.T @ np.diag([aside, ahead]) @ turn_back
    return _mapped(joints, fps, lambda level: level @ matrix.T)


def sheared(joints: NDArray, fps: float, yaw: float) -> NDArray:
    """The motion with its way turned by ``yaw`` [rad], facing where it did."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    matrix = np.array([[cos, sin], [-sin, cos]])
    return _mapped(joints, fps, lambda level: level @ matrix.T)


def reaching(
    joints: NDArray, fps: float, distance: float, kept: int, most: tuple[float, float]
) -> NDArray:
    """The motion ending ``distance`` [m] from its first frame, by its way after ``kept`` frames.

    Places along the way that it reaches in those frames stay; from there on the scale goes over to
    a factor within ``most`` over ``GOES_OVER``: with x [m] from there, x goes to
    x + (factor - 1) x^2 / (2 g), and to x + (factor - 1) (x - g / 2) behind g = ``GOES_OVER``.
    """
    given = joints.astype(np.float64)
    end = (given[-1, 0] - given[0, 0])[[0, 2]]
    whole = float(np.linalg.norm(end))
    if whole < GOES_OVER:
        return joints
    along = end / whole
    places = (given[: kept + 1, [0, *_BALLS]] - given[0, 0])[..., [0, 2]] @ along
    begin = float(places.max())

    def longer(x: Array) -> Array:
        x = np.maximum(x, 0.0)
        return np.where(x < GOES_OVER, x**2 / (2 * GOES_OVER), x - 0.5 * GOES_OVER)

    gain = float(longer(np.array(whole - begin)))
    if gain < 0.5 * GOES_OVER:
        return joints
    share = float(np.clip((distance - whole) / gain, most[0] - 1.0, most[1] - 1.0))
    return _mapped(
        joints,
        fps,
        lambda level: level + (share * longer(level @ along - begin))[:, None] * along,
        hold_first=True,
    )


def _mapped(
    joints: NDArray, fps: float, floor: Callable[[Array], Array], hold_first: bool = False
) -> NDArray:
    """A motion whose way, and where its feet stand, go through a map of the floor.

    ``floor``: of (N, 2), x and z [m] from where the pelvis is in the first frame.
    """
    given = joints.astype(np.float64)
    origin = given[0, 0, [0, 2]]

    def moved(points: Array) -> Array:
        level = floor(points[:, [0, 2]] - origin) + origin
        return np.stack([level[:, 0], points[:, 1], level[:, 1]], axis=1)

    shifted = given + (moved(given[:, 0]) - given[:, 0])[:, None]
    feet = []
    for leg in LEGS:
        ball = moved(given[:, leg[3]])
        # Feet keep their distance from under the pelvis where it is the way across.
        ankle = given[:, leg[2]] + ball - given[:, leg[3]]
        feet.append(np.stack([ankle, ball], axis=1))
    shifted = pose_legs(shifted, np.stack(feet, axis=1))
    return lock_feet(shifted.astype(joints.dtype), fps, hold_first)


def steered(joints: NDArray, fps: float, angle: float) -> NDArray:
    """The motion bent so that it turns by ``angle`` [rad] in all, evenly along its own turn.

    Where it turns that way already its own turn is made larger or smaller; else what is missing is
    spread over the way, as far as there is one.
    """
    own = faces(joints, fps)
    own -= own[0]
    missing = angle - turned_by(joints)
    share = np.zeros(len(joints))
    if own[-1] * angle > 0 and abs(own[-1]) > 0.3:
        share = own / own[-1]
    else:
        gone = np.linalg.norm(
            np.diff(joints[:, 0, [0, 2]], axis=0, prepend=joints[:1, 0, [0, 2]]), axis=1
        )
        gone = np.cumsum(gone)
        share = gone / gone[-1] if gone[-1] > 0 else np.linspace(0.0, 1.0, len(joints))
    return bent(joints, fps, missing * share)


def straightened(joints: NDArray, fps: float) -> NDArray:
    """The motion along a straight line: what it turns is taken out, but for the sway of steps."""
    own = faces(joints, fps)
    return aimed(bent(joints, fps, own[0] - own), fps)


def aimed(joints: NDArray, fps: float) -> NDArray:
    """The motion ending straight ahead of its first frame, or straight behind it."""
    ahead, left = travelled(joints)
    return sheared(joints, fps, -float(np.arctan2(left * np.sign(ahead), abs(ahead))))


def bent(joints: NDArray, fps: float, yaws: Array) -> NDArray:
    """The motion with each frame turned by more, ``yaws`` (T,) [rad], and its way with them."""
    given = joints.astype(np.float64)
    root = given[:, 0] * (1, 0, 1)
    steps = np.diff(root, axis=0)
    middle = 0.5 * (yaws[1:] + yaws[:-1])
    x, z = turn(steps[:, 0], steps[:, 2], middle)
    way = np.concatenate([root[:1], root[0] + np.cumsum(np.stack([x, 0 * x, z], axis=1), axis=0)])
    local = given - root[:, None]
    turned = rotate_about_y(local, yaws[:, None]) + way[:, None]
    return lock_feet(turned.astype(joints.dtype), fps)
