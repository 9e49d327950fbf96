# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motions as glTF: a skinned mannequin that moves (.glb), an animation for avatars (.vrma).

The skeleton is in T pose at rest, Y up, facing +Z, in metres, with the motion's own median bone
lengths and the names of the 22 joints.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from mgpt3_ros.model.figure.cones import SOLE
from mgpt3_ros.model.figure.skin import SkinPart, make_skin
from mgpt3_ros.model.formats.bvh_names import load_skeleton
from mgpt3_ros.model.formats.gltf_file import UNSIGNED_BYTE, UNSIGNED_SHORT, Gltf
from mgpt3_ros.model.formats.npz import plain_json
from mgpt3_ros.model.kinematics.human import JOINT_INDEX
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS, JOINT_NAMES, PARENTS
from mgpt3_ros.model.kinematics.t_pose import TPoseMotion, t_pose_joints, to_t_pose_motion
from mgpt3_ros.model.motion import Motion

_VERTICES, _FACES = 34962, 34963  # what an array of vertices and one of faces is for
_EXACT_M = 1e-4  # [m]: joints that are farther off are moved to their places
INFO = 'mgpt3'  # where an animation's `extras` keep the motion's info


def write_glb(path: str | Path, motion: Motion) -> None:
    """Write the mannequin, skinned, with the motion as its animation.

    The joints stand where the motion has them, so the foot joints touch y = 0 and the soles lie
    ``SOLE`` lower. Joints on bones that change their length, as where motions were blended, are
    moved as well as turned. Motions come back within a micrometre.

    Raises:
        MotionError: ``info`` holds what JSON cannot say.
    """
    posed = to_t_pose_motion(motion.joints)
    gltf = Gltf()
    add_skeleton(gltf, posed.offsets, -_lowest(posed.offsets))
    _add_skin(gltf, posed.offsets)
    stretched = _stretched(motion.joints.astype(np.float64), posed)
    root = motion.joints[:, 0] if stretched else posed.root_pos
    _add_animation(gltf, posed.local, root, motion, stretched)
    Path(path).write_bytes(gltf.to_bytes())


def write_vrma(path: str | Path, motion: Motion) -> None:
    """Write a VRM animation, which players of VRM 1.0 put on any avatar of that kind.

    https://github.com/vrm-c/vrm-specification, VRMC_vrm_animation-1.0. The soles are on the floor
    at y = 0, at rest as in motion, since players measure an avatar's hips from there.

    Raises:
        MotionError: ``info`` holds what JSON cannot say.
    """
    posed = to_t_pose_motion(motion.joints)
    gltf = Gltf()
    add_skeleton(gltf, posed.offsets, SOLE - _lowest(posed.offsets))
    _add_animation(gltf, posed.local, posed.root_pos + np.array([0.0, SOLE, 0.0]), motion)
    _extend(gltf, 'VRMC_vrm_animation', {'specVersion': '1.0', 'humanoid': _human_bones()})
    Path(path).write_bytes(gltf.to_bytes())


def write_vrm(path: str | Path, motion: Motion) -> None:
    """Write the mannequin alone, with the motion's bone lengths, as an avatar of VRM 1.0."""
    posed = to_t_pose_motion(motion.joints)
    gltf = Gltf()
    add_skeleton(gltf, posed.offsets, SOLE - _lowest(posed.offsets))
    _add_skin(gltf, posed.offsets)
    meta = {
        'name': 'mannequin',
        'version': '1',
        'authors': ['The mgpt3_ros authors'],
        'licenseUrl': 'https://vrm.dev/licenses/1.0/',
        'avatarPermission': 'everyone',
        'commercialUsage': 'corporation',
        'creditNotation': 'unnecessary',
        'allowRedistribution': True,
        'modification': 'allowModificationRedistribution',
    }
    content = {'specVersion': '1.0', 'meta': meta, 'humanoid': _human_bones()}
    _extend(gltf, 'VRMC_vrm', content)
    Path(path).write_bytes(gltf.to_bytes())


def add_skeleton(gltf: Gltf, offsets: np.ndarray, hip_height: float) -> None:
    """Add the 22 joints as the first nodes, at rest in T pose; offsets (22, 3) and height [m]."""
    nodes: list[dict[str, Any]] = [
        {'name': name, 'translation': offset.tolist()}
        for name, offset in zip(JOINT_NAMES, offsets, strict=True)
    ]
    nodes[0]['translation'] = [0.0, hip_height, 0.0]
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            nodes[parent].setdefault('children', []).append(joint)
    gltf.json.update(scene=0, scenes=[{'nodes': [0]}], nodes=nodes)


def _lowest(offsets: np.ndarray) -> float:
    """Height [m] of the lowest foot joint below the pelvis, in T pose."""
    return float(t_pose_joints(offsets)[FOOT_JOINTS, 1].min())


def _human_bones() -> dict[str, Any]:
    """Which node is which of VRM's named bones."""
    bones = load_skeleton(Path(__file__).with_name('skeletons') / 'vrm.yaml').bones
    return {'humanBones': {bone: {'node': JOINT_INDEX[name]} for bone, name in bones.items()}}


def _extend(gltf: Gltf, name: str, content: dict[str, Any]) -> None:
    gltf.json['extensionsUsed'] = [name]
    gltf.json['extensions'] = {name: content}


