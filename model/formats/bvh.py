# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motions as BVH, the format of animation programs: rotations in a tree of bones, in centimetres.

What is written stands in T pose at rest, as other programs expect it, Y up, facing +Z. What is
read may be of any program: its joints are found by their names (``bvh_names.py``).
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.formats.bvh_file import BvhFile, parse_bvh
from mgpt3_ros.model.formats.bvh_names import (
    OPTIONAL,
    Skeleton,
    match_joints,
    shipped_skeletons,
)
from mgpt3_ros.model.kinematics.euler import continuous_euler, nearest_branch
from mgpt3_ros.model.kinematics.human import BODY_TO_MODEL, JOINT_INDEX, LEG_NAMES
from mgpt3_ros.model.kinematics.joint_angles import (
    angles_to_joints,
    angles_to_rotations,
    joints_to_angles,
    positions,
    world_rotations,
)
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS, JOINT_NAMES, PARENTS, REST_OFFSETS
from mgpt3_ros.model.kinematics.up_axis import standing_axis, turn_up
from mgpt3_ros.model.motion import Motion, MotionInfo

Array = NDArray[np.float64]

_CM = 100.0  # per metre
# Ends of the chains [m] in T pose, so that programs draw hands, toes and a head.
_ENDS = {
    'head': (0.0, 0.18, 0.03),
    'left_wrist': (0.18, 0.0, 0.0),
    'right_wrist': (-0.18, 0.0, 0.0),
    'left_foot': (0.0, 0.0, 0.07),
    'right_foot': (0.0, 0.0, 0.07),
}
# Units by metres each, and the length of leg and trunk [m] that a body between a child and a giant
# has (1.37 m is the default body's).
_UNITS = {'m': 1.0, 'cm': 0.01, 'mm': 0.001, 'in': 0.0254}
_BODY_RANGE = (0.7, 2.8)
_SPINE = ('pelvis', 'spine1', 'spine2', 'spine3', 'neck')
_TRUNK = (('pelvis', 'neck'),)


_UPRIGHT = np.broadcast_to(np.eye(3), (1, len(JOINT_NAMES), 3, 3))
# (22, 3) [m], the default body in T pose, pelvis at the origin
REST_JOINTS = positions(_UPRIGHT, np.zeros(3), REST_OFFSETS)[0]


def write_bvh(path: str | Path, motion: Motion) -> None:
    """Write a motion as BVH; ``motion.info`` has no place in it.

    Bones have the motion's own median lengths. A motion whose bones keep their lengths comes back
    within a millimetre, but for frames next to a shoulder's gimbal lock; see ``joint_angles``.
    """
    joints = motion.joints.astype(np.float64)
    offsets = _rest_offsets(joints)
    world = _world_rotations(joints)
    root = joints[:, 0] + np.mean(joints - positions(world, joints[:, 0], offsets), axis=1)
    columns = [_CM * root]
    for joint in _in_file_order(0):
        local, parent = world[:, joint], PARENTS[joint]
        if parent >= 0:
            local = np.swapaxes(world[:, parent], 1, 2) @ local
        order = _axis_order(JOINT_NAMES[joint])
        angles = nearest_branch(continuous_euler(local, order), order, np.zeros(3))
        columns.append(np.rad2deg(angles[:, ['xyz'.index(axis) for axis in order]]))
    lines = ['HIERARCHY', *_hierarchy(offsets, 0, 0), 'MOTION', f'Frames: {motion.num_frames}']
    lines.append(f'Frame Time: {1 / motion.fps:.10f}')
    rows = np.concatenate(columns, axis=1)
    lines += [' '.join(f'{value:.5f}' for value in row) for row in rows]
    Path(path).write_text('\n'.join(lines) + '\n', encoding='ascii')


def _axis_order(joint: str) -> str:
    """Order of a joint's rotations, first in the parent; as far from gimbal lock as people move.

    Those of ``human.axis_order``, in the model's axes and seen from a T pose. The pelvis turns,
    then leans, then tilts: its lock is a body that lies face down or on its back.
    """
    if joint == 'pelvis':
        return 'yxz'
    if joint.endswith('shoulder'):
        return 'xyz'
    return 'yzx' if joint.endswith(('elbow', 'wrist')) else 'xzy'


def _children(joint: int) -> list[int]:
    return [child for child, parent in enumerate(PARENTS) if parent == joint]


def _in_file_order(joint: int) -> list[int]:
    """A joint and all below it, each followed by its children."""
    return [joint, *(below for child in _children(joint) for below in _in_file_order(child))]


def _rest_offsets(joints: Array) -> Array:
    """T pose (22, 3) [m] with the median bone lengths of joints (T, 22, 3)."""
    lengths = np.median(np.linalg.norm(joints - joints[:, PARENTS], axis=-1), axis=0)
    offsets = np.zeros((len(JOINT_NAMES), 3))
    rest = REST_OFFSETS[1:]
    offsets[1:] = rest / np.linalg.norm(rest, axis=-1, keepdims=True) * lengths[1:, None]
    return offsets


def _world_rotations(joints: Array) -> Array:
    """Rotations (T, 22, 3, 3) from T pose, in model axes."""
    body = joints_to_angles(joints)
    local = angles_to_rotations(body.angles)[:, :, BODY_TO_MODEL][:, :, :, BODY_TO_MODEL]
    world = world_rotations(Rotation.from_quat(body.root_rot).as_matrix(), local)
    # Angles count from hanging arms: a quarter turn about Z brings the T pose there.
    for side, turn in (('left', -90), ('right', 90)):
        hang = Rotation.from_euler('z', turn, degrees=True).as_matrix()
        for part in ('shoulder', 'elbow', 'wrist'):
            world[:, JOINT_INDEX[f'{side}_{part}']] @= hang
    return world


