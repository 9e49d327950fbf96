# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plays a motion on a humanoid of the user's: a VRM avatar, or a glTF body with a skeleton.

The avatar's rest pose is brought to the T pose that motions count from: a world rotation R of a
joint from T pose becomes R A Q, with Q its rest rotation and A the turn that brings its resting
limb into T pose. Trunk and feet rest as they stand (A turns them only to face +Z), for their bones
point differently in every skeleton. The path is scaled by the length of the legs, and each frame
is raised or lowered so that the lowest sole is as high over the floor as in the motion, whose
floor is where its soles mostly stand.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.figure.cones import SOLE, unit
from mgpt3_ros.model.formats.bvh_names import Skeleton
from mgpt3_ros.model.formats.foreign_bodies import chain_length
from mgpt3_ros.model.formats.glb import add_animation
from mgpt3_ros.model.formats.gltf_bones import find_bones
from mgpt3_ros.model.formats.gltf_file import Gltf
from mgpt3_ros.model.formats.gltf_motion import PosedNodes, pose_nodes
from mgpt3_ros.model.kinematics.human import ARM_NAMES, JOINT_INDEX, LEG_NAMES
from mgpt3_ros.model.kinematics.joint_angles import shortest_rotation
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS, JOINT_NAMES
from mgpt3_ros.model.kinematics.t_pose import REST_JOINTS, t_pose_joints, to_t_pose_motion
from mgpt3_ros.model.motion import Motion

Array = NDArray[np.float64]

SUFFIXES = ('.vrm', '.glb')
# Joints that VRM asks for; of the others an avatar may lack any.
# Share of the frames [%] in which a body that walks presses the soles deepest: the floor is there.
# HumanML3D's y = 0 is the lowest joint of a whole clip, two centimetres below a standing foot.
_STANCE = 20
_FEET = tuple(JOINT_NAMES[joint] for joint in FOOT_JOINTS)
_NEEDED = ('pelvis', 'head', *(name for limb in LEG_NAMES + ARM_NAMES for name in limb))


@dataclass(frozen=True)
class Avatar:
    """A humanoid at rest.

    Attributes:
        gltf: its file.
        nodes: the node of each joint that it has.
        rest: where its nodes are at rest; metres, or units of its file.
        turn: (3, 3), rotation about Y that lets it face +Z.
        to_t_pose: for each joint that it has, the rotation A (3, 3) of its resting limb.
    """

    gltf: Gltf
    nodes: dict[str, int]
    rest: PosedNodes
    turn: Array
    to_t_pose: dict[str, Array]

    def joint(self, name: str) -> Array:
        """Place (3,) of a joint at rest, facing +Z."""
        return self.turn @ self.rest.positions[0, self.nodes[name]]


