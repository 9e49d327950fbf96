# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 train``: its options stand in `mgpt3_ros.training.train`, which imports PyTorch."""

from __future__ import annotations

import argparse
from typing import Any

SUMMARY = 'train a model on a data set'


def add_parser(commands: Any) -> None:
    """Declare the command; all of its arguments, --help too, are left unread."""
    parser = commands.add_parser('train', help=SUMMARY, add_help=False, allow_abbrev=False)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train."""
    from mgpt3_ros.training import train

    return train.main(arguments.unread)
