# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.naturalness --data PACK``: do drawn people move as real ones?

Draws the captions of real walks and runs at their lengths, and standing; prints the medians of
what a person would see (``training.evaluation.naturalness``) and how far apart the distributions
are, over the distance between two halves of the real ones. At most 2 is wanted of each.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.table import circumstances
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.data.resting import STAND, rest_clips
from mgpt3_ros.training.evaluation.measures import drawn_or_refused
from mgpt3_ros.training.evaluation.naturalness import Distance, distances

GROUPS = ('walk', 'run', STAND)
CLIPS = 60  # of each group
LONGEST_S = 4.0  # of standing


def chosen(clips: Sequence[Clip], action: str, count: int) -> list[Clip]:
    """So many clips of an action, by chance; of standing those cut from clips that begin so."""
    own = [clip for clip in clips if clip.action == action]
    if action == STAND:
        own = rest_clips(clips)
    rng = np.random.default_rng(0)
    picked = rng.choice(len(own), min(count, len(own)), replace=False)
    return [own[number] for number in sorted(picked)]


def naturalness(
    model: MotionGPT3, clips: Sequence[Clip], count: int = CLIPS
) -> dict[str, dict[str, Distance]]:
    """The distances of each group."""
    found = {}
    for action in GROUPS:
        real = chosen(clips, action, count)
        texts = [clip.captions[0] for clip in real]
        lengths = [min(len(clip.joints) / FPS, LONGEST_S) for clip in real]
        made = drawn_or_refused(model, texts, 0, lengths)
        # A body that cannot be is refused: it has no measures, and its clip stays.
        whole = [clip.joints[: round(s * FPS)] for clip, s in zip(real, lengths, strict=True)]
        drawn = [joints for joints in made if joints is not None]
        found[action] = distances(whole, drawn, steps=action != STAND)
    return found


def main(argv: list[str] | None = None) -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.naturalness', description=__doc__)
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    parser.add_argument('--data', type=Path, required=True, help='folder of a pack')
    parser.add_argument('--clips', type=int, default=CLIPS, help='of each group')
    options = parser.parse_args(argv)
    print(circumstances())
    model, pack = MotionGPT3.from_pretrained(options.checkpoint), load_pack(options.data)
    found = naturalness(model, [*pack.train, *pack.val], options.clips)
    print(f'{model.name}: {"":22} real     drawn    distance over that of halves')
    for action, measures in found.items():
        for name, one in measures.items():
            print(f'{action:6} {name:22} {one.real:8.2f} {one.made:8.2f} {one.over_halves:6.1f}')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