def load_avatar(path: str | Path, skeletons: Sequence[Skeleton] = ()) -> Avatar:
    """Read a humanoid.

    Args:
        path: a ``.vrm`` of version 1.0 or 0.x, or a ``.glb`` whose bones are known by name.
        skeletons: mappings of bones to joints, tried before the known ones.

    Raises:
        MotionError: the file is missing, huge or damaged, or bones are not found.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise MotionError(f'{path}: an avatar is a {" or ".join(SUFFIXES)} file')
    if not path.is_file():
        raise MotionError(f'no avatar at {path}')
    try:
        gltf = Gltf.load(path)
        _, nodes = find_bones(gltf, skeletons)
        missing = [name for name in _NEEDED if name not in nodes]
        if missing:
            has = ', '.join(gltf.node_name(number) for number in range(len(gltf.nodes)))
            raise MotionError(
                f'bones not found: {", ".join(missing)}; the file has {has or "no node"}. Give '
                'a mapping of its bones with --avatar-bones'
            )
        rest = pose_nodes(gltf, {})
    except MotionError as error:
        raise MotionError(f'{path}: {error}') from error
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise MotionError(f'{path}: the avatar is damaged: {error!r}') from error
    turn = _facing(rest, nodes)
    avatar = Avatar(gltf, nodes, rest, turn, {})
    avatar.to_t_pose.update({name: _to_t_pose(avatar, name) for name in nodes})
    return avatar


def write_avatar(path: str | Path, avatar: Avatar, motion: Motion) -> None:
    """Write an avatar as ``.glb`` with a motion as its animation, in place of those it has.

    Raises:
        MotionError: ``info`` holds what JSON cannot say.
    """
    gltf = copy.deepcopy(avatar.gltf)
    rotations, root_pos = play(avatar, motion)
    add_animation(gltf, rotations, {avatar.nodes['pelvis']: root_pos}, motion)
    Path(path).write_bytes(gltf.to_bytes())


def play(avatar: Avatar, motion: Motion) -> tuple[dict[int, Array], Array]:
    """Rotations (T, 3, 3) of the avatar's nodes in their parents, and the hips' path there (T, 3).

    The path is in units of the avatar's file.
    """
    posed = to_t_pose_motion(motion.joints)
    joints = posed.joints()
    resting = np.zeros((1, len(JOINT_NAMES), 3))
    for name in avatar.nodes:
        resting[0, JOINT_INDEX[name]] = avatar.joint(name)
    leg = chain_length(resting, LEG_NAMES)
    scale = leg / chain_length(joints, LEG_NAMES)
    turns = {
        node: posed.world[:, JOINT_INDEX[name]]
        @ avatar.to_t_pose[name]
        @ avatar.turn
        @ avatar.rest.rotations[0, node]
        for name, node in avatar.nodes.items()
    }
    path = scale * joints[:, 0]
    rotations, places = _forward(avatar, turns, path)
    feet = [name for name in _FEET if name in avatar.nodes]
    at = [JOINT_INDEX[name] for name in feet]
    resting_heights = t_pose_joints(posed.offsets)[:, 1]
    heights = resting_heights[at] - resting_heights[list(FOOT_JOINTS)].min()
    wanted = (joints[:, at, 1] - heights).min(axis=1)
    wanted = scale * (wanted - np.percentile(wanted, _STANCE))
    floor = _floor(avatar, feet, leg)
    soles = [places[avatar.nodes[n]][:, 1] - (avatar.joint(n)[1] - floor) for n in feet]
    path[:, 1] += wanted - np.min(soles, axis=0)
    return _in_parents(avatar, rotations, path)


def _facing(rest: PosedNodes, nodes: dict[str, int]) -> Array:
    """The quarter turns about Y that let a body face +Z: its left is then at +X."""
    across = rest.positions[0, nodes['left_hip']] - rest.positions[0, nodes['right_hip']]
    quarters = round(float(np.arctan2(across[2], across[0])) / (np.pi / 2))
    return Rotation.from_euler('y', quarters * 90, degrees=True).as_matrix()


def _to_t_pose(avatar: Avatar, name: str) -> Array:
    """The rotation A of a joint; the identity for those of trunk and feet."""
    for limb in LEG_NAMES + ARM_NAMES:
        if name not in limb or name.endswith('ankle'):
            continue
        start = min(limb.index(name), 1)  # a hand goes on from the forearm
        ends = limb[start], limb[start + 1]
        bone = avatar.joint(ends[1]) - avatar.joint(ends[0])
        goal = REST_JOINTS[JOINT_INDEX[ends[1]]] - REST_JOINTS[JOINT_INDEX[ends[0]]]
        return shortest_rotation(unit(bone), unit(goal)[None])[0]
    return np.eye(3)


def _floor(avatar: Avatar, feet: list[str], leg: float) -> float:
    """Height of the floor that an avatar rests on, given the length of its legs.

    That is y = 0, where VRM has it; where the joints of the feet do not stand a little above it,
    a sole's height below them.
    """
    lowest = min(avatar.joint(name)[1] for name in feet)
    if 0.01 * leg < lowest < 0.25 * leg:
        return 0.0
    return lowest - SOLE / chain_length(REST_JOINTS[None], LEG_NAMES) * leg


def _forward(
    avatar: Avatar, turns: dict[int, Array], path: Array
) -> tuple[dict[int, Array], dict[int, Array]]:
    """Rotations (T, 3, 3) and places (T, 3) in the world of the hips and all below them.

    Nodes in ``turns`` have the rotation that it gives; others keep theirs in their parents.
    """
    hips, parents, gltf = avatar.nodes['pelvis'], avatar.gltf.parents(), avatar.gltf
    rotations, places = {hips: turns[hips]}, {hips: path}
    for node in gltf.order():
        above = parents[node]
        if node == hips or above not in rotations:
            continue
        offset, turn, _ = gltf.rest(node)
        reach = avatar.rest.scales[above] * offset
        places[node] = places[above] + rotations[above] @ reach
        rotations[node] = turns.get(node, rotations[above] @ turn.as_matrix())
    return rotations, places


def _in_parents(
    avatar: Avatar, rotations: dict[int, Array], path: Array
) -> tuple[dict[int, Array], Array]:
    """What an animation holds: rotations of the joints in their parents, the hips' place there."""
    hips, parents, rest = avatar.nodes['pelvis'], avatar.gltf.parents(), avatar.rest
    local = {}
    for node in avatar.nodes.values():
        above = parents[node]
        if above in rotations:
            local[node] = np.swapaxes(rotations[above], -1, -2) @ rotations[node]
        else:
            outside = rest.rotations[0, above] if above >= 0 else np.eye(3)
            local[node] = outside.T @ rotations[node]
    above = parents[hips]
    if above < 0:
        return local, path
    return local, (path - rest.positions[0, above]) @ rest.rotations[0, above] / rest.scales[above]
