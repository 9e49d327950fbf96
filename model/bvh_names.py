# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the 22 joints are called in the skeletons that motion capture is shared in.

The same word names different joints in different skeletons: Mixamo's LeftShoulder is the collar
bone's joint, LeftFoot the ankle. So a file is read by one column of names, the one that fits best.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mgpt3_ros.model.skeleton import JOINT_NAMES

# Joints that are put in from their neighbours where a skeleton has none; see ``bvh.py``.
OPTIONAL = ('spine1', 'spine2', 'spine3', 'neck', 'left_collar', 'right_collar')

# Names as ``plain_name`` gives them, S for the side; alternatives after a bar. A joint that is
# not listed is one that the skeleton lacks.
_SKELETONS: dict[str, dict[str, str]] = {
    # SMPL, HumanML3D and own output.
    'SMPL': {
        'pelvis': 'pelvis', 'spine1': 'spine1', 'spine2': 'spine2', 'spine3': 'spine3',
        'neck': 'neck', 'head': 'head', 'hip': 'S hip', 'knee': 'S knee', 'ankle': 'S ankle',
        'foot': 'S foot', 'collar': 'S collar', 'shoulder': 'S shoulder', 'elbow': 'S elbow',
        'wrist': 'S wrist',
    },
    'CMU': {
        'pelvis': 'hips', 'spine1': 'lowerback', 'spine2': 'spine', 'spine3': 'spine1',
        'neck': 'neck1|neck', 'head': 'head', 'hip': 'S upleg', 'knee': 'S leg',
        'ankle': 'S foot', 'foot': 'S toebase', 'collar': 'S shoulder', 'shoulder': 'S arm',
        'elbow': 'S forearm', 'wrist': 'S hand',
    },
    # LAFAN1, Unreal-like Mixamo exports and Rokoko's default have the same names.
    'Mixamo': {
        'pelvis': 'hips', 'spine1': 'spine', 'spine2': 'spine1', 'spine3': 'spine2',
        'neck': 'neck', 'head': 'head', 'hip': 'S upleg', 'knee': 'S leg', 'ankle': 'S foot',
        'foot': 'S toebase|S toe', 'collar': 'S shoulder', 'shoulder': 'S arm',
        'elbow': 'S forearm', 'wrist': 'S hand',
    },
    'Bandai-Namco': {
        'pelvis': 'hips', 'spine1': 'spine', 'spine3': 'chest', 'neck': 'neck', 'head': 'head',
        'hip': 'S upperleg', 'knee': 'S lowerleg', 'ankle': 'S foot', 'foot': 'S toes|S toe',
        'collar': 'S shoulder', 'shoulder': 'S upperarm', 'elbow': 'S lowerarm',
        'wrist': 'S hand',
    },
    # Biovision's own and 100STYLE.
    'Biovision': {
        'pelvis': 'hips|hip', 'spine1': 'chest', 'spine2': 'chest2', 'spine3': 'chest4|chest3',
        'neck': 'neck', 'head': 'head', 'hip': 'S hip|S upleg', 'knee': 'S knee|S lowleg',
        'ankle': 'S ankle|S foot', 'foot': 'S toe', 'collar': 'S collar',
        'shoulder': 'S shoulder|S uparm', 'elbow': 'S elbow|S lowarm', 'wrist': 'S wrist|S hand',
    },
}  # fmt: skip
SKELETONS = tuple(_SKELETONS)


def plain_name(name: str) -> str:
    """Lower case, no namespace or separators, the side in front: L_Hip, hip.l -> left hip."""
    words = re.sub(r'([a-z0-9])([A-Z])', r'\1 \2', name.rsplit(':', 1)[-1])
    parts = [part for part in re.split(r'[\W_]+', words.lower()) if part]
    if parts and parts[0].startswith('mixamorig'):
        parts = parts[1:]
    sides = {'l': 'left', 'r': 'right', 'left': 'left', 'right': 'right'}
    side = next((sides[part] for part in parts if part in sides), None)
    rest = ''.join(part for part in parts if part not in sides)
    return rest if side is None else f'{side} {rest}'


def match_joints(names: Sequence[str]) -> tuple[str, dict[str, int]]:
    """Find the 22 joints among a file's.

    Args:
        names: of the joints in the file.

    Returns:
        The skeleton's name, and for each of the 22 joints that it has its place in ``names``.
        Of the skeletons the one with the most joints found.
    """
    found = {name: index for index, name in reversed(list(enumerate(map(plain_name, names))))}
    matches = {skeleton: _match(found, table) for skeleton, table in _SKELETONS.items()}
    best = max(matches, key=lambda skeleton: len(matches[skeleton]))
    return best, matches[best]


def _match(found: dict[str, int], table: dict[str, str]) -> dict[str, int]:
    matched = {}
    for joint in JOINT_NAMES:
        side, _, part = joint.rpartition('_')
        for alias in table.get(part, '').split('|'):
            name = alias.replace('S ', f'{side} ')
            if name in found:
                matched[joint] = found[name]
                break
    return matched
