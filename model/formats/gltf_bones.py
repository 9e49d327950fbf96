# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which node of a glTF file is which of the 22 joints.

VRM files say it themselves; others by the names of their nodes, as BVH files do
(``bvh_names.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.formats.bvh_names import Skeleton, match_joints, shipped_skeletons
from mgpt3_ros.model.formats.gltf_file import Gltf
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES


def find_bones(gltf: Gltf, skeletons: Sequence[Skeleton] = ()) -> tuple[Skeleton, dict[str, int]]:
    """Find the joints among the nodes of a file.

    Args:
        gltf: the file.
        skeletons: mappings of the user, tried before what a VRM file says.

    Returns:
        The mapping that found them, and the node of each joint that it found.

    Raises:
        MotionError: a VRM file names bones that are not there.
    """
    names = [gltf.node_name(number) for number in range(len(gltf.nodes))]
    skeleton, places = match_joints(names, skeletons)
    if skeleton in skeletons or set(places) == set(JOINT_NAMES):
        return skeleton, places
    human = human_bones(gltf)
    if human:
        vrm = next(each for each in shipped_skeletons() if each.name == 'VRM')
        return vrm, {joint: human[bone] for bone, joint in vrm.bones.items() if bone in human}
    return skeleton, places


def human_bones(gltf: Gltf) -> dict[str, int]:
    """The nodes of VRM's named bones; empty where the file is no VRM.

    Raises:
        MotionError: as :func:`find_bones`.
    """
    extensions = gltf.json.get('extensions', {})
    try:
        for name in ('VRMC_vrm', 'VRMC_vrm_animation'):
            if name in extensions:
                bones = extensions[name]['humanoid']['humanBones']
                return {bone: _node(gltf, entry) for bone, entry in bones.items()}
        if 'VRM' in extensions:  # VRM 0.x has a list
            bones = extensions['VRM']['humanoid']['humanBones']
            return {entry['bone']: _node(gltf, entry) for entry in bones}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MotionError(f'a broken VRM: its humanoid cannot be read ({error!r})') from error
    return {}


def _node(gltf: Gltf, entry: Any) -> int:
    node = int(entry['node'])
    if not 0 <= node < len(gltf.nodes):
        raise ValueError(f'there is no node {node}')
    return node