def _add_skin(gltf: Gltf, offsets: np.ndarray) -> None:
    """Add the mannequin as a mesh on a node of its own, carried by the joints."""
    inverse = np.tile(np.eye(4), (len(JOINT_NAMES), 1, 1))
    inverse[:, :3, 3] = -t_pose_joints(offsets)
    matrices = gltf.add(inverse.transpose(0, 2, 1).reshape(-1, 16))
    joints = list(range(len(JOINT_NAMES)))
    gltf.json['skins'] = [{'inverseBindMatrices': matrices, 'joints': joints, 'skeleton': 0}]
    parts = make_skin(offsets)
    gltf.json['materials'] = [_material(part) for part in parts]
    primitives = [_primitive(gltf, part, number) for number, part in enumerate(parts)]
    gltf.json['meshes'] = [{'name': 'mannequin', 'primitives': primitives}]
    gltf.nodes.append({'name': 'mannequin', 'mesh': 0, 'skin': 0})
    gltf.json['scenes'][0]['nodes'].append(len(gltf.nodes) - 1)


def _material(part: SkinPart) -> dict[str, Any]:
    """A material of one colour; glTF wants linear light (IEC 61966-2-1 from sRGB)."""
    screen = part.colour / 255.0
    linear = np.where(screen <= 0.04045, screen / 12.92, ((screen + 0.055) / 1.055) ** 2.4)
    surface = {
        'baseColorFactor': [*linear.round(5).tolist(), 1.0],
        'metallicFactor': 0.0,
        'roughnessFactor': 0.7,
    }
    return {'name': part.name, 'pbrMetallicRoughness': surface}


def _primitive(gltf: Gltf, part: SkinPart, material: int) -> dict[str, Any]:
    shares = np.zeros((len(part.weights), 4), np.uint8)
    shares[:, 0] = np.rint(255 * part.weights[:, 0])
    shares[:, 1] = 255 - shares[:, 0]  # they add up to 1, as is asked
    bones = np.zeros_like(shares)
    bones[:, :2] = np.where(shares[:, :2] > 0, part.bones, 0)  # who has no share is named 0
    byte, short = UNSIGNED_BYTE, UNSIGNED_SHORT
    return {
        'attributes': {
            'POSITION': gltf.add(part.vertices, target=_VERTICES, bounds=True),
            'NORMAL': gltf.add(part.normals, target=_VERTICES),
            'JOINTS_0': gltf.add(bones, byte, _VERTICES),
            'WEIGHTS_0': gltf.add(shares, byte, _VERTICES, normalised=True),
        },
        'indices': gltf.add(part.faces.reshape(-1), short, _FACES),
        'material': material,
    }


def _stretched(joints: np.ndarray, posed: TPoseMotion) -> dict[int, np.ndarray]:
    """Places (T, 3) [m] in their parents of all joints, if a bone's length changes; else none."""
    away = np.linalg.norm(posed.joints() - joints, axis=-1).max()
    if away < _EXACT_M:
        return {}
    places = {}
    for joint, parent in enumerate(PARENTS[1:], start=1):
        apart = joints[:, joint] - joints[:, parent]
        places[joint] = np.einsum('tji,tj->ti', posed.world[:, parent], apart)
    return places


def _add_animation(
    gltf: Gltf,
    local: np.ndarray,
    root_pos: np.ndarray,
    motion: Motion,
    places: dict[int, np.ndarray] | None = None,
) -> None:
    """Add rotations (T, 22, 3, 3) of all joints and the path (T, 3) of the first as animation.

    ``places``: (T, 3) of joints in their parents that move as well.
    """
    tracks = {joint: local[:, joint] for joint in range(len(JOINT_NAMES))}
    add_animation(gltf, tracks, {0: root_pos, **(places or {})}, motion)


def add_animation(
    gltf: Gltf, rotations: dict[int, np.ndarray], places: dict[int, np.ndarray], motion: Motion
) -> None:
    """Add an animation, in the place of those that there are.

    Args:
        gltf: the file.
        rotations: (T, 3, 3) of nodes in their parents.
        places: (T, 3) in their parents of nodes that also move.
        motion: tells frame rate and info.
    """
    times = (np.arange(motion.num_frames) / motion.fps).astype(np.float32)
    clock = gltf.add(times, bounds=True)
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []

    def track(node: int, path: str, values: np.ndarray) -> None:
        channels.append({'sampler': len(samplers), 'target': {'node': node, 'path': path}})
        samplers.append({'input': clock, 'output': gltf.add(values), 'interpolation': 'LINEAR'})

    for node, rotation in rotations.items():
        track(node, 'rotation', _quaternions(rotation))
    for node, place in places.items():
        track(node, 'translation', place)
    animation: dict[str, Any] = {'name': 'motion', 'samplers': samplers, 'channels': channels}
    if motion.info:
        animation['extras'] = {INFO: json.loads(plain_json(motion.info))}
    gltf.json['animations'] = [animation]


def _quaternions(rotation: np.ndarray) -> np.ndarray:
    """Quaternions x, y, z, w (T, 4), each on the side of the one before, as players blend them."""
    values = Rotation.from_matrix(rotation).as_quat()
    turned = np.sum(values[1:] * values[:-1], axis=1) < 0
    values[1:] *= np.cumprod(np.where(turned, -1.0, 1.0))[:, None]
    return values
