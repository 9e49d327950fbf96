# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 card``: what a checkpoint is, how it was made and what was measured, as its card."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

SUMMARY = 'write the card of a checkpoint of your own'
DESCRIPTION = """\
Write MODEL_CARD.md into a checkpoint folder: what the model is, how each stage of its run was
trained (run.json), and the tables of `mgpt3 evaluate -o FILE.json`. What only you know (what it is
for, the data and its licence, limits) is a YAML file; without it the card says that nobody said.
"""
EXAMPLES = """\
  mgpt3 evaluate runs/mine/align --data PACK --protocol prediction -o prediction.json
  mgpt3 card runs/mine/align --figures prediction.json --about about.yaml
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('checkpoint', metavar='CHECKPOINT', help='checkpoint folder')
    parser.add_argument(
        '--figures',
        type=Path,
        action='append',
        default=[],
        metavar='FILE',
        help='.json that `mgpt3 evaluate -o` wrote; may be given several times',
    )
    parser.add_argument(
        '--about',
        type=Path,
        metavar='FILE',
        help='YAML of what only its maker knows: about, data, licence, limits (Markdown each)',
    )
    parser.add_argument('--force', action='store_true', help='replace a card that is there')


def run(arguments: argparse.Namespace) -> int:
    """Write the card, and say where."""
    from mgpt3_ros.model.checkpoints import checkpoint
    from mgpt3_ros.model.config import load_yaml
    from mgpt3_ros.model.errors import ConfigError
    from mgpt3_ros.training.card import write_card

    folder = checkpoint.find_checkpoint(arguments.checkpoint)
    card = folder / checkpoint.CARD
    if card.exists() and not arguments.force:
        raise ConfigError(f'{card} is there already: --force replaces it')
    about = load_yaml(arguments.about) if arguments.about else {}
    checkpoint.write_text(card, write_card(folder, about, arguments.figures))
    sys.stdout.write(f'{card}\n')
    return 0
