# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.prompts --data PACK``: how often README's prompts give what they ask for.

Twenty motions of each prompt, their actions named by the recogniser that the model card uses.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation.classifier import ActionClassifier

MOTIONS = 20
PROMPTS = {
    'raise your left arm': 'raise-up-left-hand',
    'raise your right arm': 'raise-up-right-hand',
    'lift both arms above your head': 'raise-up-both-hands',
    'run fast': 'run',
    'a person jogs forward': 'run',
    'walk backward': 'walk-back',
    'walk forward and turn left': 'walk-turn-left',
    'walk, then turn right': 'walk-turn-right',
    'sidestep to the left': 'walk-left',
    'take a deep bow': 'bow',
    'say goodbye': 'bye',
}


def main(argv: list[str] | None = None) -> int:
    """Print a line for each prompt: how many are right, and what the others are."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.prompts', description=__doc__)
    parser.add_argument('--data', type=Path, required=True, help='folder of the mocap22 pack')
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    arguments = parser.parse_args(argv)
    recogniser = ActionClassifier(load_pack(arguments.data).train)
    model = MotionGPT3.from_pretrained(arguments.checkpoint)
    for prompt, wanted in PROMPTS.items():
        motions = model.generate([prompt] * MOTIONS, generator=noise_source(3))
        found = Counter(recogniser.predict([motion.joints for motion in motions]))
        right = found.pop(wanted, 0)
        others = ', '.join(f'{count} {action}' for action, count in found.items())
        print(f'{right:2d} of {MOTIONS}  {prompt}' + (f'  (others: {others})' if others else ''))
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
