# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.posture``: how people stand, over the pose in which all angles are zero.

Prints what ``mgpt3_ros.robots.human`` takes for granted: the pitch of a foot that stands flat and
of the neck over the chest, and where the collar's bone points, in the mean of drawn motions.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from benchmarks.robots import draw
from benchmarks.table import circumstances
from mgpt3_ros.model.finishing.foot_lock import ANKLE_HEIGHT, contacts
from mgpt3_ros.model.kinematics.human import BODY_TO_MODEL, ZERO_OFFSETS
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.robots.config import SIDES
from mgpt3_ros.robots.feet import floor_of
from mgpt3_ros.robots.human import COLLAR, FLAT_FOOT, UPRIGHT_NECK, Human


def posture(motions: Sequence[Motion]) -> tuple[float, float, np.ndarray]:
    """Return pitch of flat feet and of necks [deg], and the left collar's direction (3,)."""
    feet, necks, collars = [], [], []
    for motion in motions:
        human = Human.of(motion.joints, motion.fps)
        chest = np.swapaxes(human.rotation('spine3'), 1, 2)
        neck = Rotation.from_matrix(chest @ human.rotation('neck'))
        necks.append(neck.as_rotvec(degrees=True)[:, 1])
        for side in SIDES:
            ankle = human.joint(f'{side}_ankle')
            foot = human.joint(f'{side}_foot') - ankle
            zero = ZERO_OFFSETS[JOINT_NAMES.index(f'{side}_foot')]
            down = np.arctan2(-foot[:, 2], np.hypot(foot[:, 0], foot[:, 1]))
            level = (ankle - [0.0, 0.0, floor_of(human)])[:, BODY_TO_MODEL]
            for run in contacts(level, ANKLE_HEIGHT, human.fps):
                feet.append(np.degrees(down[run] - np.arctan2(-zero[2], zero[0])))
            bone = human.joint(f'{side}_shoulder') - human.joint(f'{side}_collar')
            bone = (chest @ bone[..., None])[..., 0] * [1, 1 if side == 'left' else -1, 1]
            collars.append(bone / np.linalg.norm(bone, axis=1, keepdims=True))
    collar = np.concatenate(collars).mean(axis=0)
    return (
        float(np.concatenate(feet).mean()),
        float(np.concatenate(necks).mean()),
        collar / np.linalg.norm(collar),
    )


def main(argv: list[str] | None = None) -> int:
    """Print what is measured beside what is taken for granted."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.posture', description=__doc__)
    parser.add_argument('--motions', type=int, default=100, help='to draw (default: 100)')
    parser.add_argument('--seed', type=int, default=3, help='of the motions (default: 3)')
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    arguments = parser.parse_args(argv)
    model = MotionGPT3.from_pretrained(arguments.checkpoint)
    foot, neck, collar = posture(draw(model, arguments.motions, arguments.seed))
    print(f'{arguments.motions} motions; {circumstances()}')
    print(f'flat foot, pitched down [deg]: {foot:.1f}, taken: {np.degrees(FLAT_FOOT):.1f}')
    print(f'neck over the chest, pitch [deg]: {neck:.1f}, taken: {np.degrees(UPRIGHT_NECK):.1f}')
    print(f'left collar in the chest: {np.round(collar, 3).tolist()}, taken: {list(COLLAR)}')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
