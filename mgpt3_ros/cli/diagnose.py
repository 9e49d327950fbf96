# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 doctor``: what is here, what is missing, and what to do about it."""

from __future__ import annotations

import argparse
from typing import Any

from mgpt3_ros.cli.options import new_parser

SUMMARY = 'what is installed, what is missing, what to do'
DESCRIPTION = """\
Print versions, ROS 2, GPU and checkpoint as they are found here, and what to do about what is
missing. The exit code is 0 if motion can be generated here.
"""
EXAMPLES = """\
  mgpt3 doctor
  mgpt3 doctor --checkpoint runs/small/align
"""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    parser = new_parser(commands, 'doctor', SUMMARY, DESCRIPTION, EXAMPLES)
    parser.add_argument(
        '--checkpoint', metavar='FOLDER', help='checkpoint to look at (default: the shipped one)'
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the report."""
    from mgpt3_ros.cli import doctor

    return doctor.run(arguments.checkpoint)
