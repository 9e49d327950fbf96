# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.known_actions --data PACK``: what does a checkpoint know, and how well?

Each action that the checkpoint's recogniser can name is drawn from its sentence and from two of
the pack's most frequent captions; the forest of trees that the model card uses says what is seen.
``--write`` puts the list into the checkpoint's folder, for ``MotionGPT3.known_actions``,
``mgpt3 actions`` and the nodes.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from benchmarks.table import circumstances
from mgpt3_ros.model.checkpoint import find_checkpoint
from mgpt3_ros.model.known_actions import KnownAction, save_known_actions
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.recognition import STAND
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation.classifier import ActionClassifier

DRAWS, MORE_EXAMPLES = 30, 2


def main(argv: list[str] | None = None) -> int:
    """Print a line for each action."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.known_actions')
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    parser.add_argument('--data', type=Path, required=True, help='folder of the pack')
    parser.add_argument('--draws', type=int, default=DRAWS, help='of each action')
    parser.add_argument('--write', action='store_true', help='put the list into the checkpoint')
    options = parser.parse_args(argv)
    print(circumstances())
    folder = find_checkpoint(options.checkpoint)
    model = MotionGPT3.from_pretrained(folder)
    if model.recogniser is None:
        sys.stderr.write(f'{folder} has no recogniser: python -m training.recogniser makes one\n')
        return 2
    clips = load_pack(options.data).train
    judge, known = ActionClassifier(clips), list[KnownAction]()
    for label in tqdm(model.recogniser.labels, disable=None):
        if label == STAND:
            continue
        examples = (model.recogniser.sentence(label), *commonest(clips, label, MORE_EXAMPLES))
        asked = [examples[number % len(examples)] for number in range(options.draws)]
        motions = model.generate(asked, generator=noise_source(0))
        found = judge.predict([motion.joints for motion in motions])
        known.append(
            KnownAction(label, examples, round(found.count(label) / len(found), 3), len(found))
        )
    for action in known:
        print(f'{action.label:22} {action.shown:5.2f}  {"; ".join(action.examples)}')
    if options.write:
        save_known_actions(folder, known)
    return 0


def commonest(clips: Sequence[Clip], label: str, count: int) -> list[str]:
    """The captions that most clips of an action have."""
    captions = Counter(
        caption for clip in clips if clip.action == label for caption in clip.captions
    )
    ranked = sorted(captions, key=lambda caption: (-captions[caption], len(caption), caption))
    return ranked[:count]


if __name__ == '__main__':
    raise SystemExit(main())
