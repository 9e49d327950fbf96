# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command line, ``mgpt3``: text to motion, motion to text, and the rest, without ROS.

Each command is a module in `mgpt3_ros.cli`, but `train`, whose options stand where PyTorch is
imported. PyTorch and OpenCV are imported only by the commands that need them, so that help and
mistyped commands answer at once.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence

from mgpt3_ros.cli import (
    actions,
    ask,
    bag_info,
    batch,
    caption,
    caption_bag,
    card,
    chat,
    convert,
    data,
    doctor,
    evaluate,
    generate,
    inbetween,
    plot,
    predict,
    predict_bag,
    render,
    robot,
    serve,
    stream,
    view,
)
from mgpt3_ros.cli.options import add_command

DONE, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130  # exit codes; 130 is 128 + SIGINT

DESCRIPTION = """\
Text to human motion, motion to text, and what lies between two motions.

The first thing to try:
  mgpt3 generate "a person waves with both hands" -o wave.mp4
"""

EPILOG = """\
`mgpt3 COMMAND --help` explains each command and shows examples.

Motion files: .npz (joints, frame rate and text), .npy (joints (T, 22, 3) in metres, Y up),
.bvh (Blender, Maya, ...), .glb (a body that moves: Blender, the web) and .vrma (an animation for
VRM avatars). Pictures: .mp4 (video), .png (a strip of moments) and .html (a page that plays).
"""


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        version = doctor.version_of('mgpt3_ros') or '(not installed)'
        sys.stdout.write(f'mgpt3_ros {version}\n')
        parser.exit(DONE)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of ``mgpt3`` with all its commands."""
    parser = argparse.ArgumentParser(
        prog='mgpt3',
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        '--debug', action='store_true', help='on an error, also show where in the program it arose'
    )
    parser.add_argument('-V', '--version', action=_Version, nargs=0, help='show it and exit')
    commands = parser.add_subparsers(title='commands', metavar='COMMAND', required=True)
    motions = (generate, stream, view, caption, predict, inbetween, ask, chat, render)
    for module in (
        *motions,
        robot,
        serve,
        caption_bag,
        predict_bag,
        bag_info,
        batch,
        convert,
        data,
    ):
        add_command(commands, module)
    # The options of training are declared where PyTorch is imported: they go there unread.
    train = commands.add_parser('train', help='train a model on a data set', add_help=False)
    train.set_defaults(run=_train)
    for module in (actions, plot, evaluate, card, doctor):
        add_command(commands, module)
    return parser


def _train(arguments: argparse.Namespace) -> int:
    from mgpt3_ros.training import train

    return train.main(arguments.unread)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``mgpt3``; return the exit code.

    Args:
        argv: arguments without the program's name; None takes those of the process.

    Returns:
        0 when done; 2 when the request could not be met (a wrong argument, file or checkpoint);
        1 when the program or the model failed; 130 when interrupted.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    debug = '--debug' in given  # allowed anywhere, not only before the command
    given = [argument for argument in given if argument != '--debug']
    parser = build_parser()
    if not given:
        parser.print_help(sys.stderr)
        return MISUSED
    arguments, unread = parser.parse_known_args(given)
    if unread and arguments.run is not _train:
        parser.error(f'unknown argument: {" ".join(unread)} (see mgpt3 --help)')
    arguments.unread = unread
    try:
        return arguments.run(arguments)
    except KeyboardInterrupt:
        sys.stderr.write('\nmgpt3: interrupted\n')
        return INTERRUPTED
    except Exception as error:
        if debug:
            traceback.print_exc()
        message, code = _explain(error)
        sys.stderr.write(f'mgpt3: {message}\n')
        return code


def _explain(error: Exception) -> tuple[str, int]:
    """Return one line about an error, and the exit code."""
    from mgpt3_ros.model.errors import GenerationError, MissingExtraError, MotionGPT3Error

    if isinstance(error, ImportError) and not isinstance(error, MissingExtraError):
        return f'{_line(error)} (`mgpt3 doctor` says what to install)', FAILED
    if isinstance(error, GenerationError):
        return _line(error), FAILED
    if isinstance(error, OSError) and error.filename is not None:
        return f'{error.filename}: {error.strerror or _line(error)}', MISUSED
    if isinstance(error, (MotionGPT3Error, OSError)):
        return _line(error), MISUSED
    return f'{type(error).__name__}: {_line(error)} (--debug shows where)', FAILED


def _line(error: Exception) -> str:
    return ' '.join(str(error).split()) or type(error).__name__


if __name__ == '__main__':
    sys.exit(main())
