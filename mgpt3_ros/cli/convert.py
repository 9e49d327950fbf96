# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 convert``: a checkpoint that others released becomes a checkpoint folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

SUMMARY = 'a released checkpoint becomes one for --checkpoint'
DESCRIPTION = """\
Read a released checkpoint without running any code that may be in it, and write a folder that
--checkpoint takes. KIND is motiongpt3 (the whole model) or mld-vae (MLD's motion VAE alone: a
start for training, all else untrained but what --gpt2 gives). What the released files lack is
given by name: mean and standard deviation of the data set's features, and GPT-2's tokenizer files.
"""
EXAMPLES = """\
  mgpt3 convert motiongpt3 motiongpt3.ckpt --mean Mean.npy --std Std.npy \\
      --tokenizer gpt2 -o checkpoints/motiongpt3
  mgpt3 convert mld-vae 1222_mld_humanml3d_FID041.ckpt --mean Mean.npy --std Std.npy \\
      --tokenizer gpt2 --gpt2 gpt2 -o checkpoints/start
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('kind', choices=('motiongpt3', 'mld-vae'), metavar='KIND')
    parser.add_argument('file', type=Path, metavar='FILE', help='the released checkpoint')
    parser.add_argument('--mean', type=Path, required=True, metavar='FILE', help='Mean.npy')
    parser.add_argument('--std', type=Path, required=True, metavar='FILE', help='Std.npy')
    parser.add_argument(
        '--tokenizer',
        type=Path,
        required=True,
        metavar='FOLDER',
        help="GPT-2's tokenizer files (vocab.json and merges.txt, or tokenizer.json)",
    )
    parser.add_argument(
        '-o', '--output', type=Path, required=True, metavar='FOLDER', help='folder to write'
    )
    parser.add_argument('--name', help="of the checkpoint (default: the kind's)")
    parser.add_argument('--licence', help='of the weights (default: unstated)')
    parser.add_argument(
        '--latent-scale',
        type=float,
        metavar='X',
        help='factor of the latents: 0.8457 on HumanML3D (default), 0.7281 on Motion-X',
    )
    parser.add_argument(
        '--gpt2', metavar='FOLDER', help='mld-vae only: text branch, a folder or a hub name'
    )
    parser.set_defaults(parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Convert, and say in one line what was done."""
    if arguments.kind == 'motiongpt3' and arguments.gpt2 is not None:
        arguments.parser.error('--gpt2 is for mld-vae: motiongpt3 brings its own text branch')
    from mgpt3_ros.model.released import convert

    asked = {key: getattr(arguments, key) for key in ('name', 'licence', 'latent_scale', 'gpt2')}
    options = {key: value for key, value in asked.items() if value is not None}
    whole = arguments.kind == 'motiongpt3'
    function: Any = convert.convert_motiongpt3 if whole else convert.convert_mld_vae
    done = function(
        arguments.file,
        arguments.output,
        stats=(arguments.mean, arguments.std),
        tokenizer=arguments.tokenizer,
        **options,
    )
    left = ', '.join(f'{count} of {name}' for name, count in done.ignored.items()) or 'none'
    sys.stdout.write(
        f'{arguments.file}: {done.used} tensors used, not needed: {left}; '
        f'written to {done.folder}\n'
    )
    return 0
