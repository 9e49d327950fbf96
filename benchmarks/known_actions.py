# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.known_actions --data PACK``: what does a checkpoint know, and how well?

Each action of which the pack has some clips is drawn from its most frequent captions; the forest
of trees that the model card uses says what is seen. ``--write`` puts those that half of the draws
show into the checkpoint's folder, for ``MotionGPT3.known_actions``, ``mgpt3 actions`` and the
nodes.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from benchmarks.table import circumstances
from mgpt3_ros.model.checkpoints.checkpoint import find_checkpoint
from mgpt3_ros.model.kinematics.recognition import ActionRecogniser
from mgpt3_ros.model.language.known_actions import KnownAction, save_known_actions
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation.classifier import ActionClassifier

DRAWS, EXAMPLES = 30, 3
LEAST_CLIPS = 8  # of which an action can be learned
LEAST_SHOWN = 0.5  # of the draws of an action that is known


def main(argv: list[str] | None = None) -> int:
    """Print a line for each action."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.known_actions')
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    parser.add_argument('--data', type=Path, required=True, help='folder of the pack')
    parser.add_argument('--draws', type=int, default=DRAWS, help='of each action')
    parser.add_argument('--least-clips', type=int, default=LEAST_CLIPS, help='of an action')
    parser.add_argument('--write', action='store_true', help='put the list into the checkpoint')
    options = parser.parse_args(argv)
    print(circumstances())
    folder = find_checkpoint(options.checkpoint)
    model = MotionGPT3.from_pretrained(folder)
    clips = load_pack(options.data).train
    judge, known = ActionClassifier(clips), list[KnownAction]()
    counts = Counter(clip.action for clip in clips if clip.action in judge.actions)
    for label in tqdm(sorted(a for a, n in counts.items() if a and n >= options.least_clips)):
        examples = commonest(clips, label, model.recogniser)
        asked = [examples[number % len(examples)] for number in range(options.draws)]
        motions = model.generate(asked, judge=False, generator=noise_source(0))
        found = judge.predict([motion.joints for motion in motions])
        shown = round(found.count(label) / len(found), 3)
        known.append(KnownAction(label, examples, shown, len(found)))
    for action in known:
        print(f'{action.label:22} {action.shown:5.2f}  {"; ".join(action.examples)}')
    if options.write:
        save_known_actions(folder, [a for a in known if a.shown >= LEAST_SHOWN])
    return 0


def commonest(
    clips: Sequence[Clip], label: str, recogniser: ActionRecogniser | None
) -> tuple[str, ...]:
    """The captions that most clips of an action have, behind the recogniser's sentence for it."""
    own = [clip.captions for clip in clips if clip.action == label]
    counts = Counter(caption for captions in own for caption in captions)
    named = recogniser is not None and label in recogniser.labels
    said = [recogniser.sentence(label)] if recogniser is not None and named else []
    ranked = sorted(counts, key=lambda caption: (-counts[caption], len(caption), caption))
    return tuple(dict.fromkeys([*said, *ranked]))[:EXAMPLES]


if __name__ == '__main__':
    raise SystemExit(main())
