# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mistakes that joints in the right format may still have: units, axes, sides, joint order.

Every limit was held against the 3251 clips of mocap22, none of which exceeds one.
"""

from __future__ import annotations

import numpy as np

from mgpt3_ros.model.kinematics.skeleton import FPS, JOINT_NAMES, PARENTS, REST_OFFSETS
from mgpt3_ros.model.kinematics.up_axis import standing_axis

_INDEX = {name: index for index, name in enumerate(JOINT_NAMES)}
_LIMBS = ('knee', 'ankle', 'elbow', 'wrist')  # each the end of a bone with one on the other side
_SPINE = ('spine1', 'spine2', 'spine3', 'neck', 'head')
_LEGS = ('left_knee', 'left_ankle', 'right_knee', 'right_ankle')
_UNITS = {'millimetres': 1000.0, 'centimetres': 100.0, 'inches': 39.37, 'feet': 3.281}

SIZE_RANGE = (0.5, 1.6)  # of a body, by the default one's: a small child and a very tall man
MIN_FACING = -0.1  # mean cosine of toes and chest; at least -0.02 in mocap22
MAX_STRETCH = 0.2  # deviation of a bone's length over its mean; 0.002 in mocap22
MAX_ASYMMETRY = 1.5  # length of a bone over the other side's; 1.025 in mocap22
MAX_SPEED = 12.0  # [m/s] of the pelvis, faster than anyone runs; 5.4 in mocap22


def joint_problems(joints: np.ndarray, fps: float = FPS) -> list[str]:
    """What is wrong with joints (T, 22, 3), which should be in metres with Y up, for people."""
    joints = np.asarray(joints, dtype=np.float64)
    lengths = _bone_lengths(joints)
    found = [_size_problem(lengths), _axis_problem(joints)]
    found += [_side_problem(joints), *_bone_problems(lengths)]
    if found[0] is None:
        found.append(_speed_problem(joints, fps))
    return [problem for problem in found if problem]


def _at(joints: np.ndarray, name: str) -> np.ndarray:
    return joints[:, _INDEX[name]]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _bone_lengths(joints: np.ndarray) -> np.ndarray:
    """Length (T, 22) of the bone that ends at each joint; 0 for the pelvis."""
    lengths = np.linalg.norm(joints - joints[:, list(PARENTS)], axis=-1)
    lengths[:, 0] = 0
    return lengths


def _size(lengths: np.ndarray) -> float:
    """Spine and a leg along the bones, which no pose changes."""
    spine = lengths[..., [_INDEX[name] for name in _SPINE]].sum(axis=-1)
    legs = lengths[..., [_INDEX[name] for name in _LEGS]].sum(axis=-1)
    return float(np.median(spine + legs / 2))


def _size_problem(lengths: np.ndarray) -> str | None:
    ratio = _size(lengths) / _size(np.linalg.norm(REST_OFFSETS, axis=-1))
    if SIZE_RANGE[0] <= ratio <= SIZE_RANGE[1]:
        return None
    near = {name: factor for name, factor in _UNITS.items() if 0.6 < ratio / factor < 1.4}
    guess = f'probably {next(iter(near))}' if near else 'another unit'
    return f'the body is {ratio:.3g} times as large as one in metres: {guess}'


def _axis_problem(joints: np.ndarray) -> str | None:
    axis = standing_axis(joints)
    if axis in ('', 'y'):
        return None
    if axis == '-y':
        return 'the body is upside down: up must be +Y (--up=-y turns it)'
    shown = axis.upper() if axis.startswith('-') else f'+{axis.upper()}'
    return f'the body stands along {shown}: up must be +Y (--up={axis} turns it)'


def _side_problem(joints: np.ndarray) -> str | None:
    hips = _at(joints, 'left_hip') - _at(joints, 'right_hip')
    shoulders = _at(joints, 'left_shoulder') - _at(joints, 'right_shoulder')
    if (_unit(hips) * _unit(shoulders)).sum(axis=-1).mean() < MIN_FACING:
        return 'left and right are swapped in the arms or in the legs'
    # By the body's own axes, so that a wrong vertical does not matter.
    chest = np.cross(hips, _at(joints, 'neck') - _at(joints, 'pelvis'))
    toes = sum(_unit(_at(joints, f'{s}_foot') - _at(joints, f'{s}_ankle')) for s in _SIDES)
    if (_unit(chest) * _unit(np.asarray(toes))).sum(axis=-1).mean() < MIN_FACING:
        return 'the toes point backwards: left and right are swapped, or an axis is mirrored'
    return None


_SIDES = ('left', 'right')


def _bone_problems(lengths: np.ndarray) -> list[str | None]:
    mean, deviation = lengths.mean(axis=0), lengths.std(axis=0)
    found: list[str | None] = []
    stretch = deviation[1:] / np.maximum(mean[1:], 1e-9)
    if stretch.max() > MAX_STRETCH:
        name = JOINT_NAMES[1 + int(stretch.argmax())]
        found.append(
            f'the bone to {name} changes its length by {stretch.max():.0%}: '
            'wrong order of joints, or features that are still normalised?'
        )
    for limb in _LIMBS:
        left, right = (max(float(mean[_INDEX[f'{side}_{limb}']]), 1e-9) for side in _SIDES)
        if max(left / right, right / left) > MAX_ASYMMETRY:
            found.append(
                f'the bone to left_{limb} is {left:.3g} long, to right_{limb} {right:.3g}'
            )
    return found


def _speed_problem(joints: np.ndarray, fps: float) -> str | None:
    steps = np.linalg.norm(np.diff(_at(joints, 'pelvis'), axis=0), axis=-1) * fps
    if len(steps) == 0 or steps.max() <= MAX_SPEED:
        return None
    frame = int(steps.argmax())
    return (
        f'the pelvis moves at {steps[frame]:.3g} m/s after frame {frame}: a jump, or another fps'
    )
