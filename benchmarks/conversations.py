# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.conversations``: ten conversations, printed as they were.

What the user says stands in ``benchmarks/conversations.yaml``; nothing is chosen from the answers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from benchmarks.table import circumstances
from mgpt3_ros.cli.ask import said_of
from mgpt3_ros.model.errors import MotionGPT3Error
from mgpt3_ros.model.language.instructions import PLACE
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import noise_source


def conversations() -> list[list[str]]:
    """What the user says in each."""
    text = Path(__file__).with_suffix('.yaml').read_text(encoding='utf-8')
    found: list[list[str]] = yaml.safe_load(text)
    return found


def held(model: MotionGPT3, said: Sequence[str], seed: int) -> list[str]:
    """The lines of a conversation, both sides in turn."""
    talk, last, lines = model.conversation(), list[Motion](), list[str]()
    for prompt in said:
        lines.append(f'> {prompt}')
        shown = last[-1:] * prompt.count(PLACE)
        try:
            given = talk.say(prompt, shown, generator=noise_source(seed))
        except MotionGPT3Error as error:
            lines.append(f'  ({error})')
            continue
        if given.motion is not None:
            last.append(given.motion)
        told = said_of(given, f'decided by {given.decided_by}', seed)
        lines += [f'  {line}' for text in told for line in text.splitlines()]
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """Hold and print them."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.conversations')
    parser.add_argument('--checkpoint', default='language', help='that talks (%(default)s)')
    parser.add_argument('--seed', type=int, default=0)
    options = parser.parse_args(argv)
    try:
        model = MotionGPT3.from_pretrained(options.checkpoint, 'cpu')
        model.conversation()
    except MotionGPT3Error as error:
        sys.stderr.write(f'{error}\n')
        return 2
    print(circumstances())
    for number, said in enumerate(conversations(), 1):
        print(f'\n{number}.', *held(model, said, options.seed), sep='\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
