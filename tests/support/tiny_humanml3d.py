# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A made-up data set of a few swinging figures in HumanML3D's folder layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mgpt3_ros.model.kinematics.features import features_to_joints, joints_to_features
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.motion import Motion
from tests.support.tiny import swinging_motion

# ID: frames, split and caption lines without tokens.
MOTIONS: dict[str, tuple[int, str, tuple[str, ...]]] = {
    '000000': (61, 'train', ('a person waves the left hand.##0.0#0.0', 'left arm up.##nan#nan')),
    'M000000': (61, 'train', ('a person waves the right hand.##0.0#0.0',)),
    '000001': (
        101,
        'train',
        ('a person turns clockwise.##0.0#0.0', 'walks to the left.##1.0#3.0', 'stops.##1.0#3.0'),
    ),
    '000002': (81, 'train', ('a person walks forward.##0.0#0.0',)),
    '000003': (52, 'val', ('someone walks ahead.##0.0#0.0',)),
    '000004': (58, 'test', ('someone runs.##0.0#0.0',)),
}


def write_tiny_humanml3d(
    folder: Path,
    with_stats: bool = True,
    motions: dict[str, tuple[int, str, tuple[str, ...]]] | None = None,
) -> Path:
    """Write the tree, of ``MOTIONS`` or others."""
    for name in ('new_joint_vecs', 'new_joints', 'texts'):
        (folder / name).mkdir(parents=True)
    lists: dict[str, list[str]] = {'train': [], 'val': [], 'test': []}
    rows = []
    for seed, (name, (frames, split, lines)) in enumerate((motions or MOTIONS).items()):
        motion = Motion(swinging_motion(seed, frames, 0.4 * seed))
        if name == 'M000000':
            motion = Motion(swinging_motion(0, frames, 0.0)).mirror()
        rows.append(joints_to_features(motion.joints.astype(np.float64)).astype(np.float32))
        np.save(folder / 'new_joint_vecs' / f'{name}.npy', rows[-1])
        np.save(folder / 'new_joints' / f'{name}.npy', features_to_joints(rows[-1]))
        text = '\n'.join(lines).replace('##', '#a/DET person/NOUN#') + '\n'
        (folder / 'texts' / f'{name}.txt').write_text(text, encoding='utf-8')
        lists[split].append(name)
    for split, names in lists.items():
        (folder / f'{split}.txt').write_text('\n'.join(names) + '\n', encoding='utf-8')
    if with_stats:
        stats = FeatureStats.of_clips(rows)
        np.save(folder / 'Mean.npy', stats.mean)
        np.save(folder / 'Std.npy', stats.std)
    return folder
