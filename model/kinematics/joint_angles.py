# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joint positions to the angles of the 63-joint human, and back.

22 positions do not show every rotation. What they leave open is fixed by these rules:

- Pelvis: fits hips and spine1. Chest (spine3): fits neck and collars.
- spine1, spine2: a third and two thirds of the way from pelvis to chest, then turned the short way
  so that their bones point as observed.
- Neck, collars and ankles: turned the short way onto the bone they carry; no twist about it.
- Hips and shoulders: the limb's direction, and a twist that makes knee and elbow hinges. The
  straighter a limb, the less it tells of its twist: then the twist follows its neighbours in time,
  the foot (legs), and the posture that people mostly have in that direction.
- Knees and elbows: bend (y) and what is left beside the hinge (x); no twist.
- Head, wrists and feet, the ends of the chains: zero.

The twist never moves a joint: positions come back exactly, but for bone lengths that differ from
the skeleton's, and for the few frames in which ``ease_gimbal_lock`` acts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from mgpt3_ros.model.kinematics.euler import (
    continuous_euler,
    eased_rotations,
    matrix_from_euler,
    nearest_branch,
)
from mgpt3_ros.model.kinematics.human import (
    ANGLE_LIMITS,
    ARM_NAMES,
    BODY_TO_MODEL,
    JOINT_INDEX,
    LEG_NAMES,
    MODEL_TO_BODY,
    ORDERS,
    ZERO_OFFSETS,
    axis_order,
)
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES, PARENTS, checked_joints
from mgpt3_ros.model.kinematics.vectors import cross, dot, norm

Array = NDArray[np.float64]

# The twist of a limb, from evidence weighted by sin^2 of the bend of elbow or knee (at most 1).
_FOOT_EVIDENCE = 0.05  # a leg bent by less than 13 degrees listens to its foot first
_HABIT_EVIDENCE = 0.01  # a limb bent by less than 6 degrees falls back to the habitual twist
_TWIST_STIFFNESS = 0.2  # of a twist's change from frame to frame

# Habitual twist of a limb: that of the shortest swing from one favoured direction, given as
# elevation, azimuth to the outside, and twist to the outside there [deg]. Fitted to mocap22: the
# resultant of observed against habitual twists is .90 for arms and .99 for legs. Only in the
# opposite direction (an arm up and backward through the body) is it undefined.
_FAVOURED = {'shoulder': (-45.0, 15.0, -14.0), 'hip': (-60.0, 0.0, 7.0)}

_ENDS = {
    'head': 'neck',
    'left_wrist': 'left_elbow',
    'right_wrist': 'right_elbow',
    'left_foot': 'left_ankle',
    'right_foot': 'right_ankle',
}


@dataclass(frozen=True)
class BodyAngles:
    """A motion as a floating base and 63 joint angles.

    Attributes:
        root_pos: (T, 3) [m], the pelvis in the model frame (Y up).
        root_rot: (T, 4), quaternion x, y, z, w of the pelvis in the model frame: the identity is a
            person who stands upright and faces +Z. Neighbouring frames have the same sign.
        angles: (T, 63) [rad] in the order of ``ANGLE_NAMES``, continuous in time.
    """

    root_pos: Array
    root_rot: Array
    angles: Array


def joints_to_angles(joints: NDArray) -> BodyAngles:
    """Angles that put the 22 joints where they were observed.

    Of the equivalent angles of a joint each frame takes those nearest to the frame before; the
    motion as a whole takes the branch within the joint's limits.

    Args:
        joints: (T, 22, 3) [m], Y up.

    Returns:
        The angles. ``root_pos`` is the pelvis joint, moved by the mean of what differing bone
        lengths leave between observed and reached joints (0 on the skeleton's own).

    Raises:
        MotionError: for a wrong shape, NaN or infinity.
    """
    world, reached, missed = _reached(joints)
    local = np.swapaxes(world[:, PARENTS[1:]], -1, -2) @ world[:, 1:]
    angles = np.empty((len(world), len(JOINT_NAMES) - 1, 3))
    goals = ANGLE_LIMITS.mean(axis=1).reshape(-1, 3)
    for order, members in ORDERS.items():
        own = continuous_euler(local[:, members], order)
        angles[:, members] = nearest_branch(own, order, goals[members])
    return BodyAngles(
        root_pos=(reached[:, 0] + missed)[:, BODY_TO_MODEL],
        root_rot=_continuous_quaternion(world[:, 0][:, BODY_TO_MODEL][:, :, BODY_TO_MODEL]),
        angles=angles.reshape(len(world), -1),
    )


