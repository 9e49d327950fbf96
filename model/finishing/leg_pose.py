# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two-bone inverse kinematics of legs whose knees neither snap straight nor swing aside.

The straighter a leg, the less its knee has a side to bend to, and the further it moves for a
little more of reach. So a leg is not stretched further than ``STRAIGHT`` of its length, unless it
was before, and slows on the way there; the pelvis comes down a little where feet on the floor
would be out of reach; and the side that the knee bends to turns with the leg instead of being
found anew.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.kinematics.vectors import cross, dot, norm

Array = NDArray[np.float64]

LEGS = tuple(
    tuple(JOINT_NAMES.index(f'{side}_{part}') for part in ('hip', 'knee', 'ankle', 'foot'))
    for side in ('left', 'right')
)

# Shares of a leg's length: 95 % of mocap22's frames are bent more than .992.
STRAIGHT = 0.995  # here it stops, with the knee 4 cm ahead
SLOWING = 0.985  # from here on it stretches less than it is asked to

LARGEST_LOWERING = 0.06  # [m]
LOWERING_S = 0.25  # the pelvis starts down so long before
FLOOR_ANKLE = (0.15, 0.30)  # [m]: an ankle that is lower lowers the pelvis, a higher one does not

_BEHIND = 0.10  # [m]: no knee bends backward so far, what is less is noise of a straight leg
_SURE = 0.05  # [m]: nearer to the line, the foot says more than the knee where it bends


def pose_leg(leg: Array, ankle_target: Array, ball_target: Array) -> Array:
    """Knee, ankle and ball (T, 3, 3) of a leg (T, 4, 3) that puts its foot onto the targets.

    An ankle out of reach turns about the ball, as the heel of a stretched leg leaves the floor;
    only where that is not enough the foot gives way. A leg whose foot is there stays as it is.

    Args:
        leg: (T, 4, 3) [m], hip, knee, ankle and ball of the foot.
        ankle_target: (T, 3) [m].
        ball_target: (T, 3) [m].
    """
    hip, knee, ankle, ball = (leg[:, joint] for joint in range(4))
    thigh, shank, foot = norm(knee - hip), norm(ankle - knee), norm(ball - ankle)
    asked = norm(ankle_target - hip)
    reach = _reach(asked, norm(ankle - hip), thigh + shank)
    turned = _middle_joint(hip, ball_target, reach, foot, ankle_target - hip)
    placed = np.where(asked > reach + 1e-9, turned, ankle_target)
    heading = ball_target - placed
    side = _turned(_bend(leg), ankle - hip, placed - hip)
    posed = np.stack(
        [
            _middle_joint(hip, placed, thigh, shank, side),
            placed,
            placed + heading * foot / np.maximum(norm(heading), 1e-9),
        ],
        axis=1,
    )
    there = np.maximum(norm(ankle_target - ankle), norm(ball_target - ball)) < 1e-6
    return np.where(there[..., None], leg[:, 1:], posed)


def pose_legs(joints: Array, feet: Array) -> Array:
    """Joints (T, 22, 3) [m] with both legs posed for ankles and balls at ``feet`` (T, 2, 2, 3)."""
    count = len(joints)
    legs = np.concatenate([joints[:, leg] for leg in LEGS])
    targets = np.concatenate([feet[:, 0], feet[:, 1]])
    posed = pose_leg(legs, targets[:, 0], targets[:, 1])
    moved = joints.copy()
    moved[:, LEGS[0][1:]], moved[:, LEGS[1][1:]] = posed[:count], posed[count:]
    return moved


def lowering(legs: Array, ankle_targets: Array, fps: float) -> Array:
    """How far (T,) [m] the pelvis must come down, smoothly, for ankles on the floor to be reached.

    A hip that is h above an ankle and d aside of it, with a reach of r, comes down by
    h - sqrt(r^2 - d^2).

    Args:
        legs: (T, 2, 4, 3) [m], Y up.
        ankle_targets: (T, 2, 3) [m].
        fps: frames per second.
    """
    hip, knee, ankle = legs[..., 0, :], legs[..., 1, :], legs[..., 2, :]
    full = (norm(knee - hip) + norm(ankle - knee))[..., 0]
    reach = np.maximum(STRAIGHT * full, norm(ankle - hip)[..., 0])
    offset = hip - ankle_targets
    level = np.minimum(np.linalg.norm(offset[..., [0, 2]], axis=-1), reach)
    need = np.clip(offset[..., 1] - np.sqrt(reach**2 - level**2), 0.0, LARGEST_LOWERING)
    low, high = FLOOR_ANKLE
    need *= np.clip((high - ankle_targets[..., 1]) / (high - low), 0.0, 1.0)
    need[need < 1e-4] = 0.0
    half = max(round(LOWERING_S * fps), 1)
    window = np.hanning(2 * half + 3)[1:-1]
    wide = scipy.ndimage.maximum_filter1d(need.max(axis=1), 2 * half + 1)
    smooth = scipy.ndimage.convolve1d(wide, window / window.sum(), mode='nearest')
    return smooth


