# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 actions``: what a checkpoint can do."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from mgpt3_ros.cli import options

SUMMARY = 'the actions that a checkpoint knows'
DESCRIPTION = """\
List the actions of a checkpoint: words that ask for each, and how many of the motions that were
drawn from such words show it.
"""
EXAMPLES = """\
  mgpt3 actions
  mgpt3 actions --json
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    options.add_checkpoint_options(parser)
    parser.add_argument('--json', action='store_true', help='for programs')


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each action."""
    from mgpt3_ros.model.checkpoints.checkpoint import find_checkpoint
    from mgpt3_ros.model.errors import CheckpointError
    from mgpt3_ros.model.language.known_actions import load_known_actions

    folder = find_checkpoint(arguments.checkpoint)
    known = load_known_actions(folder)
    if not known:
        raise CheckpointError(
            f'{folder} has no list of what it knows: `python -m benchmarks.known_actions` in a '
            'clone of the project measures it'
        )
    if arguments.json:
        sys.stdout.write(json.dumps([asdict(action) for action in known], indent=1) + '\n')
        return 0
    width = max(len(action.label) for action in known)
    for action in known:
        examples = '; '.join(action.examples)
        sys.stdout.write(f'{action.label:{width}}  {action.shown:4.0%}  {examples}\n')
    sys.stdout.write(f'\n%: how many of {known[0].draws} draws show it, as a recogniser sees it\n')
    return 0