def on_default_body(joints: NDArray, begins: Sequence[int] = ()) -> Array:
    """Positions (T, 22, 3) [m] of the default body in the angles of joints (T, 22, 3) [m], Y up.

    What ``angles_to_joints(joints_to_angles(joints))`` gives, without the angles. ``begins``:
    frames at which another motion begins, where these are several one after the other.

    Raises:
        MotionError: for a wrong shape, NaN or infinity.
    """
    _, reached, missed = _reached(joints, begins)
    return (reached + missed[:, None])[..., BODY_TO_MODEL]


def _reached(joints: NDArray, begins: Sequence[int] = ()) -> tuple[Array, Array, Array]:
    """Rotations of all links, where these put the joints, and how far off observed ones are.

    In body axes: (T, 22, 3, 3); (T, 22, 3) [m], from the observed pelvis on; the mean (T, 3) [m].
    """
    body = checked_joints(joints).astype(np.float64)[..., MODEL_TO_BODY]
    world = _world_rotations(body - body[:, PARENTS], begins=begins)
    reached = positions(world, body[:, 0], ZERO_OFFSETS)
    return world, reached, np.mean(body - reached, axis=1)


def joints_to_rotations(joints: NDArray, eased: bool = True) -> Array:
    """World rotations (T, 22, 3, 3) of the links that the joints carry, in body axes.

    Those that the angles of ``joints_to_angles`` are of: the identity for a person who stands
    upright and faces forward.

    Args:
        joints: (T, 22, 3) [m], Y up.
        eased: whether hips and shoulders keep off gimbal lock; False for who needs no angles.

    Raises:
        MotionError: for a wrong shape, NaN or infinity.
    """
    body = checked_joints(joints).astype(np.float64)[..., MODEL_TO_BODY]
    return _world_rotations(body - body[:, PARENTS], eased)


def angles_to_rotations(angles: NDArray) -> Array:
    """Rotations (T, 21, 3, 3) of each joint but the pelvis in its parent, of angles (T, 63) [rad].

    In body axes (x forward, y left, z up). With them a joint can be said anew in the axis order of
    another body.
    """
    angles = np.asarray(angles, dtype=np.float64).reshape(-1, len(JOINT_NAMES) - 1, 3)
    rotations = np.empty((*angles.shape, 3))
    for order, members in ORDERS.items():
        rotations[:, members] = matrix_from_euler(angles[:, members], order)
    return rotations


def angles_to_joints(body: BodyAngles) -> Array:
    """Positions (T, 22, 3) [m], Y up, of the default body in these angles."""
    from scipy.spatial.transform import Rotation

    root = Rotation.from_quat(body.root_rot).as_matrix()[:, MODEL_TO_BODY][:, :, MODEL_TO_BODY]
    world = world_rotations(root, angles_to_rotations(body.angles))
    root_pos = np.asarray(body.root_pos, dtype=np.float64)
    return positions(world, root_pos[:, MODEL_TO_BODY], ZERO_OFFSETS)[..., BODY_TO_MODEL]


def world_rotations(root: Array, local: Array) -> Array:
    """Rotations (T, 22, 3, 3) in the world, of the root's (T, 3, 3) and the others' (T, 21, 3, 3).

    ``local`` has them in their parents, in the same axes.
    """
    world = np.empty((len(local), len(JOINT_NAMES), 3, 3))
    world[:, 0] = root
    for joint, parent in enumerate(PARENTS[1:], start=1):
        world[:, joint] = world[:, parent] @ local[:, joint - 1]
    return world


