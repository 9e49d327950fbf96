# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.trunk --data PACK``: what the VAE's linear trunk keeps, by its size.

Fits the trunk to the train clips, without its residual, and measures the validation clips: the
mean joint error, and how far a waving hand still swings.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from benchmarks.waves import swing
from mgpt3_ros.model.kinematics.features import features_to_joints
from mgpt3_ros.model.kinematics.skeleton import MAX_FRAMES
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.network.vae.trunk import TrunkConfig, TrunkVae
from mgpt3_ros.training.data.dataset import MotionDataset, load_dataset
from mgpt3_ros.training.evaluation.measures import mpjpe_mm

SIZES = (128, 160, 192, 256)
HANDS = (1.0, 2.0)  # what an error of elbows and wrists weighs


def measure(dataset: MotionDataset, config: TrunkConfig) -> tuple[float, float, float]:
    """MPJPE [mm], swing of real waves and of these through the trunk [m]."""
    vae = TrunkVae(config)
    vae.fit(dataset.fit_clips(), dataset.stats)
    pairs, swings = [], []
    for clip in dataset.val:
        features = Motion(clip.joints).features()[:MAX_FRAMES]
        rows = torch.from_numpy(dataset.stats.normalise(features))[None].float()
        lengths = torch.tensor([len(features)])
        with torch.inference_mode():
            latent, _ = vae.encode(rows, lengths)
            decoded = vae.decode_trunk(latent, lengths)[0].numpy()
        pair = tuple(map(features_to_joints, (features, dataset.stats.denormalise(decoded))))
        pairs.append(pair)
        if clip.side and 'wave' in str(clip.action):
            swings.append([swing(joints, str(clip.side)) for joints in pair])
    real, kept = np.nanmean(swings, axis=0)
    return mpjpe_mm(pairs), float(real), float(kept)


def main(argv: list[str] | None = None) -> int:
    """Print a row for each size and weight of the hands."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.trunk', description=__doc__)
    parser.add_argument('--data', type=Path, required=True, help='folder of the mocap22 pack')
    dataset = load_dataset(parser.parse_args(argv).data)
    print('| components | hands count | MPJPE [mm] | waves swing [cm], real | through the trunk |')
    print('|---|---|---|---|---|')
    for size in SIZES:
        for hands in HANDS:
            config = TrunkConfig(latent_dim=size, feet_weight=2.0, hands_weight=hands)
            error, real, kept = measure(dataset, config)
            print(f'| {size} | {hands:g} | {error:.1f} | {100 * real:.1f} | {100 * kept:.1f} |')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
