# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of own motions: arrays, BVH and rosbags, each with its captions in a .txt beside it."""

from __future__ import annotations

from pathlib import Path

from mgpt3_ros.model.errors import MotionError, RobotError
from mgpt3_ros.model.formats import FORMATS, assumptions
from mgpt3_ros.model.kinematics.up_axis import standing_axis
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.training.data.caption_lines import caption_file, load_captions
from mgpt3_ros.training.data.clip import DataError
from mgpt3_ros.training.data.takes import ReadOptions, Take, Takes

BAG_FILES = ('.mcap', '.db3')
BAG_FOLDER = 'metadata.yaml'  # what makes a folder a rosbag2


def motion_files(folder: str | Path, options: ReadOptions | None = None) -> list[Path]:
    """All motion files and bags of a folder and those below it, sorted.

    Raises:
        DataError: there is no such folder, or it has none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f'there is no folder {folder}')
    found = list(folder.rglob('*'))
    bags = {path.parent for path in found if path.name == BAG_FOLDER}
    suffixes = (*FORMATS, *BAG_FILES, *_other_suffixes(options))
    loose = [path for path in found if path.suffix.lower() in suffixes]
    files = sorted([*bags, *(path for path in loose if path.parent not in bags)])
    if not files:
        raise DataError(
            f'{folder} has no motion file ({", ".join(suffixes)}, or the folder of a rosbag2)'
        )
    return files


def _other_suffixes(options: ReadOptions | None) -> tuple[str, ...]:
    return options.others.suffixes if options is not None and options.others is not None else ()


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
    lines = load_captions(file, str(motion.info.get('text') or ''))
    return Takes([Take('', motion, lines)], assumptions(motion, options.up))


def load_motion(file: Path, options: ReadOptions | None = None) -> Motion:
    """Read a motion file.

    Raises:
        DataError: it cannot be used.
    """
    options = options or ReadOptions()
    try:
        other = options.others.read(file) if options.others else None
        if other is not None:
            return other
        up = None if file.suffix.lower() in ('.glb', '.vrma') else options.up  # theirs is fixed
        motion = Motion.load(file, options.fps, options.skeletons, up)
        # A folder may hold arrays with Z up beside a .bvh that plainly stands along Y.
        if file.suffix.lower() == '.bvh' and options.up not in (None, 'y'):
            as_it_stands = Motion.load(file, options.fps, options.skeletons)
            return as_it_stands if standing_axis(as_it_stands.joints) else motion
        return motion
    except (MotionError, RobotError) as error:
        raise DataError(str(error).removeprefix(f'{file}: ')) from error
