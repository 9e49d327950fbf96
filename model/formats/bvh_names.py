# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which bone of a BVH file is which of the 22 joints: a mapping file for each kind of skeleton.

The same word names different joints in different skeletons: Mixamo's LeftShoulder is the collar
bone's joint, LeftFoot the ankle. So a file is read by one mapping, the one that fits best. Those
in ``skeletons/`` are tried; a user's own file of the same form goes before them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from mgpt3_ros.model.config import from_dict, load_yaml
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES

# Joints that are put in from their neighbours where a skeleton has none; see ``bvh.py``.
OPTIONAL = ('spine1', 'spine2', 'spine3', 'neck', 'left_collar', 'right_collar')
# In this order: of two that fit alike, the first is taken.
SHIPPED = (
    *('smpl', 'cmu', 'mixamo', 'bandai_namco', 'biovision', 'unreal', 'biped'),
    *('rokoko', 'soma', 'mocopi', 'rigify', 'daz', 'optitrack', 'vroid', 'vrm'),
)


@dataclass(frozen=True)
class Skeleton:
    """A mapping file.

    bones: bone of the BVH file -> one of ``JOINT_NAMES``. Case, separators, namespaces and what
        all bones begin with (``Bip001``, ``Character1_``) do not matter. Where several bones stand
        for a joint, the first that a file has counts. Bones that are no joint of the model are
        left out.
    keep_bones: the skeleton's joints are where the model's are, so that lengths of bones may
        stay; else a motion is put on the default body.
    """

    name: str
    bones: dict[str, str] = field(default_factory=dict)
    keep_bones: bool = False


def load_skeleton(path: str | Path) -> Skeleton:
    """Read a mapping file; see ``skeletons/mixamo.yaml``.

    Raises:
        ConfigError: it is missing or wrong, or leaves out a joint that cannot be put in.
    """
    skeleton = from_dict(Skeleton, {'name': Path(path).stem, **load_yaml(path)}, str(path))
    for bone, joint in skeleton.bones.items():
        if joint not in JOINT_NAMES:
            raise ConfigError(
                f'{path}: bone {bone!r} is mapped to {joint!r}; joints are: '
                f'{", ".join(JOINT_NAMES)}'
            )
    missing = _missing(set(skeleton.bones.values()))
    if missing:
        raise ConfigError(f'{path} maps no bone to {", ".join(missing)}')
    return skeleton


@cache
def shipped_skeletons() -> tuple[Skeleton, ...]:
    """The mappings that come with the package."""
    folder = Path(__file__).with_name('skeletons')
    return tuple(load_skeleton(folder / f'{name}.yaml') for name in SHIPPED)


def plain_name(name: str) -> str:
    """Lower case, no namespace or separators, the side in front: L_Hip, hip.l -> left hip."""
    return _joined(_parts(name))


def _parts(name: str) -> list[str]:
    words = re.sub(r'([a-z0-9])([A-Z])', r'\1 \2', name.rsplit(':', 1)[-1])
    parts = [part for part in re.split(r'[\W_]+', words.lower()) if part]
    return parts[1:] if parts and parts[0].startswith('mixamorig') else parts


def _joined(parts: Sequence[str]) -> str:
    sides = {'l': 'left', 'r': 'right', 'left': 'left', 'right': 'right'}
    side = next((sides[part] for part in parts if part in sides), None)
    rest = ''.join(part for part in parts if part not in sides)
    return rest if side is None else f'{side} {rest}'


def plain_names(names: Sequence[str]) -> list[str]:
    """Plain names without the words that all of them begin with.

    A bone that consists of those words alone, such as Biped's root, keeps them.
    """
    parts = [_parts(name) for name in names]
    several = [words for words in parts if len(words) > 1]
    common = 0
    if len(several) > 1:
        while len({words[common] if common < len(words) else '' for words in several}) == 1:
            common += 1
    prefix = several[0][:common] if several else []
    if any(words[:common] != prefix[: len(words)] for words in parts):
        common = 0
    return [_joined(words[common:] if len(words) > common else words) for words in parts]


def match_joints(
    names: Sequence[str], own: Sequence[Skeleton] = ()
) -> tuple[Skeleton, dict[str, int]]:
    """Find the 22 joints among a file's bones.

    Args:
        names: of the bones in the file.
        own: mappings of the user: the first of them that finds all that is needed is taken.

    Returns:
        A mapping, and for each of the 22 joints that it finds its place in ``names``. Of the
        shipped mappings the one that finds the most.
    """
    for skeleton in own:
        matched = _match(names, skeleton)
        if not _missing(set(matched)):
            return skeleton, matched
    matches = [(skeleton, _match(names, skeleton)) for skeleton in (*shipped_skeletons(), *own)]
    return max(matches, key=lambda match: len(match[1]))


def _missing(joints: set[str]) -> list[str]:
    return [name for name in JOINT_NAMES if name not in joints and name not in OPTIONAL]


def _match(names: Sequence[str], skeleton: Skeleton) -> dict[str, int]:
    joints_of_file = [name for name in names if not name.endswith(' (end)')]
    plain_of_file = dict(zip(joints_of_file, plain_names(joints_of_file), strict=True))
    plain = {
        key: index
        for index, name in reversed(list(enumerate(names)))
        for key in (plain_of_file.get(name, plain_name(name)), plain_name(name))
    }
    matched: dict[str, int] = {}
    bare_bones = plain_names(list(skeleton.bones))
    for (bone, joint), bare in zip(skeleton.bones.items(), bare_bones, strict=True):
        # Names that differ in what does not matter elsewhere are told apart by the exact one.
        index = (
            names.index(bone) if bone in names else plain.get(plain_name(bone), plain.get(bare))
        )
        if index is not None:
            matched.setdefault(joint, index)
    return {joint: matched[joint] for joint in JOINT_NAMES if joint in matched}
