# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 render``: a motion file becomes a video, a picture or another kind of motion file."""

from __future__ import annotations

import argparse
import sys
import time

from mgpt3_ros.cli.options import add_motion_files, load_motion
from mgpt3_ros.cli.outputs import add_output_option, avatar_of, names, write_motion

SUMMARY = 'a motion file becomes a video or a picture'
DESCRIPTION = (
    'Draw a motion as a video or a strip of moments, or write it as another kind of file.'
)
EXAMPLES = """\
  mgpt3 render wave.npz -o wave.mp4
  mgpt3 render take.bvh -o take.mp4 -o take.png --title "take 3"
  mgpt3 render wave.npz -o wave.bvh -o wave.glb -o wave.html
  mgpt3 render wave.npz --avatar me.vrm -o me.glb
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_motion_files(parser, file='motion')
    add_output_option(parser)
    parser.add_argument('--title', help="caption in the picture (default: the motion's own text)")


def run(arguments: argparse.Namespace) -> int:
    """Draw, and say in one line what was done."""
    avatar = avatar_of(arguments)
    motion = load_motion(arguments.file, arguments)
    began = time.perf_counter()
    write_motion(motion, arguments.output, arguments.title, avatar)
    sys.stdout.write(
        f'{motion.duration_s:.2f} s of motion, '
        f'written in {time.perf_counter() - began:.2f} s: {names(arguments.output)}\n'
    )
    return 0
