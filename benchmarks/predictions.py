# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.predictions --data PACK``: seams and hypotheses of predictions.

Of each validation clip of mocap22 one second is seen and two are predicted, five times. Printed:

- the seam: how far the first predicted frame is from where the last two observed ones lead (mean
  over the joints; median over the clips);
- how much nearer the best of five is to what followed than one drawn at random, by ADE (the mean
  distance of all joints, taken as one vector) [m];
- the mean joint error [mm] at 0.5, 1 and 2 s, beside standing still and constant velocity.

``mgpt3 evaluate --protocol prediction`` gives more figures of single predictions.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks.table import circumstances
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation import baselines
from mgpt3_ros.training.evaluation.metrics.poses import pose_distance
from mgpt3_ros.training.evaluation.results import figure

SEEN_S, AHEAD_S = 1.0, 2.0
TIMES_S = (0.5, 1.0, 2.0)
HYPOTHESES = 5
SEAM_M, NEARER = 0.020, 0.15  # targets


def joint_errors(made: np.ndarray, real: np.ndarray) -> list[float]:
    """Mean joint error [mm] at each of ``TIMES_S``."""
    frames = [round(seconds * FPS) - 1 for seconds in TIMES_S]
    return [1000 * float(np.linalg.norm(made[i] - real[i], axis=-1).mean()) for i in frames]


def ade(made: np.ndarray, real: np.ndarray) -> float:
    """Average displacement error [m] of the pose as one vector."""
    return float(pose_distance(made, real).mean())


def main(argv: list[str] | None = None) -> int:
    """Print the seam, the gain of five hypotheses and the table."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.predictions', description=__doc__)
    parser.add_argument('--data', type=Path, required=True, help='folder of the mocap22 pack')
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    parser.add_argument('--split', choices=('train', 'val'), default='val')
    parser.add_argument('--clips', type=int, help='at most so many (all)')
    parser.add_argument('--seed', type=int, default=0)
    arguments = parser.parse_args(argv)
    seen, ahead = round(SEEN_S * FPS), round(AHEAD_S * FPS)
    clips = getattr(load_pack(arguments.data), arguments.split)
    clips = [clip for clip in clips if len(clip.joints) >= seen + ahead][: arguments.clips]
    model = MotionGPT3.from_pretrained(arguments.checkpoint)
    seams, best, any_one = [], [], []
    errors: dict[str, list[list[float]]] = defaultdict(list)
    for number, clip in enumerate(tqdm(clips, desc='predictions')):
        observed, real = clip.joints[:seen], clip.joints[seen : seen + ahead]
        drawn = model.predict_many(
            Motion(observed), AHEAD_S, HYPOTHESES, generator=noise_source(arguments.seed + number)
        )
        made = [motion.joints for motion in drawn]
        leads_to = 2 * observed[-1] - observed[-2]
        seams += [float(np.linalg.norm(one[0] - leads_to, axis=-1).mean()) for one in made]
        distances = [ade(one, real) for one in made]
        best.append(min(distances))
        any_one.append(float(np.mean(distances)))
        found = np.array([joint_errors(one, real) for one in made])
        errors['one prediction'].append(found.mean(axis=0).tolist())
        nearest = found[int(np.argmin(distances))]
        errors[f'the best of {HYPOTHESES}'].append(nearest.tolist())
        for name, make in (
            ('standing still', baselines.stand_still),
            ('constant velocity of each joint', baselines.extrapolate),
            ('constant velocity of the body', baselines.glide),
        ):
            errors[name].append(joint_errors(make(observed, ahead), real))
    print(circumstances())
    print(f'{len(clips)} clips, {SEEN_S:g} s seen, {AHEAD_S:g} s predicted')
    seam = float(np.median(seams))
    print(f'seam: median {seam * 1000:.1f} mm (at most {SEAM_M * 1000:g}: {_met(seam <= SEAM_M)})')
    nearer = 1 - np.mean(best) / np.mean(any_one)
    print(
        f'ADE: best of {HYPOTHESES} {figure(best)} m, one at random {figure(any_one)} m: '
        f'{100 * nearer:.1f} % nearer (at least {100 * NEARER:g}: {_met(nearer >= NEARER)})'
    )
    print('| joint error [mm] | 0.5 s | 1 s | 2 s |\n|---|---|---|---|')
    for name, rows in errors.items():
        cells = [str(figure([row[column] for row in rows])) for column in range(len(TIMES_S))]
        print(f'| {name} | {" | ".join(cells)} |')
    return 0


def _met(met: bool) -> str:
    return 'met' if met else 'MISSED'


if __name__ == '__main__':
    raise SystemExit(main())
