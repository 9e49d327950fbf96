# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.impossible``: how often is a body drawn that cannot be, and what then?

Draws the prompts of ``benchmarks/blind_prompts.yaml``, which are of actions that the checkpoint
knows, and prompts of others; says how many are below the floor, in the air or on their head
(``model.finishing.plausible``) as they are first drawn, and how many are refused in the end. With
a pack, also how many of its real clips are held to be impossible.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import yaml
from tqdm import tqdm

from benchmarks.table import Row, circumstances, print_table
from mgpt3_ros.model.errors import GenerationError
from mgpt3_ros.model.finishing.plausible import implausible
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.packs import load_pack

DRAWS = 1000
OTHERS = (
    'sit down',
    'a person sits on a chair',
    'lie down on the floor',
    'jump',
    'jump up and down',
    'do a cartwheel',
    'kick with the right foot',
    'punch with the left hand',
    'a person is boxing',
    'dance',
    'squat',
    'crawl forward',
    'climb the stairs',
    'pick something up',
    'turn around',
    'do push-ups',
)


def main(argv: list[str] | None = None) -> int:
    """Return 0 unless a body that cannot be was returned."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.impossible', description=__doc__)
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    parser.add_argument('--draws', type=int, default=DRAWS, help='of either kind of prompts')
    parser.add_argument('--data', type=Path, help='folder of a pack')
    options = parser.parse_args(argv)
    print(circumstances())
    model = MotionGPT3.from_pretrained(options.checkpoint)
    listed = yaml.safe_load(Path(__file__).with_name('blind_prompts.yaml').read_text())
    known = [prompt for prompts in listed.values() for prompt in prompts]
    rows = [*judge(model, 'known', known, options.draws)]
    rows += judge(model, 'other', OTHERS, options.draws)
    if options.data is not None:
        pack = load_pack(options.data)
        clips = [*pack.train, *pack.val]
        wrong = sum(implausible(c.joints, ' '.join(c.captions)) is not None for c in clips)
        rows += [
            Row('real clips', len(clips), ''),
            Row('real clips: held to be impossible', wrong, ''),
        ]
    print_table(rows)
    return 1 if any(row.met == 'NO' for row in rows) else 0


def judge(model: MotionGPT3, kind: str, prompts: Sequence[str], draws: int) -> list[Row]:
    """Draw each prompt as often as it takes to make ``draws`` motions."""
    pipeline, asked = model.pipeline, model.pipeline.config
    found: Counter[str] = Counter()
    for number in tqdm(range(draws), desc=f'{kind} prompts', disable=None):
        prompt = prompts[number % len(prompts)]
        pipeline.config = replace(asked, redraws=None)
        first = model.generate(prompt, generator=noise_source(number))
        found['first'] += implausible(first.joints, prompt) is not None
        pipeline.config = asked
        try:
            motion = model.generate(prompt, generator=noise_source(number))
            found['returned'] += implausible(motion.joints, prompt) is not None
        except GenerationError:
            found['refused'] += 1
    return [
        Row(f'{kind} prompts, motions', draws, ''),
        Row(f'{kind} prompts: impossible as first drawn', found['first'], ''),
        Row(f'{kind} prompts: refused', found['refused'], ''),
        Row(f'{kind} prompts: impossible and returned', found['returned'], '', 0.0),
    ]


if __name__ == '__main__':
    raise SystemExit(main())
