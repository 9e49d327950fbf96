# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.waves --data PACK``: how far a waving hand really swings.

Recognisers take a raised hand for a wave. This measures the swing itself: the mean distance [m] of
the wrist, seen from the elbow, from its own average over 9 frames, in the middle half of the clip.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from mgpt3_ros.model.kinematics.features import features_to_joints
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation.measures import generate_all, reconstruct_all

WINDOW = 9  # frames, about one swing


def swing(joints: np.ndarray, side: str) -> float:
    """Swing [m] of one hand in a motion (T, 22, 3); NaN where it is too short to tell."""
    wrist, elbow = (JOINT_NAMES.index(f'{side}_{part}') for part in ('wrist', 'elbow'))
    local = features_to_joints(Motion(joints).features())
    hand = local[:, wrist] - local[:, elbow]
    hand = hand[len(hand) // 4 : 3 * len(hand) // 4]
    if len(hand) < 2 * WINDOW:
        return float('nan')
    kernel = np.ones(WINDOW) / WINDOW
    mean = np.stack([np.convolve(column, kernel, 'valid') for column in hand.T], axis=1)
    edge = WINDOW // 2
    return float(np.linalg.norm(hand[edge:-edge] - mean, axis=1).mean())


def main(argv: list[str] | None = None) -> int:
    """Print the mean swing of real waves, of their reconstruction, and of generated ones."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.waves', description=__doc__)
    parser.add_argument('--data', type=Path, required=True, help='folder of the mocap22 pack')
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    arguments = parser.parse_args(argv)
    model = MotionGPT3.from_pretrained(arguments.checkpoint)
    clips = [c for c in load_pack(arguments.data).val if c.side and 'wave' in str(c.action)]
    sides = [str(clip.side) for clip in clips]
    rebuilt = [decoded for _, decoded in reconstruct_all(model, clips)]
    made = generate_all(model, [clip.captions[0] for clip in clips], seed=1)
    real = [clip.joints for clip in clips]
    for name, motions in (('real', real), ('reconstructed', rebuilt), ('generated', made)):
        found = [swing(joints, side) for joints, side in zip(motions, sides, strict=True)]
        print(f'{name}: {100 * np.nanmean(found):.1f} cm over {len(clips)} clips')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
