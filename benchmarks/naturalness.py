# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.naturalness --data PACK``: do drawn people move as real ones?

Draws the captions of real walks and runs, and standing; prints the medians of
what a person would see (``training.evaluation.naturalness``) and how far apart the distributions
are, over the distance between two halves of the real ones. At most 2 is wanted of each.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.table import circumstances
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation.naturalness import CLIPS, naturalness


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
