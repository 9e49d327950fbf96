# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 inbetween``: the gap between two motions."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from mgpt3_ros.cli.options import (
    add_model_options,
    add_motion_files,
    add_seconds_option,
    drawing_options,
    load_model,
    load_motion,
    new_parser,
)
from mgpt3_ros.cli.outputs import add_output_option, names, write_motion
from mgpt3_ros.cli.predict import joined, seam_text

SUMMARY = 'the gap between two motions'
DESCRIPTION = """\
Fill the gap between two motions that stand in the same world frame: the result leaves the end of
START and arrives at the beginning of END. Only the gap is written, unless --whole asks for all.
"""
EXAMPLES = """\
  mgpt3 inbetween start.npz end.npz --duration 2 -o gap.npz
  mgpt3 inbetween sit.bvh stand.bvh --duration 1 --whole -o all.mp4
"""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    parser = new_parser(commands, 'inbetween', SUMMARY, DESCRIPTION, EXAMPLES)
    add_motion_files(parser, ('start', 'motion before the gap'), ('end', 'motion after it'))
    add_output_option(parser)
    add_seconds_option(parser, '--duration', 2.0, 'length of the gap')
    parser.add_argument('--whole', action='store_true', help='write the given motions around it')
    add_model_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Fill the gap, write it, and say in one line what was done."""
    start, end = (load_motion(f, arguments.fps) for f in (arguments.start, arguments.end))
    model = load_model(arguments)
    options = drawing_options(arguments)
    began = time.perf_counter()
    gap = model.inbetween(start, end, arguments.duration, sampling=options)
    drawn = time.perf_counter() - began
    write_motion(joined([start, gap, end] if arguments.whole else [gap]), arguments.output)
    sys.stdout.write(
        f'{gap.duration_s:.2f} s between {arguments.start} and {arguments.end}, '
        f'{seam_text(gap)}, seed {arguments.seed}, drawn in {drawn:.2f} s: '
        f'{names(arguments.output)}\n'
    )
    return 0
