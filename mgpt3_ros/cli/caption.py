# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 caption``: a motion becomes a sentence."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from mgpt3_ros.cli.options import add_model_options, load_model, load_motion, new_parser

SUMMARY = 'a motion becomes a sentence'
DESCRIPTION = 'Say in a sentence what a motion shows. The same motion gives the same sentence.'
EXAMPLES = """\
  mgpt3 caption wave.npz
  mgpt3 caption walk.bvh wave.npy      one line each
"""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    parser = new_parser(commands, 'caption', SUMMARY, DESCRIPTION, EXAMPLES)
    parser.add_argument(
        'file', nargs='+', type=Path, metavar='FILE', help='motion (.npz, .npy or .bvh)'
    )
    parser.add_argument(
        '--fps', type=float, help='frames per second of .npy files, which do not say (default: 20)'
    )
    add_model_options(parser, draws=False)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write one line per file to standard output."""
    motions = [load_motion(path, arguments.fps) for path in arguments.file]
    model = load_model(arguments)
    for motion in motions:
        sys.stdout.write(f'{model.caption(motion)}\n')
        sys.stdout.flush()
    return 0