def _reach(asked: Array, own: Array, full: Array) -> Array:
    """Distances (T, 1) from hip to ankle: as asked, but slowing towards the longest.

    Beyond ``start``: start + w (1 - exp(-(asked - start) / w)), where w = stop - start.
    """
    start, stop = np.maximum(SLOWING * full, own), np.maximum(STRAIGHT * full, own)
    width = np.maximum(stop - start, 1e-9)
    beyond = np.maximum(asked - start, 0.0)
    return np.where(beyond > 0, start + width * -np.expm1(-beyond / width), asked)


def _bend(leg: Array) -> Array:
    """Which way (T, 3) the knee lies from the line of hip and ankle.

    The nearer a knee is to the line, the more it is taken to be ahead, where the foot points: what
    it is aside of that, or behind, is mostly noise. With the knee b off the line, f of it ahead,
    S = ``_SURE`` and B = ``_BEHIND``, what is aside is multiplied by |b|^2 / (|b|^2 + S^2), and of
    what is ahead a share of 1 / (1 + (|b| / B)^4) becomes (f + sqrt(f^2 + S^2)) / 2, which is > 0.
    """
    hip, knee, ankle, ball = (leg[:, joint] for joint in range(4))
    axis = ankle - hip
    bend = _across(knee - hip, axis)
    ahead = _across(ball - ankle, axis)
    ahead /= np.maximum(norm(ahead), 0.3 * norm(ball - ankle) + 1e-9)
    forward = dot(bend, ahead)
    positive = (forward + np.sqrt(forward**2 + _SURE**2)) / 2
    share = 1 / (1 + (norm(bend) / _BEHIND) ** 4)
    aside = (bend - forward * ahead) / (1 + (_SURE / np.maximum(norm(bend), 1e-9)) ** 2)
    return aside + (forward + share * (positive - forward)) * ahead


def _turned(vector: Array, start: Array, end: Array) -> Array:
    """Vectors (T, 3) turned with an axis that goes from ``start`` to ``end`` the short way.

    Rodrigues' formula of unit vectors s, e, with k = s x e and c = s . e:
    v' = c v + k x v + k (k . v) / (1 + c).
    """
    start, end = start / np.maximum(norm(start), 1e-9), end / np.maximum(norm(end), 1e-9)
    axis, cosine = cross(start, end), dot(start, end)
    along = axis * dot(axis, vector) / np.maximum(1 + cosine, 1e-6)
    return cosine * vector + cross(axis, vector) + along


def _middle_joint(start: Array, end: Array, first: Array, second: Array, side: Array) -> Array:
    """The joint (T, 3) between two bones of lengths (T, 1) from ``start`` to ``end``.

    It lies on the side of the direction ``side``. Too far or too near an end is met as nearly as
    can be. By the law of cosines, with the ends d apart, it is a = (d^2 + first^2 - second^2) / 2d
    along their line and sqrt(first^2 - a^2) aside of it.
    """
    line = end - start
    apart = norm(line)
    axis = line / np.maximum(apart, 1e-9)
    length = np.clip(apart, np.abs(first - second) + 1e-6, first + second)
    along = (length**2 + first**2 - second**2) / (2 * length)
    aside = np.sqrt(np.maximum(first**2 - along**2, 0.0))
    across = _across(side, axis)
    return start + along * axis + aside * across / np.maximum(norm(across), 1e-9)


def _across(vector: Array, axis: Array) -> Array:
    """What of vectors (T, 3) is across axes (T, 3)."""
    return vector - axis * dot(vector, axis) / np.maximum(dot(axis, axis), 1e-12)