def positions(world: Array, root_pos: Array, offsets: Array) -> Array:
    """Joints (T, 22, 3) of world rotations (T, 22, 3, 3), root (T, 3) and offsets (22, 3) [m]."""
    joints = np.empty((*world.shape[:2], 3))
    joints[:, 0] = root_pos
    for joint, parent in enumerate(PARENTS[1:], start=1):
        joints[:, joint] = joints[:, parent] + world[:, parent] @ offsets[joint]
    return joints


def _world_rotations(bones: Array, eased: bool = True, begins: Sequence[int] = ()) -> Array:
    """World rotations (T, 22, 3, 3) of all links from bones (T, 22, 3), all in body axes.

    ``eased``: angles are to be made of them, so hips and shoulders keep off gimbal lock.
    ``begins``: frames at which another motion begins.
    """
    from scipy.spatial.transform import Rotation

    index = JOINT_INDEX
    directions = _unit(bones)
    world = np.empty((*bones.shape, 3))
    pelvis, chest = _fits(bones, (_PELVIS_FITS, _CHEST_FITS))
    world[:, 0], world[:, index['spine3']] = pelvis, chest
    bend = Rotation.from_matrix(np.swapaxes(pelvis, 1, 2) @ chest).as_rotvec()
    for share, name, child in ((1 / 3, 'spine1', 'spine2'), (2 / 3, 'spine2', 'spine3')):
        between = pelvis @ Rotation.from_rotvec(share * bend).as_matrix()
        world[:, index[name]] = _swung(between[:, None], directions, [index[child]])[:, 0]
    world[:, _ON_CHEST] = _swung(chest[:, None], directions, _ABOVE_CHEST)
    parent = np.swapaxes(world[:, _LIMB_PARENTS], 0, 1)  # (4, T, 3, 3)
    upper, lower, foot = (
        np.swapaxes(directions[:, joints], 0, 1) for joints in (_MIDDLES, _LOWER_ENDS, _FEET)
    )
    local = _upper_limbs(parent, upper, lower, foot, begins)
    if eased:
        for limb, order in zip(local, _LIMB_ORDERS, strict=True):
            for part in np.split(limb, begins):  # views
                part[:] = eased_rotations(part, order)
    turned = parent @ local
    world[:, _UPPERS] = np.swapaxes(turned, 0, 1)
    hinged = turned @ _hinge(_seen_from(turned, lower))
    world[:, _MIDDLES] = np.swapaxes(hinged, 0, 1)
    world[:, _ANKLES] = _swung(world[:, _KNEES], directions, _FEET)
    for name, parent_name in _ENDS.items():
        world[:, index[name]] = world[:, index[parent_name]]
    return world


def _fits(bones: Array, members: Sequence[Sequence[int]]) -> Array:
    """Rotations (N, T, 3, 3) that best take the zero pose's offsets z to bones b (Kabsch 1976).

    Of sum b z^T = U S V^T, the one with the least sum |b - R z|^2 is R = U diag(1, 1, +-1) V^T.
    ``members``: the N groups of joints to which the bones lead.
    """
    sums = [np.swapaxes(bones[:, group], 1, 2) @ ZERO_OFFSETS[group] for group in members]
    u, _, vt = np.linalg.svd(np.stack(sums))
    u[..., 2] *= np.sign(np.linalg.det(u @ vt))[..., None]
    return u @ vt


def _swung(parents: Array, directions: Array, children: Sequence[int]) -> Array:
    """Parents turned the short way so that the bones to ``children`` point as observed.

    Parents are (T, N, 3, 3), or (T, 1, 3, 3), and so is what is returned.
    """
    return parents @ shortest_rotation(
        _ZERO_DIRECTIONS[children], _seen_from(parents, directions[:, children])
    )


