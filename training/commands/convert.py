# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 convert``: a checkpoint that others released becomes a checkpoint folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from mgpt3_ros.training.commands.options import new_parser

SUMMARY = 'a released checkpoint becomes one for --checkpoint'
DESCRIPTION = """\
Read a released checkpoint without running any code that may be in it, and write a folder that
--checkpoint takes. KIND is motiongpt3 (the whole model) or mld-vae (MLD's motion VAE alone). What
the released files lack is given by name: the mean and standard deviation of HumanML3D's features,
and, for the whole model, GPT-2's tokenizer files.
"""
EXAMPLES = """\
  mgpt3 convert motiongpt3 motiongpt3.ckpt --mean Mean.npy --std Std.npy \\
      --tokenizer gpt2 -o checkpoints/motiongpt3
  mgpt3 convert mld-vae 1222_mld_humanml3d_FID041.ckpt --mean Mean.npy --std Std.npy \\
      -o checkpoints/mld_vae
"""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    parser = new_parser(commands, 'convert', SUMMARY, DESCRIPTION, EXAMPLES)
    parser.add_argument('kind', choices=('motiongpt3', 'mld-vae'), metavar='KIND')
    parser.add_argument('file', type=Path, metavar='FILE', help='the released checkpoint')
    parser.add_argument('--mean', type=Path, required=True, metavar='FILE', help='Mean.npy')
    parser.add_argument('--std', type=Path, required=True, metavar='FILE', help='Std.npy')
    parser.add_argument(
        '--tokenizer', type=Path, metavar='FOLDER', help="folder of GPT-2's tokenizer files"
    )
    parser.add_argument(
        '-o', '--output', type=Path, required=True, metavar='FOLDER', help='folder to write'
    )
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Convert, and say in one line what was done."""
    if arguments.kind == 'motiongpt3' and arguments.tokenizer is None:
        arguments.parser.error("motiongpt3 needs --tokenizer, a folder of GPT-2's tokenizer files")
    from mgpt3_ros.model import convert

    statistics = {'mean': arguments.mean, 'std': arguments.std}
    if arguments.kind == 'motiongpt3':
        convert.convert_motiongpt3(
            arguments.file, arguments.output, tokenizer=arguments.tokenizer, **statistics
        )
    else:
        convert.convert_mld_vae(arguments.file, arguments.output, **statistics)
    sys.stdout.write(f'{arguments.file} converted: {arguments.output}\n')
    return 0
