# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 caption``: a motion becomes a sentence."""

from __future__ import annotations

import argparse
import sys

from mgpt3_ros.cli.options import add_model_options, add_motion_files, load_model
from mgpt3_ros.cli.robot_files import add_robot_option, load_any, robot_of

SUMMARY = 'a motion becomes a sentence'
DESCRIPTION = 'Say in a sentence what a motion shows. The same motion gives the same sentence.'
EXAMPLES = """\
  mgpt3 caption wave.npz
  mgpt3 caption walk.bvh wave.npy      one line each
  mgpt3 caption walk.csv --robot g1
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_motion_files(parser, nargs='+', file='motion')
    add_robot_option(parser, 'whose motion .csv and .npz files of robots are')
    add_model_options(parser, draws=False)


def run(arguments: argparse.Namespace) -> int:
    """Write one line per file to standard output."""
    robot = robot_of(arguments)
    motions = [load_any(path, arguments, robot) for path in arguments.file]
    model = load_model(arguments)
    for motion in motions:
        sys.stdout.write(f'{model.caption(motion)}\n')
        sys.stdout.flush()
    return 0
