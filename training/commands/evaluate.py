# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 evaluate``: a checkpoint's figures by a protocol, on clips of a data set."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from mgpt3_ros.training.commands.options import new_parser

SUMMARY = 'measure a checkpoint'
DESCRIPTION = """\
Measure a checkpoint on the clips of a data set. The table shows means over the clips and their
95 % intervals (bootstrap over the clips), beside simple ways to do the same.
"""
EXAMPLES = """\
  mgpt3 evaluate models/default --data mocap22 --protocol reconstruction
  mgpt3 evaluate models/default --data mocap22 --protocol prediction --replications 5 -o out.json
"""
PROTOCOLS = ('reconstruction', 'prediction', 'inbetween')


def add_parser(commands: Any) -> None:
    """Declare the command."""
    parser = new_parser(commands, 'evaluate', SUMMARY, DESCRIPTION, EXAMPLES)
    parser.add_argument('checkpoint', type=Path, metavar='CHECKPOINT', help='checkpoint folder')
    parser.add_argument(
        '--data', type=Path, required=True, metavar='PACK', help='folder of a mocap22 pack'
    )
    parser.add_argument('--protocol', required=True, choices=PROTOCOLS, help='what is measured')
    parser.add_argument(
        '--split', choices=('train', 'val'), default='val', help='clips to take (default: val)'
    )
    parser.add_argument('--clips', type=int, metavar='N', help='at most so many (default: all)')
    parser.add_argument(
        '--replications',
        type=int,
        default=1,
        metavar='N',
        help='motions drawn per clip (default: 1)',
    )
    parser.add_argument('--seed', type=int, default=0, help='of the drawn motions (default: 0)')
    parser.add_argument(
        '--observed',
        type=float,
        default=1.0,
        metavar='SECONDS',
        help='what a prediction has seen (default: 1)',
    )
    parser.add_argument('--device', default='auto', help='auto, cpu or cuda (default: auto)')
    parser.add_argument('-o', '--output', type=Path, metavar='FILE', help='JSON file to write')
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the table, and write the JSON that was asked for."""
    import json

    from mgpt3_ros.model import checkpoint
    from mgpt3_ros.training.commands.options import load_model
    from mgpt3_ros.training.data.mocap22 import load_mocap22
    from mgpt3_ros.training.evaluation.protocols import PROTOCOLS as RUNS
    from mgpt3_ros.training.evaluation.protocols import ProtocolConfig

    config = ProtocolConfig(
        arguments.replications, arguments.seed, arguments.observed, arguments.clips
    )
    pack = load_mocap22(arguments.data)
    model = load_model(arguments)
    found = RUNS[arguments.protocol](model, getattr(pack, arguments.split), config)
    sys.stdout.write(found.table() + '\n')
    for reason, count in found.skipped.items():
        sys.stderr.write(f'{count} clips were left out: {reason}\n')
    if arguments.output is not None:
        whole = {
            'checkpoint': model.name,
            'data': pack.digest,
            'split': arguments.split,
            **found.as_dict(),
        }
        checkpoint.write_text(arguments.output, json.dumps(whole, indent=2) + '\n')
    return 0