def _upper_limbs(
    parent: Array, upper: Array, lower: Array, foot: Array, begins: Sequence[int]
) -> Array:
    """Rotations (4, T, 3, 3) of thighs and upper arms in their parents, from unit bones (4, T, 3).

    The legs come first; ``foot`` (2, T, 3) are theirs.

    R = habit R_z(twist), the limb along z. Seen from ``habit`` the lower bone points to f = x + iy
    across the limb (of a leg, -f): |f| is the sine of the bend, and the twist that makes the joint
    a hinge is the angle of f. It weighs |f|^2, so frames give pointers f |f|, to which the habit
    (angle 0) and a leg's foot add small ones. The twist is the angle of their smooth mean.
    """
    legs = len(foot)
    habit = shortest_rotation(_FAVOURED_DIRECTIONS, _seen_from(parent, upper)) @ _HABITS
    before = parent @ habit
    # Across the limb, as complex numbers x + iy: where it folds to. Legs fold backward.
    fold = _seen_from(before, lower)
    fold_across = fold[..., 0] + 1j * fold[..., 1]
    fold_across[:legs] *= -1
    size = np.abs(fold_across)
    evidence = size**2 + _HABIT_EVIDENCE
    pointer = fold_across * size + _HABIT_EVIDENCE
    ahead = _seen_from(before[:legs], foot)
    ahead_across = ahead[..., 0] + 1j * ahead[..., 1]
    size = np.abs(ahead_across)
    evidence[:legs] += _FOOT_EVIDENCE * size**2
    pointer[:legs] += _FOOT_EVIDENCE * ahead_across * size
    stiffness = np.full(evidence.shape, _TWIST_STIFFNESS)
    stiffness[:, np.asarray([*begins, 0], dtype=int) - 1] = 0.0  # limbs follow on one another
    steps = stiffness.ravel()[:-1]
    smooth = smooth_series(pointer.ravel(), evidence.ravel(), steps).reshape(evidence.shape)
    # Where the pointer swings through zero its angle jumps: once more, on the angle itself.
    trust = np.abs(smooth) ** 2
    weighted = trust * np.unwrap(np.angle(smooth), axis=1)
    twist = smooth_series(weighted.ravel(), (trust + 1e-6).ravel(), steps).reshape(trust.shape)
    about = np.zeros((*twist.shape, 3, 3))
    about[..., 0, 0] = about[..., 1, 1] = np.cos(twist)
    about[..., 1, 0], about[..., 2, 2] = np.sin(twist), 1.0
    about[..., 0, 1] = -about[..., 1, 0]
    return habit @ about


def smooth_series(weighted: NDArray, weight: Array, stiffness: Array | float) -> NDArray:
    """Series s (T,) that minimises sum w |s - weighted / w|^2 + sum k |s_t+1 - s_t|^2.

    k is ``stiffness``, of all steps or of each (T - 1,).

    Where the gradient is zero: (w_t + 2 k) s_t - k (s_t-1 + s_t+1) = weighted_t; k once at ends.
    """
    if len(weight) == 1:
        return weighted / weight
    banded = np.zeros((2, len(weight)))
    banded[1] = weight
    banded[1, 1:] += stiffness
    banded[1, :-1] += stiffness
    banded[0, 1:] = -stiffness
    return scipy.linalg.solveh_banded(banded, weighted)


def _hinge(lower: Array) -> Array:
    """Rotation (..., 3, 3) of shank or forearm: bend b about y, then a about x, off the hinge.

    R_y(b) R_x(a) takes -z to the bone (-sin b cos a, sin a, -cos b cos a).
    """
    bend = np.arctan2(-lower[..., 0], -lower[..., 2])
    aside = np.arcsin(np.clip(lower[..., 1], -1.0, 1.0))
    return matrix_from_euler(np.stack([aside, bend, np.zeros_like(bend)], axis=-1), 'yxz')


