# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Three revolute joints in a row for one ball joint: Euler angles that stay continuous in time.

An order such as ``'yxz'`` is intrinsic: the first axis is fixed in the parent, the last one in
the child, ``R = R_y(q_y) @ R_x(q_x) @ R_z(q_z)``. Angles are always *stored* as (x, y, z),
whatever the order. Where the middle angle is a quarter turn, the outer axes coincide (gimbal
lock): there only their sum or difference is defined, and near there small rotations need large
angles.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from mgpt3_ros.model.kinematics.heading import wrap

Array = NDArray[np.float64]

# Measured on mocap22: halves the angle speeds that gimbal lock causes (30 -> 15 rad/s), for an
# error of at most 10 mm, mean over the joints of one frame, in the few frames where it acts.
LOCK_REGION = 0.35  # |cos(middle angle)| under which a track counts as near gimbal lock
_LOCK_STIFFNESS = 0.03  # price of a squared step between frames against a squared rotation error
_LOCK_POWER = 8  # the stiffness fades with sin(middle)**8: nothing happens away from the lock
_ROTATION_PRICE = np.array([1.0, 1.0, 0.3])  # twist about a limb moves nothing but the next joint
_ITERATIONS = 4

_AXIS = {'x': 0, 'y': 1, 'z': 2}


def matrix_from_euler(angles: Array, order: str) -> Array:
    """Rotation matrices (..., 3, 3) of angles (..., 3) [rad], stored as x, y, z.

    Of the order ijk, with cosines c and sines s of the angles about i, j and k, R_i R_j R_k is::

        R_ii = cj ck               R_ij = -s cj sk              R_ik = s sj
        R_ji = s ci sk + si sj ck  R_jj = ci ck - s si sj sk    R_jk = -s si cj
        R_ki = si sk - s ci sj ck  R_kj = s si ck + ci sj sk    R_kk = ci cj

    where s alone is 1 for the cyclic orders (xyz, yzx, zxy) and -1 for the others.
    """
    i, j, k = (_AXIS[axis] for axis in order)
    sign = _sign(order)
    cosines, sines = np.cos(angles), np.sin(angles)
    ci, cj, ck = cosines[..., i], cosines[..., j], cosines[..., k]
    si, sj, sk = sines[..., i], sines[..., j], sines[..., k]
    matrix = np.empty((*angles.shape, 3))
    matrix[..., i, i], matrix[..., i, j], matrix[..., i, k] = cj * ck, -sign * cj * sk, sign * sj
    matrix[..., j, i] = sign * ci * sk + si * sj * ck
    matrix[..., j, j] = ci * ck - sign * si * sj * sk
    matrix[..., j, k] = -sign * si * cj
    matrix[..., k, i] = si * sk - sign * ci * sj * ck
    matrix[..., k, j] = sign * si * ck + ci * sj * sk
    matrix[..., k, k] = ci * cj
    return matrix


def euler_from_matrix(rotation: Array, order: str) -> Array:
    """Angles (..., 3) [rad] of rotation matrices (..., 3, 3), the middle within a quarter turn.

    Of the order ijk: q_i = atan2(-s R_jk, R_kk), q_j = asin(s R_ik), q_k = atan2(-s R_ij, R_ii),
    where s is 1 for the cyclic orders (xyz, yzx, zxy) and -1 for the others.
    """
    first, middle, last = (_AXIS[axis] for axis in order)
    sign = _sign(order)
    angles = np.empty(rotation.shape[:-1])
    angles[..., first] = np.arctan2(-sign * rotation[..., middle, last], rotation[..., last, last])
    angles[..., middle] = np.arcsin(np.clip(sign * rotation[..., first, last], -1.0, 1.0))
    angles[..., last] = np.arctan2(
        -sign * rotation[..., first, middle], rotation[..., first, first]
    )
    return angles


def _sign(order: str) -> float:
    return 1.0 if order in ('xyz', 'yzx', 'zxy') else -1.0


def other_triple(angles: Array, order: str) -> Array:
    """The second triple of the same rotation: outer angles half a turn on, middle one mirrored."""
    middle = _AXIS[order[1]]
    other = angles + np.pi
    other[..., middle] = np.pi - angles[..., middle]
    return other


def continuous_euler(rotation: Array, order: str) -> Array:
    """Angles of a rotation track: each frame takes the triple nearest to the one before.

    Args:
        rotation: (T, ..., 3, 3).
        order: intrinsic axis order.

    Returns:
        (T, ..., 3) [rad], no step longer than half a turn.
    """
    angles = euler_from_matrix(rotation, order)
    other = other_triple(angles, order)
    stay = np.square(wrap(angles[1:] - angles[:-1])).sum(axis=-1)
    change = np.square(wrap(other[1:] - angles[:-1])).sum(axis=-1)
    # Changing triple twice is staying: whether a frame takes the other one is a running parity.
    takes_other = np.zeros(angles.shape[:-1], dtype=bool)
    takes_other[1:] = np.logical_xor.accumulate(change < stay, axis=0)
    return np.unwrap(np.where(takes_other[..., None], other, angles), axis=0)


