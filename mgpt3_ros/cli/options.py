# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What several commands share: their parsers, the options of the model, and loading it."""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

MODELS = ('default', 'stream', 'language')

if TYPE_CHECKING:
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.model.motiongpt3 import MotionGPT3
    from mgpt3_ros.model.sampling import SamplingOptions


def add_command(commands: Any, module: Any) -> None:
    """Add the command that ``module`` is: its texts, ``add_options`` and ``run``."""
    name = module.__name__.rpartition('.')[2].replace('_', '-')
    parser = new_parser(commands, name, module.SUMMARY, module.DESCRIPTION, module.EXAMPLES)
    parser.set_defaults(run=module.run)
    module.add_options(parser)


def new_parser(
    commands: Any, name: str, summary: str, description: str, examples: str
) -> argparse.ArgumentParser:
    """Add a command whose help shows ``examples`` as they are typed."""
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=f'examples:\n{examples}',
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def positive_seconds(text: str) -> float:
    """Read a duration for argparse."""
    seconds = float(text)
    if not 0 < seconds < float('inf'):
        raise argparse.ArgumentTypeError(f'{text} seconds: give a number above 0')
    return seconds


def add_seconds_option(
    parser: Any, name: str, default: float | None, what: str, shown: str = ''
) -> None:
    """Declare an option that takes seconds; help shows its default, or ``shown`` in its place."""
    said = f'{what} (default: {shown or f"{default:g}"})'
    parser.add_argument(name, type=positive_seconds, default=default, metavar='SECONDS', help=said)


def add_model_options(
    parser: argparse.ArgumentParser, draws: bool = True, seed: int | None = None
) -> None:
    """Declare which model is used and, if it ``draws`` motion, how.

    ``seed`` is the default of its option, None for a new one each time.
    """
    group = parser.add_argument_group('model')
    add_checkpoint_options(group)
    group.add_argument(
        '--device', default='auto', help='auto, cpu, cuda or cuda:1 (default: auto)'
    )
    if not draws:
        return
    shown = 'a new one' if seed is None else seed
    group.add_argument(
        '--seed',
        type=int,
        default=seed,
        help=f'number that makes the result repeatable (default: {shown})',
    )
    group.add_argument(
        '--guidance',
        type=float,
        metavar='SCALE',
        help='how strictly to follow the condition, 1 to about 7 (default: as the model is set)',
    )
    group.add_argument(
        '--steps',
        type=int,
        metavar='N',
        help='denoising steps, fewer are faster (default: as the model is set)',
    )
    group.add_argument(
        '--encoder',
        default='auto',
        metavar='FOLDER',
        help='of sentences, for words that the model was never taught: a folder or a name on the '
        'hub; auto (the default) takes the installed one, off none',
    )


def add_checkpoint_options(group: Any, default: str | None = None) -> None:
    """Declare which model it is: by its folder, or by the name of one that is known."""
    chosen = group.add_mutually_exclusive_group()
    shown = default or 'the one that comes with mgpt3'
    chosen.add_argument(
        '--checkpoint',
        metavar='FOLDER',
        default=default,
        help=f'checkpoint folder (default: {shown})',
    )
    chosen.add_argument(
        '--model',
        dest='checkpoint',
        choices=MODELS,
        default=default,
        help='the same by name: default, stream (goes on without an end), language (also talks)',
    )


def add_motion_files(
    parser: argparse.ArgumentParser, nargs: str | None = None, **files: str
) -> None:
    """Declare motion files to read, what each is by its name, and the rate of those without one.

    ``nargs`` is argparse's, of each.
    """
    for name, what in files.items():
        said = f'{what} (.npz, .npy, .bvh, .glb or .vrma)'
        parser.add_argument(name, nargs=nargs, type=Path, metavar=name.upper(), help=said)
    add_reading_options(parser)


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Declare how motion files are read: what they do not say themselves."""
    parser.add_argument(
        '--fps', type=float, help='frames per second of .npy files, which do not say (default: 20)'
    )
    parser.add_argument(
        '--skeleton',
        type=Path,
        action='append',
        default=[],
        metavar='FILE',
        help='mapping of the bones of .bvh files to the 22 joints (bones: {BONE: JOINT}, see '
        'model/formats/skeletons/), tried before those of CMU, Mixamo, SMPL and others; '
        'may be repeated',
    )
    parser.add_argument(
        '--up',
        choices=('x', 'y', 'z', '-x', '-y', '-z'),
        help='axis that points up, written --up=-z where it points down (default: y, in .bvh the '
        'one along which the body stands)',
    )


def reading_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what :meth:`Motion.load` is told beside the file."""
    from mgpt3_ros.model.formats.bvh_names import load_skeleton

    return {
        'fps': arguments.fps,
        'skeletons': tuple(load_skeleton(file) for file in arguments.skeleton),
        'up': arguments.up,
    }


def load_motion(path: Path, arguments: argparse.Namespace) -> Motion:
    """Read a motion, and say on stderr what :func:`motion_remarks` finds."""
    from mgpt3_ros.model.motion import Motion

    motion = Motion.load(path, **reading_options(arguments))
    for remark in motion_remarks(motion, arguments.up):
        sys.stderr.write(f'{path}: {remark}\n')
    return motion


def motion_remarks(motion: Motion, up: str | None) -> list[str]:
    """Return what was assumed of a file, and what no body does, as `mgpt3 data check` says it."""
    from mgpt3_ros.model.formats import assumptions
    from mgpt3_ros.model.kinematics.plausibility import joint_problems

    return [*assumptions(motion, up), *joint_problems(motion.joints, motion.fps)]


def load_model(arguments: argparse.Namespace) -> MotionGPT3:
    """Load the model that was asked for, and say on stderr which it is and its licence."""
    from mgpt3_ros.model.motiongpt3 import MotionGPT3

    encoder = getattr(arguments, 'encoder', 'off')  # of no use to commands that draw nothing
    model = MotionGPT3.from_pretrained(
        arguments.checkpoint, device=arguments.device, encoder=encoder
    )
    sys.stderr.write(f'checkpoint {model.name} on {model.device}, licence: {model.licence}\n')
    return model


def drawing_options(arguments: argparse.Namespace) -> SamplingOptions:
    """Return how to draw; fill in ``arguments.seed`` if left out."""
    import torch

    from mgpt3_ros.model.sampling import SamplingOptions

    if arguments.seed is None:
        arguments.seed = secrets.randbelow(10_000)
    generator = torch.Generator().manual_seed(arguments.seed)
    return SamplingOptions(arguments.guidance, arguments.steps, generator=generator)
