# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 plot``: the curves of a training run become a picture."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mgpt3_ros.cli.outputs import add_picture_option

SUMMARY = 'the curves of a training run become a picture'
DESCRIPTION = (
    'Draw losses, rates and speed of a run, or of one of its stages, into a picture. The run may '
    'still be going on.'
)
EXAMPLES = """\
  mgpt3 plot runs/small -o curves.png
  mgpt3 plot runs/small/t2m -o t2m.png
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        'folder', type=Path, metavar='RUN', help='folder given to mgpt3 train --output'
    )
    add_picture_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Draw, and say in one line what was drawn."""
    from mgpt3_ros.training.plots import plot_run

    stages = plot_run(arguments.folder, arguments.output)
    drawn = ', '.join(stage.resolve().name for stage in stages)
    sys.stdout.write(f'{arguments.output}: {drawn}\n')
    return 0