def nearest_branch(angles: Array, order: str, goal: Array) -> Array:
    """The same rotations by the branch that lies nearest to a goal, each track moved as a whole.

    Args:
        angles: (T, ..., 3) [rad], continuous tracks.
        order: intrinsic axis order.
        goal: (..., 3) [rad], of each track.

    Returns:
        (T, ..., 3) [rad]: one of the two triples, whole turns added per axis.
    """
    candidates, away = [], []
    for branch in (angles, other_triple(angles, order)):
        turns = np.round(np.mean(goal - branch, axis=0) / (2 * np.pi))
        candidates.append(branch + 2 * np.pi * turns)
        away.append(np.square(candidates[-1] - goal).sum(axis=(0, -1)))
    return np.where((away[1] < away[0])[..., None], candidates[1], candidates[0])


def ease_gimbal_lock(angles: Array, order: str) -> Array:
    """Trade a little of the rotation near gimbal lock for angles that robots can follow.

    Minimises sum |log(R(q_t)^T R_t)|^2 + sum k_t |q_t+1 - q_t|^2, rotation errors about the limb
    counting less, by Gauss-Newton over the whole track; the stiffness k_t of steps fades with
    sin(middle)^8 away from the lock, so that all else stays as it is.

    Args:
        angles: (T, 3) [rad], continuous.
        order: intrinsic axis order.

    Returns:
        (T, 3) [rad]; the same array if the track stays clear of the lock.
    """
    from scipy.spatial.transform import Rotation

    middle = _AXIS[order[1]]
    if len(angles) < 2 or np.abs(np.cos(angles[:, middle])).min() > LOCK_REGION:
        return angles
    rotation = matrix_from_euler(angles, order)
    near_lock = np.abs(np.sin(angles[:, middle])) ** _LOCK_POWER
    stiffness = _LOCK_STIFFNESS * np.maximum(near_lock[1:], near_lock[:-1])
    for _ in range(_ITERATIONS):
        now = matrix_from_euler(angles, order)
        error = Rotation.from_matrix(np.swapaxes(now, 1, 2) @ rotation).as_rotvec()
        jacobian = _child_axes(angles, order)
        weighted = np.swapaxes(jacobian, 1, 2) * _ROTATION_PRICE
        step = _solve_track(
            weighted @ jacobian, (weighted @ error[..., None])[..., 0], angles, stiffness
        )
        angles = angles + step / max(1.0, np.abs(step).max())
    return angles


def eased_rotations(rotation: Array, order: str) -> Array:
    """What :func:`ease_gimbal_lock` makes of a track of rotations (T, 3, 3)."""
    # R_ik is the sine of the middle angle, but for its sign.
    sine = rotation[:, _AXIS[order[0]], _AXIS[order[2]]]
    if len(rotation) < 2 or 1.0 - np.square(sine).max() > LOCK_REGION**2:
        return rotation
    return matrix_from_euler(ease_gimbal_lock(continuous_euler(rotation, order), order), order)


def _child_axes(angles: Array, order: str) -> Array:
    """The three revolute axes seen from the child (T, 3, 3), axis ``a`` in column ``a``."""
    from scipy.spatial.transform import Rotation

    unit = np.eye(3)
    first, middle, last = (_AXIS[axis] for axis in order)
    about_last = Rotation.from_rotvec(-angles[:, last, None] * unit[last])
    about_middle = Rotation.from_rotvec(-angles[:, middle, None] * unit[middle])
    axes = np.empty((len(angles), 3, 3))
    axes[:, :, last] = unit[last]
    axes[:, :, middle] = about_last.apply(unit[middle])
    axes[:, :, first] = about_last.apply(about_middle.apply(unit[first]))
    return axes


def _solve_track(hessian: Array, gradient: Array, angles: Array, stiffness: Array) -> Array:
    """Newton step (T, 3): frames have blocks (T, 3, 3), neighbours share ``stiffness`` (T-1,)."""
    frames = len(angles)
    pull = np.diff(angles, axis=0) * stiffness[:, None]
    gradient = gradient.copy()
    gradient[1:] -= pull
    gradient[:-1] += pull
    diagonal = np.full(frames, 1e-4)  # keeps the step finite at the lock itself
    diagonal[1:] += stiffness
    diagonal[:-1] += stiffness
    hessian = hessian + diagonal[:, None, None] * np.eye(3)
    banded = np.zeros((4, 3 * frames))  # upper form: row 3 is the diagonal
    for offset in range(3):
        for axis in range(3 - offset):
            banded[3 - offset, axis + offset :: 3] = hessian[:, axis, axis + offset]
    banded[0, 3:] = np.repeat(-stiffness, 3)
    return scipy.linalg.solveh_banded(banded, gradient.reshape(-1)).reshape(frames, 3)
