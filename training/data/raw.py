# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of own motions: arrays, BVH and rosbags, each with its captions in a .txt beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.formats import FORMATS
from mgpt3_ros.model.formats.bvh_names import Skeleton
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.training.data.clip import DataError
from mgpt3_ros.training.data.humanml3d import CaptionLine, parse_caption_line

BAG_FILES = ('.mcap', '.db3')
BAG_FOLDER = 'metadata.yaml'  # what makes a folder a rosbag2


@dataclass(frozen=True)
class ReadOptions:
    """How own files are read.

    fps: rate of .npy files, which do not say; None for 20.
    up: 'z' for .npy and .npz whose vertical is +Z; a .bvh is always read with Y up.
    skeletons: mappings of a .bvh's bones, tried before the known ones.
    topic, odometry, profile, body_id: which body of a bag; see ``bags.find_body``.
    """

    fps: float | None = None
    up: str = 'y'
    skeletons: tuple[Skeleton, ...] = ()
    topic: str | None = None
    odometry: str | None = None
    profile: str = 'auto'
    body_id: str = ''


class Take(NamedTuple):
    """A motion and what is said of it.

    suffix: of its name; a bag whose stream breaks off gives several takes.
    """

    suffix: str
    motion: Motion
    lines: list[CaptionLine]


@dataclass
class Takes:
    """What a file gives, and remarks on what in it was left out or had to be assumed."""

    takes: list[Take] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def motion_files(folder: str | Path) -> list[Path]:
    """All motion files and bags of a folder and those below it, sorted.

    Raises:
        DataError: there is no such folder, or it has none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f'there is no folder {folder}')
    found = list(folder.rglob('*'))
    bags = {path.parent for path in found if path.name == BAG_FOLDER}
    loose = [path for path in found if path.suffix.lower() in (*FORMATS, *BAG_FILES)]
    files = sorted([*bags, *(path for path in loose if path.parent not in bags)])
    if not files:
        raise DataError(
            f'{folder} has no motion file ({", ".join((*FORMATS, *BAG_FILES))}, or the folder of '
            'a rosbag2)'
        )
    return files


def without_suffix(file: Path) -> Path:
    """The path of a motion without its suffix; a bag's folder has none."""
    return file if file.is_dir() else file.with_suffix('')


def caption_file(file: Path) -> Path:
    """Where the captions of a motion are: in the .txt beside it."""
    stem = without_suffix(file)
    return stem.with_name(f'{stem.name}.txt')


def lone_captions(folder: str | Path, files: list[Path]) -> list[Path]:
    """Caption files with no motion beside them."""
    known = {caption_file(file) for file in files}
    bags = {file for file in files if file.is_dir()}
    return sorted(
        p for p in Path(folder).rglob('*.txt') if p not in known and p.parent not in bags
    )


def read_takes(file: Path, options: ReadOptions | None = None) -> Takes:
    """Read a motion file, or a bag, and its captions.

    Raises:
        DataError: it cannot be used.
    """
    options = options or ReadOptions()
    if file.is_dir() or file.suffix.lower() in BAG_FILES:
        from mgpt3_ros.training.data.bag_takes import read_bag_takes  # needs rosbags

        return read_bag_takes(file, options)
    motion = load_motion(file, options)
    return Takes([Take('', motion, load_captions(file, str(motion.info.get('text') or '')))])


def load_motion(file: Path, options: ReadOptions | None = None) -> Motion:
    """Read a motion file.

    Raises:
        DataError: it cannot be used.
    """
    options = options or ReadOptions()
    try:
        motion = Motion.load(file, options.fps, options.skeletons)
    except MotionError as error:
        raise DataError(str(error).removeprefix(f'{file}: ')) from error
    if options.up == 'z' and file.suffix.lower() != '.bvh':
        x, y, z = np.moveaxis(motion.joints, -1, 0)
        motion = Motion(np.stack([x, z, -y], axis=-1), motion.fps, motion.info)
    return motion


def load_captions(file: Path, text: str = '') -> list[CaptionLine]:
    """Read the captions of a motion file: the lines of the .txt beside it.

    A line is a caption, or ``caption#tokens#start#end`` for a part of the motion [s].

    Args:
        file: the motion's.
        text: what serves without a .txt.

    Raises:
        DataError: there is none, or a line has another form.
    """
    beside = caption_file(file)
    if beside.is_file():
        try:
            lines = beside.read_text(encoding='utf-8').splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f'{beside.name} cannot be read: {error}') from error
    else:
        lines = [text]
    captions = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            whole = '#' not in line
            text = ' '.join(line.split())
            captions.append(CaptionLine(text, 0.0, 0.0) if whole else parse_caption_line(line))
        except ValueError as error:
            raise DataError(f'{beside.name} line {number}: {error}') from error
    if not captions:
        raise DataError(f'no caption: write a line or more into {beside.name}')
    return captions
