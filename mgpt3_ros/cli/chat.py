# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 chat``: a conversation, in words and motions, with a model that talks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from mgpt3_ros.cli import options
from mgpt3_ros.cli.ask import placed, said_of
from mgpt3_ros.cli.outputs import write_motion
from mgpt3_ros.model.errors import MotionGPT3Error

SUMMARY = 'a conversation in words and motions'
DESCRIPTION = """\
Talk with a model beside a language model, line by line: it answers in words, moves where it is
asked to, says what a motion file shows, and remembers what was said. Motions are written into the
folder that --folder names, as motion_1.npz and so on; a line that names such a file asks about it.
An empty line begins a new conversation, the end of the input ends it. See docs/language.md.
"""
EXAMPLES = """\
  mgpt3 chat
  printf 'Show me a bow.\\nWhere is that customary?\\n' | mgpt3 chat --folder out
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        '--folder',
        type=Path,
        metavar='FOLDER',
        help='where motions are written (default: nowhere)',
    )
    options.add_reading_options(parser)
    options.add_model_options(parser)
    parser.set_defaults(checkpoint='language')


def run(arguments: argparse.Namespace) -> int:
    """Answer line by line; a line that cannot be answered says why, and the next one is read."""
    model = options.load_model(arguments)
    talk, written = model.conversation(), 0
    sampling = options.drawing_options(arguments)
    for line in _lines(sys.stdin):
        if not line:
            talk = model.conversation()
            continue
        try:
            prompt, files = placed(line, [])
            motions = [options.load_motion(path, arguments) for path in files]
            given = talk.say(prompt, motions, sampling=sampling)
            where = ''
            if given.motion is not None and arguments.folder is not None:
                written += 1
                file = arguments.folder / f'motion_{written}.npz'
                arguments.folder.mkdir(parents=True, exist_ok=True)
                write_motion(given.motion, [file])
                where = str(file)
        except MotionGPT3Error as error:
            sys.stderr.write(f'mgpt3: {error}\n')
            continue
        for said in said_of(given, where or 'give --folder to keep it', arguments.seed):
            sys.stdout.write(f'{said}\n')
        sys.stdout.flush()
    return 0


def _lines(source: TextIO) -> Iterator[str]:
    """What is typed, with a mark that it may be, where somebody types."""
    while True:
        if source.isatty():
            sys.stderr.write('> ')
            sys.stderr.flush()
        line = source.readline()
        if not line:
            return
        yield line.strip()
