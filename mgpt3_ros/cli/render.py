# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 render``: a motion file becomes a video, a picture or another kind of motion file."""

from __future__ import annotations

import argparse
import sys
import time

from mgpt3_ros.cli.options import add_motion_files
from mgpt3_ros.cli.outputs import (
    MOTION_FILES,
    add_avatar_options,
    add_output_option,
    avatar_of,
    names,
)
from mgpt3_ros.cli.robot_files import (
    add_robot_only_option,
    add_robot_option,
    load_any,
    motion_or_robot_file,
    robot_of,
    write_all,
)

SUMMARY = 'a motion file becomes a video or a picture'
DESCRIPTION = (
    'Draw a motion as a video or a strip of moments, or write it as another kind of file.'
)
EXAMPLES = """\
  mgpt3 render wave.npz -o wave.mp4
  mgpt3 render take.bvh -o take.mp4 -o take.png --title "take 3"
  mgpt3 render wave.npz -o wave.bvh -o wave.glb -o wave.html
  mgpt3 render wave.npz --avatar me.vrm -o me.glb
  mgpt3 render wave.npz --robot g1 -o g1.html -o g1.csv
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_motion_files(parser, file='motion')
    add_output_option(parser, motion_or_robot_file, f'{MOTION_FILES}, or .csv of a robot')
    add_avatar_options(parser)
    add_robot_option(
        parser, 'who does it: .csv (qpos of MuJoCo) and .npz hold its joints, .html shows it'
    )
    add_robot_only_option(parser)
    parser.add_argument('--title', help="caption in the picture (default: the motion's own text)")


def run(arguments: argparse.Namespace) -> int:
    """Draw, and say in one line what was done."""
    avatar = avatar_of(arguments)
    robot = robot_of(arguments)
    motion = load_any(arguments.file, arguments, robot)
    began = time.perf_counter()
    write_all(motion, arguments.output, robot, avatar, arguments.title, arguments.robot_only)
    sys.stdout.write(
        f'{motion.duration_s:.2f} s of motion, '
        f'written in {time.perf_counter() - began:.2f} s: {names(arguments.output)}\n'
    )
    return 0