def _hierarchy(offsets: Array, joint: int, depth: int) -> list[str]:
    """Lines of a joint and all below it."""
    name, indent, inner = JOINT_NAMES[joint], '  ' * depth, '  ' * (depth + 1)
    channels = [f'{axis.upper()}rotation' for axis in _axis_order(name)]
    if joint == 0:
        channels = ['Xposition', 'Yposition', 'Zposition', *channels]
    lines = [f'{indent}{"JOINT" if joint else "ROOT"} {name}', f'{indent}{{']
    lines.append(f'{inner}OFFSET {_numbers(offsets[joint])}')
    lines.append(f'{inner}CHANNELS {len(channels)} {" ".join(channels)}')
    for child in _children(joint):
        lines += _hierarchy(offsets, child, depth + 1)
    if name in _ENDS:
        lines += [f'{inner}End Site', f'{inner}{{']
        lines += [f'{inner}  OFFSET {_numbers(np.array(_ENDS[name]))}', f'{inner}}}']
    return [*lines, f'{indent}}}']


def _numbers(metres: Array) -> str:
    return ' '.join(f'{_CM * value:.5f}' for value in metres)


def read_bvh(
    path: str | Path, skeletons: Sequence[Skeleton] = (), up: str | None = None
) -> Motion:
    """Read a BVH file, of ours or of CMU, Mixamo, LAFAN1, Bandai-Namco, 100STYLE and others.

    The unit is taken from the size of the body, and what points up from how it stands, where that
    is plain (else it is Y). A body with SMPL's names keeps its bones. Another is put on the
    default body: directions of its bones, its path scaled by the length of its legs, its lowest
    step where it was. Joints between others that it lacks are put in.

    Args:
        path: the file.
        skeletons: mappings of bones to joints, tried before those in ``skeletons/``.
        up: the axis that points up, of ``UP_AXES``; None to look.

    Returns:
        The motion; ``info`` says ``skeleton``, ``unit`` ('cm', or metres per unit), ``up``,
        ``remarks`` on the file and, where the body was replaced, ``scale``, by which its path was
        multiplied.

    Raises:
        MotionError: the file is damaged (with the line), or joints are not found (with names).
    """
    file = parse_bvh(_text(Path(path).read_bytes()))
    skeleton, places = match_joints([joint.name for joint in file.joints], skeletons)
    _take_end_sites(file, places)
    missing = [name for name in JOINT_NAMES if name not in places and name not in OPTIONAL]
    if missing:
        others = [joint.name for joint in file.joints if not joint.is_end]
        known = ', '.join(each.name for each in (*skeletons, *shipped_skeletons()))
        raise MotionError(
            f'joints not found: {", ".join(missing)}; the file has {", ".join(others)}. Names of '
            f'these skeletons are known: {known}; --skeleton FILE takes others.'
        )
    bones = file.positions()
    found = {name: bones[:, index] for name, index in places.items()}
    _put_in_missing(found)
    joints = np.stack([found[name] for name in JOINT_NAMES], axis=1)
    unit, metres = _unit(joints)
    info: MotionInfo = {'skeleton': skeleton.name, 'unit': unit}
    info['up'] = up or standing_axis(joints) or 'y'
    joints = turn_up(joints * metres, info['up'])
    if file.remarks:
        info['remarks'] = list(file.remarks)
    if skeleton.keep_bones:
        return Motion(joints, file.fps, info)
    scale = _length(REST_JOINTS[None], LEG_NAMES) / _length(joints, LEG_NAMES)
    joints = scale * joints
    body = angles_to_joints(joints_to_angles(joints))
    # Ankles of skeletons lie at different heights: what stood on the floor stands on it again.
    body[..., 1] += joints[:, FOOT_JOINTS, 1].min() - body[:, FOOT_JOINTS, 1].min()
    return Motion(body, file.fps, {**info, 'scale': scale})


def _text(data: bytes) -> str:
    """The text of a file: UTF-16 where it says so, else UTF-8 as far as it goes."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode('utf-16' if wide else 'utf-8', errors='replace')


def _take_end_sites(file: BvhFile, places: dict[str, int]) -> None:
    """Heads, wrists and feet that are not joints of their own are the end sites of what is."""
    for name in _ENDS:
        above = places.get(JOINT_NAMES[PARENTS[JOINT_INDEX[name]]])
        for index, joint in enumerate(file.joints):
            if name not in places and joint.is_end and joint.parent == above:
                places[name] = index


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
    size = _length(joints, LEG_NAMES) + _length(joints, _TRUNK)
    for unit, metres in _UNITS.items():
        if _BODY_RANGE[0] <= size * metres < _BODY_RANGE[1]:
            return unit, metres
    if size <= 0:
        raise MotionError('the bones have no length')
    default = _length(REST_JOINTS[None], LEG_NAMES) + _length(REST_JOINTS[None], _TRUNK)
    return f'{default / size:.4g} m', default / size


def _length(joints: Array, chains: tuple[tuple[str, ...], ...]) -> float:
    """Mean length of chains of joints, over frames."""
    total = 0.0
    for chain in chains:
        at = [JOINT_INDEX[name] for name in chain]
        total += float(np.linalg.norm(np.diff(joints[:, at], axis=1), axis=-1).sum(1).mean())
    return total / len(chains)
