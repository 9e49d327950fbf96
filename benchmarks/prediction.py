# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.prediction --data PACK``: predicted motion beside what followed.

Of every validation clip that is long enough, up to 3 s are observed and the next 2 s predicted.
ADE is the mean distance of the joints to where they went [m], over the first 0.5, 1 and 2 s.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data.mocap22 import Clip, load_mocap22
from mgpt3_ros.training.evaluation.measures import seeded

OBSERVED, AHEAD, LEAST = 60, 40, 22  # frames at 20 fps
HYPOTHESES = 5
METHODS = ('model, one draw', 'model, best of 5', 'standing still', 'constant velocity')


def errors(model: MotionGPT3, clips: list[Clip]) -> Iterator[tuple[np.ndarray, float]]:
    """Per clip: errors (method, frame) [m], and the jump of the first predicted frame [m]."""
    for index, clip in enumerate(clips):
        now = min(len(clip.joints) - AHEAD, OBSERVED)
        if now < LEAST:
            continue
        observed, truth = clip.joints[:now], clip.joints[now : now + AHEAD]
        step = observed[-1] - observed[-2]
        drawn = model.predict(Motion(observed), AHEAD / 20, HYPOTHESES, generator=seeded(index))
        ways = [motion.joints for motion in drawn]
        best = min(ways, key=lambda joints: float(_error(joints, truth).mean()))
        still = np.repeat(observed[-1:], AHEAD, axis=0)
        onward = observed[-1] + step * np.arange(1, AHEAD + 1)[:, None, None]
        jump = float(np.linalg.norm(ways[0][0] - (observed[-1] + step), axis=-1).mean())
        yield np.stack([_error(way, truth) for way in (ways[0], best, still, onward)]), jump


def _error(joints: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.linalg.norm(joints - truth, axis=-1).mean(axis=-1)


def main(argv: list[str] | None = None) -> int:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.prediction', description=__doc__)
    parser.add_argument('--data', type=Path, required=True, help='folder of the mocap22 pack')
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    arguments = parser.parse_args(argv)
    clips = load_mocap22(arguments.data).val
    found = list(errors(MotionGPT3.from_pretrained(arguments.checkpoint), clips))
    by_frame = np.mean([rows for rows, _ in found], axis=0)
    print(f'{len(found)} clips; ADE [m] over')
    print('| | 0.5 s | 1 s | 2 s |\n|---|---|---|---|')
    for name, row in zip(METHODS, by_frame, strict=True):
        print(f'| {name} | {row[:10].mean():.3f} | {row[:20].mean():.3f} | {row.mean():.3f} |')
    jumps = 1000 * np.median([jump for _, jump in found])
    print(f'first predicted frame off extrapolation, median: {jumps:.1f} mm')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