def _seen_from(frame: Array, vectors: Array) -> Array:
    """World vectors (..., 3) in frames (..., 3, 3)."""
    return (vectors[..., None, :] @ frame)[..., 0, :]


def _unit(vectors: Array) -> Array:
    return vectors / np.maximum(norm(vectors), 1e-9)


def shortest_rotation(start: Array, end: Array) -> Array:
    """Rotations (..., 3, 3) that take unit vectors (..., 3) to others (..., 3) the short way.

    With v = start x end and w = 1 + start . end, the quaternion (v, w) is that rotation but for
    its length, and the matrix is I + 2 (w [v]x + [v]x^2) / (v . v + w^2).
    """
    axis = cross(start, end)
    x, y, z = axis[..., 0], axis[..., 1], axis[..., 2]
    w = np.maximum(1.0 + dot(end, start)[..., 0], 1e-6)  # opposite: any way is as short
    twice = 2.0 / (x * x + y * y + z * z + w * w)
    matrix = np.empty((*x.shape, 3, 3))
    matrix[..., 0, 0] = 1.0 - twice * (y * y + z * z)
    matrix[..., 1, 1] = 1.0 - twice * (x * x + z * z)
    matrix[..., 2, 2] = 1.0 - twice * (x * x + y * y)
    matrix[..., 0, 1], matrix[..., 1, 0] = twice * (x * y - z * w), twice * (x * y + z * w)
    matrix[..., 0, 2], matrix[..., 2, 0] = twice * (x * z + y * w), twice * (x * z - y * w)
    matrix[..., 1, 2], matrix[..., 2, 1] = twice * (y * z - x * w), twice * (y * z + x * w)
    return matrix


def _continuous_quaternion(rotation: Array) -> Array:
    from scipy.spatial.transform import Rotation

    quaternion = Rotation.from_matrix(rotation).as_quat()
    turned = np.sum(quaternion[1:] * quaternion[:-1], axis=1) < 0
    quaternion[1:] *= np.cumprod(np.where(turned, -1.0, 1.0))[:, None]
    return quaternion


def _habit(name: str) -> tuple[Array, Array]:
    """Favoured direction (3,) of a limb in its parent, and the rotation (3, 3) it has there."""
    outside = 1.0 if name.startswith('left') else -1.0
    elevation, azimuth, twist = np.deg2rad(_FAVOURED[name.split('_')[1]]) * [1, outside, outside]
    level = np.cos(elevation)
    favoured = np.array([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)])
    swing = shortest_rotation(np.array([0.0, 0.0, -1.0]), favoured[None])[0]
    return favoured, swing @ matrix_from_euler(np.array([0.0, 0.0, twist]), 'xyz')


def _numbers(*names: str) -> list[int]:
    return [JOINT_INDEX[name] for name in names]


# Joints that are computed side by side, left before right and legs before arms.
_LIMBS = LEG_NAMES + ARM_NAMES
_UPPERS, _MIDDLES, _LOWER_ENDS = (_numbers(*(limb[part] for limb in _LIMBS)) for part in range(3))
_LIMB_PARENTS = [PARENTS[upper] for upper in _UPPERS]
_LIMB_ORDERS = [axis_order(limb[0]) for limb in _LIMBS]
_KNEES, _ANKLES = _MIDDLES[:2], _LOWER_ENDS[:2]
_FEET = _numbers('left_foot', 'right_foot')
_ON_CHEST = _numbers('neck', 'left_collar', 'right_collar')
_ABOVE_CHEST = _numbers('head', 'left_shoulder', 'right_shoulder')
_PELVIS_FITS = _numbers('left_hip', 'right_hip', 'spine1')
_CHEST_FITS = _numbers('neck', 'left_collar', 'right_collar')
_ZERO_DIRECTIONS = _unit(ZERO_OFFSETS)
_FAVOURED_DIRECTIONS, _HABITS = (
    np.stack(parts)[:, None] for parts in zip(*(_habit(limb[0]) for limb in _LIMBS), strict=True)
)
