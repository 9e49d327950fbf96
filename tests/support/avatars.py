# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Avatars of other people, made from the mannequin: other bones, names, axes, units and poses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from mgpt3_ros.model.formats import save
from mgpt3_ros.model.formats.bvh_names import shipped_skeletons
from mgpt3_ros.model.formats.gltf_file import Gltf
from mgpt3_ros.model.kinematics.human import JOINT_INDEX
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES, PARENTS, REST_OFFSETS
from mgpt3_ros.model.kinematics.t_pose import t_pose_joints
from mgpt3_ros.model.motion import Motion


def standing(offsets: np.ndarray) -> Motion:
    """A body of these bones in T pose, for two frames."""
    joints = t_pose_joints(offsets)
    joints[:, 1] -= joints[:, 1].min()
    return Motion(np.repeat(joints[None], 2, axis=0))


def stretched(legs: float, arms: float, trunk: float) -> np.ndarray:
    """Offsets (22, 3) [m] of a body whose parts are this many times as long as the default's."""
    factors = np.full(len(JOINT_NAMES), trunk)
    for index, name in enumerate(JOINT_NAMES):
        if name.endswith(('knee', 'ankle', 'foot')):
            factors[index] = legs
        elif name.endswith(('elbow', 'wrist')):
            factors[index] = arms
    return REST_OFFSETS * factors[:, None]


def write_vrm_avatar(path: Path) -> None:
    """A VRM with long legs, nodes of names of its own, and no toes or upper chest."""
    save(standing(stretched(1.25, 0.9, 1.05)), path)
    gltf = Gltf.load(path)
    for number, name in enumerate(JOINT_NAMES):
        gltf.nodes[number]['name'] = f'Bip_{number:02d}_{name[::-1]}'
    bones = gltf.json['extensions']['VRMC_vrm']['humanoid']['humanBones']
    for bone in ('leftToes', 'rightToes', 'upperChest'):
        del bones[bone]
    path.write_bytes(gltf.to_bytes())


def write_mixamo_avatar(path: Path) -> None:
    """A GLB of a child in centimetres, bones named as Mixamo's, arms hanging, facing +X."""
    offsets = stretched(0.7, 0.75, 0.8)
    save(standing(offsets), path)
    gltf = Gltf.load(path)
    mixamo = next(each for each in shipped_skeletons() if each.name == 'Mixamo')
    bones = {joint: f'mixamorig:{bone}' for bone, joint in mixamo.bones.items()}
    rng = np.random.default_rng(5)
    # Each bone has axes of its own, as exporters write them.
    axes = [Rotation.from_rotvec(rng.normal(0, 1.5, 3)) for _ in JOINT_NAMES]
    lean = {'left_shoulder': -50.0, 'right_shoulder': 50.0}  # the arms hang, as in an A pose
    turns: list[Rotation] = []
    for number, name in enumerate(JOINT_NAMES):
        above = turns[PARENTS[number]] if number else Rotation.identity()
        turns.append(above * Rotation.from_euler('z', lean.get(name, 0.0), degrees=True))
        rest = turns[number] * axes[number]
        before = above * axes[PARENTS[number]] if number else Rotation.identity()
        node: dict[str, Any] = gltf.nodes[number]
        place = np.array(node['translation']) if not number else above.apply(offsets[number])
        node['name'] = bones[name]
        node['translation'] = (100 * before.inv().apply(place)).tolist()
        node['rotation'] = (before.inv() * rest).as_quat().tolist()
    facing = Rotation.from_euler('y', 90, degrees=True).as_quat().tolist()
    gltf.nodes.append(
        {'name': 'Armature', 'children': [0], 'scale': [0.01] * 3, 'rotation': facing}
    )
    gltf.json['scenes'][0]['nodes'] = [len(gltf.nodes) - 1]
    del gltf.json['animations']
    path.write_bytes(gltf.to_bytes())


def index(name: str) -> int:
    return JOINT_INDEX[name]
