# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 ask``: an instruction in free words, answered by words or by a motion."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mgpt3_ros.cli import options
from mgpt3_ros.cli.outputs import add_output_option, avatar_of, names, write_motion
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.language.instructions import PLACE

if TYPE_CHECKING:
    from mgpt3_ros.model.responding import Answer

SUMMARY = 'an instruction in free words, answered by words or a motion'
DESCRIPTION = """\
Ask anything that the model can do: to show an action, to say what a motion shows, which of two
actions it is, how long something takes, what comes next, what lies between. The answer is a line
of words, or a motion, which -o writes. Files stand in the prompt where FILE, FILE1, FILE2 or their
own names do, else behind it. What is asked is read by rules (docs/ask.md), or by the model itself,
which with --model language also talks (docs/language.md).
"""
EXAMPLES = """\
  mgpt3 ask "Show me how someone bows" -o bow.mp4
  mgpt3 ask "What is this person doing?" walk.npz
  mgpt3 ask "What comes next after FILE, for two seconds?" walk.npz -o next.npz
  mgpt3 ask "FILE1 ... FILE2: fill the two seconds between" walk.npz wave.npz -o gap.npz
  mgpt3 ask "Is this walking or running?" walk.npz
  mgpt3 ask "How long would a deep bow take?"
  mgpt3 ask "Show me a bow, then tell me where it is usual" --model language -o bow.npz
"""
_FILE = re.compile(r'\bFILE\d*\b')


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('prompt', metavar='PROMPT', help='what is asked, in English')
    parser.add_argument(
        'file', nargs='*', type=Path, metavar='FILE', help='the motions that it is about'
    )
    add_output_option(parser, required=False)
    options.add_reading_options(parser)
    options.add_model_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the answer: a line of words, or a motion and a line about it."""
    prompt, files = placed(arguments.prompt, arguments.file)
    motions = [options.load_motion(path, arguments) for path in files]
    avatar = avatar_of(arguments)
    model = options.load_model(arguments)
    given = model.respond(prompt, motions, sampling=options.drawing_options(arguments))
    if given.motion is not None and arguments.output:
        write_motion(given.motion, arguments.output, avatar=avatar)
    where = names(arguments.output) if arguments.output else 'give -o FILE to keep it'
    for line in said_of(given, where, arguments.seed):
        sys.stdout.write(f'{line}\n')
    return 0


def said_of(given: Answer, where: str, seed: int) -> list[str]:
    """Lines about an answer: its motion, which was written ``where``, and its words."""
    lines = []
    if given.motion is not None:
        drawn = given.text if given.kind == 'motion' else given.motion.info.get('text', '')
        told = f' ({drawn})' if drawn else ''
        lines.append(f'a motion of {given.motion.duration_s:.2f} s{told}, seed {seed}: {where}')
    if given.kind != 'motion':
        lines.append(given.text)
    return lines


def placed(prompt: str, files: list[Path]) -> tuple[str, list[Path]]:
    """A prompt with a place for each file, and the files in the order of their places.

    Raises:
        MotionError: it has other places than there are files.
    """
    named = [word for word in prompt.split() if _is_file(word)]
    for word in named:
        prompt = prompt.replace(word, PLACE)
    files = [*files, *(Path(word.strip('.,;:!?"\'')) for word in named)]
    prompt = _FILE.sub(PLACE, prompt)
    places = prompt.count(PLACE)
    if places == 0:
        prompt = ' '.join([prompt, *[PLACE] * len(files)])
    elif places != len(files):
        raise MotionError(f'the prompt speaks of {places} files, and {len(files)} are given')
    return prompt, files


def _is_file(word: str) -> bool:
    path = Path(word.strip('.,;:!?"\''))
    return path.suffix in ('.npz', '.npy', '.bvh', '.glb', '.vrma') and path.is_file()
