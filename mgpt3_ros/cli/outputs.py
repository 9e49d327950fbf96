# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that commands write motion to: motion data, a video or a strip of pictures."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mgpt3_ros.model.errors import MissingExtraError
from mgpt3_ros.model.extras import extra

if TYPE_CHECKING:
    from mgpt3_ros.model.motion import Motion

DATA_SUFFIXES = ('.npz', '.npy', '.bvh')
MOTION_FILES = '.mp4 video, .png strip of moments, .npz, .npy or .bvh motion'
STRIP_SUFFIXES = ('.png', '.jpg', '.jpeg')


def output_file(*suffixes: str) -> Callable[[str], Path]:
    """Return what reads the name of a file to write for argparse: its kind and folder are right.

    They are checked before anything is computed.
    """

    def read(text: str) -> Path:
        path = Path(text)
        if path.suffix.lower() not in suffixes:
            raise argparse.ArgumentTypeError(
                f'cannot tell from {text!r} what to write: end it in one of {", ".join(suffixes)}'
            )
        if not path.absolute().parent.is_dir():
            raise argparse.ArgumentTypeError(f'there is no folder {path.parent} for {path.name}')
        return path

    return read


def motion_file(text: str) -> Path:
    """Read the name of a file of motion to write, and see that what draws pictures is there."""
    path = output_file('.mp4', *STRIP_SUFFIXES, *DATA_SUFFIXES)(text)
    if path.suffix.lower() not in DATA_SUFFIXES:
        try:
            with extra('view'):
                import av  # noqa: F401 (a missing one is said before anything is computed)
                import cv2  # noqa: F401
        except MissingExtraError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
    return path


def add_output_option(
    parser: argparse.ArgumentParser,
    kind: Callable[[str], Path] = motion_file,
    what: str = MOTION_FILES,
    required: bool = True,
) -> None:
    """Declare ``-o``, which may be given several times; ``kind`` reads the name of a file."""
    parser.add_argument(
        '-o',
        '--output',
        action='append',
        default=[],
        required=required,
        type=kind,
        metavar='FILE',
        help=f'file to write: {what}; may be given several times',
    )


def write_motion(motion: Motion, paths: Sequence[Path], title: str | None = None) -> None:
    """Write a motion to each of ``paths``, as their suffixes say.

    Args:
        motion: what to write.
        paths: files as `motion_file` allows.
        title: caption of pictures; None takes the motion's own text.
    """
    for path in paths:
        if path.suffix.lower() in DATA_SUFFIXES:
            motion.save(path)
            continue
        from mgpt3_ros.model import render

        if path.suffix.lower() in STRIP_SUFFIXES:
            render.render_strip(motion, path, title=title)
        else:
            render.render_video(motion, path, title=title)


def names(paths: Sequence[Path]) -> str:
    """Return the files' names as one string for people."""
    return ', '.join(str(path) for path in paths)
