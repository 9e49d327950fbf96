# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of own motions: .npy, .npz or .bvh files with their captions in a .txt beside each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.motion import FORMATS, Motion
from mgpt3_ros.training.data.humanml3d import CaptionLine, parse_caption_line
from mgpt3_ros.training.data.mocap22 import DataError


def motion_files(folder: str | Path) -> list[Path]:
    """All motion files of a folder and those below it, sorted.

    Raises:
        DataError: there is no such folder, or it has none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f'there is no folder {folder}')
    files = sorted(path for path in folder.rglob('*') if path.suffix in FORMATS)
    if not files:
        raise DataError(f'{folder} has no motion file ({", ".join(FORMATS)})')
    return files


def lone_captions(folder: str | Path, files: list[Path]) -> list[Path]:
    """Caption files with no motion beside them."""
    known = {file.with_suffix('') for file in files}
    return sorted(p for p in Path(folder).rglob('*.txt') if p.with_suffix('') not in known)


def load_motion(file: Path, fps: float | None = None, up: str = 'y') -> Motion:
    """Read a motion file.

    Args:
        file: .npy, .npz or .bvh.
        fps: rate of an .npy; None for 20.
        up: 'z' turns joints whose vertical is +Z; a .bvh is always read with Y up.

    Raises:
        DataError: it cannot be used.
    """
    try:
        motion = Motion.load(file, fps)
    except MotionError as error:
        raise DataError(str(error).removeprefix(f'{file}: ')) from error
    if up == 'z' and file.suffix != '.bvh':
        x, y, z = np.moveaxis(motion.joints, -1, 0)
        motion = Motion(np.stack([x, z, -y], axis=-1), motion.fps, motion.info)
    return motion


def load_captions(file: Path, motion: Motion) -> list[CaptionLine]:
    """Read the captions of a motion file: the lines of the .txt beside it.

    A line is a caption, or ``caption#tokens#start#end`` for a part of the motion [s]. Without a
    .txt the text serves that an .npz brings.

    Raises:
        DataError: there is none, or a line has another form.
    """
    beside = file.with_suffix('.txt')
    if beside.is_file():
        try:
            lines = beside.read_text(encoding='utf-8').splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f'{beside.name} cannot be read: {error}') from error
    else:
        lines = [str(motion.info.get('text') or '')]
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
