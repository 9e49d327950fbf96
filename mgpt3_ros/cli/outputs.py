# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that commands write motion to: motion data, avatars, a page, a video, a strip."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mgpt3_ros.model.errors import MissingExtraError, MotionError
from mgpt3_ros.model.extras import extra

if TYPE_CHECKING:
    from mgpt3_ros.model.formats.avatars import Avatar
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.robots import Robot

DATA_SUFFIXES = ('.npz', '.npy', '.bvh', '.glb', '.vrma', '.vrm')
MOTION_FILES = (
    '.mp4 video, .png strip of moments, .html page that plays, .npz, .npy, .bvh, .glb or .vrma '
    'motion, .vrm body'
)
PAGE_SUFFIX = '.html'
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
        written = path if path.exists() else path.absolute().parent
        if path.is_dir() or not os.access(written, os.W_OK):
            raise argparse.ArgumentTypeError(
                f'{path} cannot be written: no permission, or a folder of that name; give another'
            )
        return path

    return read


def motion_file(text: str) -> Path:
    """Read the name of a file of motion to write, and see that what draws pictures is there."""
    path = output_file('.mp4', PAGE_SUFFIX, *STRIP_SUFFIXES, *DATA_SUFFIXES)(text)
    if path.suffix.lower() not in DATA_SUFFIXES:
        try:
            with extra('view'):  # a missing one is said before anything is computed
                if path.suffix.lower() == PAGE_SUFFIX:
                    import viser  # noqa: F401
                else:
                    import av  # noqa: F401
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
    """Declare ``-o``, which may be given several times; ``kind`` reads the name of a file.

    Where that is a file of motion, an avatar may be given for it too.
    """
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
    if kind is motion_file:
        add_avatar_options(parser)


def add_picture_option(parser: argparse.ArgumentParser) -> None:
    """Declare ``-o`` of a command that draws one picture."""
    parser.add_argument(
        '-o',
        '--output',
        type=output_file(*STRIP_SUFFIXES),
        required=True,
        metavar='FILE',
        help='picture to write (.png or .jpg)',
    )


def add_avatar_options(parser: argparse.ArgumentParser) -> None:
    """Declare whose body plays the motion in a .glb."""
    group = parser.add_argument_group('avatar')
    what = 'humanoid (.vrm, or .glb) that plays the motion in the .glb that is written'
    group.add_argument('--avatar', type=Path, metavar='FILE', help=what)
    what = 'mapping of its bones, as for BVH files, where their names are not known'
    group.add_argument('--avatar-bones', type=Path, metavar='FILE', help=what)


def avatar_of(arguments: argparse.Namespace) -> Avatar | None:
    """Read the avatar that was given, before anything is computed.

    Raises:
        MotionError: it cannot be used, or no .glb is to be written.
        ConfigError: the mapping of its bones is wrong.
    """
    if arguments.avatar is None:
        return None
    from mgpt3_ros.model.formats.avatars import load_avatar
    from mgpt3_ros.model.formats.bvh_names import load_skeleton

    if not any(path.suffix.lower() == '.glb' for path in arguments.output):
        raise MotionError('--avatar is written into a .glb: give -o FILE.glb')
    mapping = arguments.avatar_bones
    return load_avatar(arguments.avatar, [] if mapping is None else [load_skeleton(mapping)])


def write_motion(
    motion: Motion,
    paths: Sequence[Path],
    title: str | None = None,
    avatar: Avatar | None = None,
    robot: Robot | None = None,
    robot_only: bool = False,
) -> None:
    """Write a motion to each of ``paths``, as their suffixes say.

    Args:
        motion: what to write.
        paths: files as `motion_file` allows.
        title: caption of pictures; None takes the motion's own text.
        avatar: who plays it where a .glb is written; None for the mannequin.
        robot: who does the same on a page, beside the human or only it; None for nobody.
        robot_only: see there.
    """
    from mgpt3_ros.model.atomic_files import whole_file

    for path in paths:
        if avatar is not None and path.suffix.lower() == '.glb':
            from mgpt3_ros.model.formats.avatars import write_avatar

            with whole_file(path) as partial:
                write_avatar(partial, avatar, motion)
            continue
        if path.suffix.lower() in DATA_SUFFIXES:
            motion.save(path)
            continue
        if path.suffix.lower() == PAGE_SUFFIX:
            from mgpt3_ros.view.page import write_page

            with whole_file(path) as partial:
                write_page(partial, motion, title, robot, robot_only)
            continue
        from mgpt3_ros.model import render

        if path.suffix.lower() in STRIP_SUFFIXES:
            render.render_strip(motion, path, title=title)
        else:
            with _bar(motion) as told:
                render.render_video(motion, path, title=title, on_progress=told)


@contextlib.contextmanager
def _bar(motion: Motion) -> Iterator[Callable[[float], None]]:
    """Show on a terminal how far a video is; give what is told the share that is done."""
    from tqdm import tqdm

    count = motion.num_frames
    with tqdm(total=count, unit=' pictures', leave=False, disable=None) as bar:
        yield lambda share: bar.update(round(share * count) - bar.n) and None


def names(paths: Sequence[Path]) -> str:
    """Return the files' names as one string for people."""
    return ', '.join(str(path) for path in paths)
