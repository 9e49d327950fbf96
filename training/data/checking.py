# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Looks through a data set, file by file, and says what is wrong; nothing stops it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mgpt3_ros.model.kinematics.features import FEATURES, features_to_joints
from mgpt3_ros.model.kinematics.plausibility import joint_problems
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.training.data.caption_lines import (
    CaptionLine,
    load_captions,
    parse_caption_line,
    text_lines,
)
from mgpt3_ros.training.data.clip import DataError
from mgpt3_ros.training.data.humanml3d import (
    SPLITS,
    TEXT_FOLDER,
    HumanML3DOptions,
    is_humanml3d,
    load_stats,
    read_list,
)
from mgpt3_ros.training.data.motion_store import FEATURE_FOLDER, JOINT_FOLDER, load_array
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.data.raw import (
    BAG_FILES,
    load_motion,
    lone_captions,
    motion_files,
    read_takes,
)
from mgpt3_ros.training.data.takes import ReadOptions

MAX_DISAGREEMENT_M = 0.01  # of joints and features; the authors' own agree to 1e-4
MAX_FLOOR_M = 0.1  # of the lowest joint; features have it at 0


class Problem(NamedTuple):
    """A file of the data set, by its path within, and what is wrong with it."""

    file: str
    what: str


class Check(NamedTuple):
    """What was looked at: how many motions, and their problems."""

    motions: int
    problems: list[Problem]


def check_dataset(folder: str | Path, options: ReadOptions | None = None) -> Check:
    """Look through a folder in HumanML3D's layout, a pack, or a folder of own motions.

    Args:
        folder: the data set.
        options: how own files are read.

    Raises:
        DataError: there is no data set.
    """
    folder = Path(folder)
    if is_humanml3d(folder):
        names = sorted({path.stem for path in (folder / FEATURE_FOLDER).glob('*.npy')})
        return Check(len(names), list(_check_humanml3d(folder, names)))
    if (folder / 'motions.npz').is_file():
        pack = load_pack(folder)
        clips = pack.train + pack.val
        found = [Problem(c.id, what) for c in clips for what in joint_problems(c.joints)]
        return Check(len(clips), found)
    files = motion_files(folder, options)
    problems = [
        Problem(str(file.relative_to(folder)), what)
        for file in files
        for what in _own_problems(file, options or ReadOptions())
    ]
    lone = lone_captions(folder, files)
    problems += [
        Problem(str(file.relative_to(folder)), 'captions without a motion') for file in lone
    ]
    return Check(len(files), problems)


def _own_problems(file: Path, options: ReadOptions) -> Iterator[str]:
    if file.is_dir() or file.suffix.lower() in BAG_FILES:
        yield from _bag_problems(file, options)
        return
    try:
        motion = load_motion(file, options)
    except DataError as error:
        yield str(error)
        return
    yield from joint_problems(motion.joints, motion.fps)
    try:
        lines = load_captions(file, str(motion.info.get('text') or ''))
    except DataError as error:
        yield str(error)
        return
    yield from _row_problems(motion.resample(FPS).num_frames - 1, lines)


def _bag_problems(file: Path, options: ReadOptions) -> Iterator[str]:
    try:
        found = read_takes(file, options)
    except DataError as error:
        yield str(error)
        return
    yield from found.remarks
    for take in found.takes:
        where = f'piece {take.suffix[1:]}: ' if take.suffix else ''
        rows = take.motion.resample(FPS).num_frames - 1
        yield from (where + what for what in joint_problems(take.motion.joints, take.motion.fps))
        yield from (where + what for what in _row_problems(rows, take.lines))


