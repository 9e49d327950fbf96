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

from mgpt3_ros.model.formats.bvh_file import BvhFile, parse_bvh
from mgpt3_ros.model.formats.bvh_names import Skeleton, match_joints
from mgpt3_ros.model.formats.foreign_bodies import motion_of_bones
from mgpt3_ros.model.kinematics.euler import continuous_euler, nearest_branch
from mgpt3_ros.model.kinematics.human import BODY_TO_MODEL, JOINT_INDEX
from mgpt3_ros.model.kinematics.joint_angles import (
    angles_to_rotations,
    joints_to_angles,
    world_rotations,
)
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES, PARENTS
from mgpt3_ros.model.kinematics.t_pose import TPoseMotion, from_t_pose, placed
from mgpt3_ros.model.motion import Motion

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


def write_bvh(path: str | Path, motion: Motion) -> None:
    """Write a motion as BVH; ``motion.info`` has no place in it.

    Bones have the motion's own median lengths. A motion whose bones keep their lengths comes back
    within a millimetre, but for frames next to a shoulder's gimbal lock; see ``joint_angles``.
    """
    joints = motion.joints.astype(np.float64)
    posed = _from_angles(joints)
    columns, local = [_CM * posed.root_pos], posed.local
    for joint in _in_file_order(0):
        order = _axis_order(JOINT_NAMES[joint])
        angles = nearest_branch(continuous_euler(local[:, joint], order), order, np.zeros(3))
        columns.append(np.rad2deg(angles[:, ['xyz'.index(axis) for axis in order]]))
    lines = [
        'HIERARCHY',
        *_hierarchy(posed.offsets, 0, 0),
        'MOTION',
        f'Frames: {motion.num_frames}',
    ]
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


def _from_angles(joints: Array) -> TPoseMotion:
    """The motion as joint angles have it, which keep off gimbal lock: channels are angles too."""
    body = joints_to_angles(joints)
    local = angles_to_rotations(body.angles)[:, :, BODY_TO_MODEL][:, :, :, BODY_TO_MODEL]
    world = world_rotations(Rotation.from_quat(body.root_rot).as_matrix(), local)
    return placed(joints, from_t_pose(world))


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
    bones = file.positions()
    found = {name: bones[:, index] for name, index in places.items()}
    others = [joint.name for joint in file.joints if not joint.is_end]
    motion = motion_of_bones(found, skeleton, file.fps, others, skeletons, up)
    return motion.with_info(remarks=list(file.remarks)) if file.remarks else motion


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
