# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 inbetween``: the gap between two motions."""

from __future__ import annotations

import argparse
import time

from mgpt3_ros.cli import options
from mgpt3_ros.cli.outputs import add_output_option, avatar_of, write_motion
from mgpt3_ros.cli.predict import joined, say_what_was_drawn

SUMMARY = 'the gap between two motions'
DESCRIPTION = """\
Fill the gap between two motions that stand in the same world frame: the result leaves the end of
START and arrives at the beginning of END. Only the gap is written, unless --whole asks for all.
"""
EXAMPLES = """\
  mgpt3 inbetween start.npz end.npz --duration 2 -o gap.npz
  mgpt3 inbetween sit.bvh stand.bvh --duration 1 --whole -o all.mp4
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    options.add_motion_files(parser, start='motion before the gap', end='motion after it')
    add_output_option(parser)
    options.add_seconds_option(parser, '--duration', 2.0, 'length of the gap')
    parser.add_argument('--whole', action='store_true', help='write the given motions around it')
    options.add_model_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Fill the gap, write it, and say in one line what was done."""
    avatar = avatar_of(arguments)
    start, end = (options.load_motion(f, arguments) for f in (arguments.start, arguments.end))
    model = options.load_model(arguments)
    sampling = options.drawing_options(arguments)
    began = time.perf_counter()
    gap = model.inbetween(start, end, arguments.duration, sampling=sampling)
    drawn = time.perf_counter() - began
    parts = [start, gap, end] if arguments.whole else [gap]
    write_motion(joined(parts, ['', '(in between)', '']), arguments.output, avatar=avatar)
    say_what_was_drawn(gap, f'between {arguments.start} and {arguments.end}', drawn, arguments)
    return 0