def _check_humanml3d(folder: Path, names: list[str]) -> Iterator[Problem]:
    listed: dict[str, str] = {}
    for split in SPLITS:
        file = folder / f'{split}.txt'
        if split == 'test' and not (file.is_file() and file.stat().st_size):
            continue  # only a published evaluation needs it
        try:
            ids = read_list(file)
        except DataError as error:
            yield Problem(file.name, str(error))
            continue
        for name in ids:
            if name in listed:
                yield Problem(file.name, f'{name} is in {listed[name]}.txt as well')
            listed.setdefault(name, split)
    present = set(names)
    for name in sorted(listed.keys() - present):
        yield Problem(f'{FEATURE_FOLDER}/{name}.npy', f'missing, but named in {listed[name]}.txt')
    for file in sorted((folder / TEXT_FOLDER).glob('*.txt')):
        if file.stem not in present | listed.keys():
            yield Problem(
                f'{TEXT_FOLDER}/{file.name}', f'captions without a motion in {FEATURE_FOLDER}'
            )
    try:
        load_stats(folder)
    except DataError as error:
        yield Problem('Mean.npy', str(error))
    for name in names:
        yield from _check_motion(folder, name)
        if listed and name not in listed:
            yield Problem(f'{FEATURE_FOLDER}/{name}.npy', 'in no split list')


def _check_motion(folder: Path, name: str) -> Iterator[Problem]:
    label = f'{FEATURE_FOLDER}/{name}.npy'
    rows = joints = None
    try:
        rows = load_array(folder / label, (FEATURES,))
    except (OSError, ValueError) as error:
        yield Problem(label, str(error))
    joints_label = f'{JOINT_FOLDER}/{name}.npy'
    if (folder / joints_label).is_file():
        try:
            joints = load_array(folder / joints_label, (22, 3))
        except (OSError, ValueError) as error:
            yield Problem(joints_label, str(error))
    lines: list[CaptionLine] = []
    yield from _read_lines(folder, f'{TEXT_FOLDER}/{name}.txt', lines)
    if rows is not None:
        for what in _feature_problems(rows, lines):
            yield Problem(label, what)
        if joints is not None:
            for what in _joint_problems(rows, joints):
                yield Problem(joints_label, what)


def _read_lines(folder: Path, label: str, lines: list[CaptionLine]) -> Iterator[Problem]:
    """Fill ``lines`` with the captions, and say what is wrong with them."""
    try:
        written = text_lines((folder / label).read_bytes())
    except FileNotFoundError:
        yield Problem(label, 'missing: the motion has no caption')
        return
    except (OSError, UnicodeDecodeError) as error:
        yield Problem(label, f'cannot be read: {error}')
        return
    if not any(line.strip() for line in written):
        yield Problem(label, 'empty: the motion has no caption')
    for number, line in enumerate(written, 1):
        if not line.strip():
            continue
        try:
            lines.append(parse_caption_line(line))
        except ValueError as error:
            yield Problem(label, f'line {number}: {error}')


def _row_problems(count: int, lines: list[CaptionLine]) -> Iterator[str]:
    """Whether ``count`` rows, and the parts of which captions speak, have lengths to train on."""
    limits = HumanML3DOptions()
    if count < limits.min_frames:
        yield f'{count} frames, fewer than {limits.min_frames}'
        return
    lengths = [where.stop - where.start for where in (line.rows(count) for line in lines)]
    if any(length <= 0 for length in lengths):
        yield f'has {count / FPS:.2f} s, but a caption speaks of what comes later'
    if lengths and not any(length <= limits.max_frames for length in lengths):
        yield f'{count} frames, more than {limits.max_frames}, and no caption of a part'


def _feature_problems(rows: np.ndarray, lines: list[CaptionLine]) -> Iterator[str]:
    yield from _row_problems(len(rows), lines)
    if len(rows) < HumanML3DOptions().min_frames:
        return
    contacts = np.array(rows[:, 259:])
    if not np.isin(contacts, (0.0, 1.0)).all():
        yield 'foot contacts (channels 259 to 262) that are not 0 or 1: normalised already?'
        return
    joints = features_to_joints(np.array(rows))
    floor = float(joints[..., 1].min())
    if abs(floor) > MAX_FLOOR_M:
        yield f'the lowest joint is at {floor:.2f} m: the floor must be at 0'
    yield from joint_problems(joints)


def _joint_problems(rows: np.ndarray, joints: np.ndarray) -> Iterator[str]:
    if len(joints) not in (len(rows), len(rows) + 1):
        yield f'{len(joints)} frames, but the features have {len(rows)}'
        return
    apart = np.abs(features_to_joints(np.array(rows)) - joints[: len(rows)]).max()
    if apart > MAX_DISAGREEMENT_M:
        yield f'{apart:.3g} m from what the features say'
        yield from joint_problems(joints)
