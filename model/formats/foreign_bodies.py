# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bones of other programs become the 22 joints: their unit, what they lack, the default body."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.formats.bvh_names import OPTIONAL, Skeleton, shipped_skeletons
from mgpt3_ros.model.kinematics.human import JOINT_INDEX, LEG_NAMES
from mgpt3_ros.model.kinematics.joint_angles import angles_to_joints, joints_to_angles
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS, JOINT_NAMES
from mgpt3_ros.model.kinematics.t_pose import REST_JOINTS
from mgpt3_ros.model.kinematics.up_axis import standing_axis, turn_up
from mgpt3_ros.model.motion import Motion, MotionInfo

Array = NDArray[np.float64]

# Units by metres each, and the length of leg and trunk [m] that a body between a child and a giant
# has (1.37 m is the default body's).
_UNITS = {'m': 1.0, 'cm': 0.01, 'mm': 0.001, 'in': 0.0254}
_BODY_RANGE = (0.7, 2.8)
_SPINE = ('pelvis', 'spine1', 'spine2', 'spine3', 'neck')
_TRUNK = (('pelvis', 'neck'),)


def motion_of_bones(
    found: dict[str, Array],
    skeleton: Skeleton,
    fps: float,
    bones: Sequence[str],
    skeletons: Sequence[Skeleton] = (),
    up: str | None = None,
) -> Motion:
    """The motion of a skeleton whose joints were found.

    Args:
        found: positions (T, 3) of joints by name, in any unit.
        skeleton: the mapping that found them; it says whether its bones are kept.
        fps: frames per second.
        bones: names in the file, for the message about joints that were not found.
        skeletons: mappings of the user, for that message too.
        up: the axis that points up, of ``UP_AXES``; None to look how the body stands.

    Returns:
        The motion; ``info`` says ``skeleton``, ``unit``, ``up`` and, where the body was replaced,
        ``scale``, as :func:`~mgpt3_ros.model.formats.bvh.read_bvh` has it.

    Raises:
        MotionError: joints that cannot be put in are missing.
    """
    missing = [name for name in JOINT_NAMES if name not in found and name not in OPTIONAL]
    if missing:
        known = ', '.join(each.name for each in (*skeletons, *shipped_skeletons()))
        raise MotionError(
            f'joints not found: {", ".join(missing)}; the file has {", ".join(bones)}. Names of '
            f'these skeletons are known: {known}; --skeleton FILE takes others.'
        )
    found = dict(found)
    _put_in_missing(found)
    joints = np.stack([found[name] for name in JOINT_NAMES], axis=1)
    unit, metres = _unit(joints)
    info: MotionInfo = {'skeleton': skeleton.name, 'unit': unit}
    info['up'] = up or standing_axis(joints) or 'y'
    joints = turn_up(joints * metres, info['up'])
    if skeleton.keep_bones:
        return Motion(joints, fps, info)
    scale = chain_length(REST_JOINTS[None], LEG_NAMES) / chain_length(joints, LEG_NAMES)
    joints = scale * joints
    body = angles_to_joints(joints_to_angles(joints))
    # Ankles of skeletons lie at different heights: what stood on the floor stands on it again.
    body[..., 1] += joints[:, FOOT_JOINTS, 1].min() - body[:, FOOT_JOINTS, 1].min()
    return Motion(body, fps, {**info, 'scale': scale})


def _put_in_missing(found: dict[str, Array]) -> None:
    """Add the joints of ``OPTIONAL`` that are missing, where the T pose has them in between."""
    shoulders = found['left_shoulder'] + found['right_shoulder']
    if 'neck' not in found:  # half of the way from the middle of the shoulders to the head
        found['neck'] = 0.25 * shoulders + 0.5 * found['head']
    height = {name: float(REST_JOINTS[JOINT_INDEX[name], 1]) for name in _SPINE}
    for place, name in enumerate(_SPINE):
        if name not in found:
            below = _SPINE[place - 1]
            above = next(other for other in _SPINE[place:] if other in found)
            share = (height[name] - height[below]) / (height[above] - height[below])
            found[name] = found[below] + share * (found[above] - found[below])
    for side in ('left', 'right'):  # a third of the way from the breastbone to the shoulder
        breast = 0.5 * (found['spine3'] + found['neck'])
        found.setdefault(f'{side}_collar', (2 * breast + found[f'{side}_shoulder']) / 3)


def _unit(joints: Array) -> tuple[str, float]:
    """The unit of joints (T, 22, 3) and its metres; where none fits, such as the body needs."""
    size = chain_length(joints, LEG_NAMES) + chain_length(joints, _TRUNK)
    for unit, metres in _UNITS.items():
        if _BODY_RANGE[0] <= size * metres < _BODY_RANGE[1]:
            return unit, metres
    if size <= 0:
        raise MotionError('the bones have no length')
    default = chain_length(REST_JOINTS[None], LEG_NAMES) + chain_length(REST_JOINTS[None], _TRUNK)
    return f'{default / size:.4g} m', default / size


def chain_length(joints: Array, chains: tuple[tuple[str, ...], ...]) -> float:
    """Mean length of chains of joints (T, 22, 3), over frames; in their unit."""
    total = 0.0
    for chain in chains:
        at = [JOINT_INDEX[name] for name in chain]
        total += float(np.linalg.norm(np.diff(joints[:, at], axis=1), axis=-1).sum(1).mean())
    return total / len(chains)
