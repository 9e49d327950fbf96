# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a folder of own motions to a data set in HumanML3D's layout."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from mgpt3_ros.model.atomic_files import save_array
from mgpt3_ros.model.kinematics.features import (
    BONE_DIRECTIONS,
    canonicalise,
    features_to_joints,
    joints_to_features,
    uniform_skeleton,
)
from mgpt3_ros.model.kinematics.plausibility import joint_problems
from mgpt3_ros.model.kinematics.skeleton import FPS, MIRRORED, REST_OFFSETS
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.training.data.caption_lines import CaptionLine, without_suffix
from mgpt3_ros.training.data.clip import DataError
from mgpt3_ros.training.data.humanml3d import SPLITS, TEXT_FOLDER, HumanML3DOptions
from mgpt3_ros.training.data.motion_store import FEATURE_FOLDER, JOINT_FOLDER
from mgpt3_ros.training.data.raw import lone_captions, motion_files, read_takes
from mgpt3_ros.training.data.takes import ReadOptions, Take

_SAME_NAME = 'another file gives the same name'


@dataclass(frozen=True)
class BuildOptions(ReadOptions):
    """How own files are read, and a data set is made of them; everything is resampled to 20 fps.

    own_bones: keep the bone lengths. Off: the directions of the bones are put on the default
        body, as HumanML3D does, so that the features of tall and small people agree.
    val_share, test_share: of the motions; HumanML3D has 5 and 15 %. Each gets one at least
        (val of two motions, test of three).
    seed: of the shuffle before the split.
    """

    own_bones: bool = False
    val_share: float = 0.05
    test_share: float = 0.15
    seed: int = 0


@dataclass
class BuildReport:
    """IDs by split; by reason, the files that were left out; remarks on files that were used."""

    splits: dict[str, list[str]] = field(default_factory=dict)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    skipped: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Built:
    """What became of one file.

    names: of its motions, whose files are written. labels: of each, for people. remarks: on what
    had to be assumed. skipped: what was left out, (label, reason) each.
    """

    file: str
    names: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)


def build_dataset(
    folder: str | Path, output: str | Path, options: BuildOptions | None = None
) -> BuildReport:
    """Write a data set, whole or not at all.

    Args:
        folder: of .npy, .npz, .bvh files or rosbags, each with its captions in a .txt beside it.
        output: a new folder.
        options: see there.

    Raises:
        DataError: ``output`` exists, or fewer than two motions can be used.
        OSError: it cannot be written; nothing is left of it.
    """
    options, output = options or BuildOptions(), Path(output)
    files = motion_files(folder, options)
    if output.exists():
        raise DataError(f'{output} exists already: give a new name')
    with _new_folder(output) as partial:
        return _write(Path(folder), files, partial, options)


@contextmanager
def _new_folder(output: Path) -> Iterator[Path]:
    """Give a folder to write to, which becomes ``output`` at the end of the block, or nothing."""
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f'.{output.name}.', dir=output.parent))
    try:
        yield partial
        partial.chmod(0o755)  # mkdtemp's are private
        partial.rename(output)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def split_names(names: list[str], options: BuildOptions) -> dict[str, list[str]]:
    """Shuffle and split; a motion and its mirrored copy (M and its name) stay together.

    Raises:
        DataError: there are fewer than two motions.
    """
    known = set(names)
    groups = [n for n in sorted(known) if not (n[:1] == 'M' and n[1:] in known)]
    count = len(groups)
    if count < 2:
        raise DataError(
            f'{count} usable motion{"s" * (count != 1)}: a data set needs two at least, '
            'one to train on and one to validate with'
        )
    order = np.random.default_rng(options.seed).permutation(count)
    val = min(max(round(options.val_share * count), 1), count - 1)
    least = 1 if count > 2 and options.test_share > 0 else 0
    test = min(max(round(options.test_share * count), least), count - 1 - val)
    parts = {'val': order[:val], 'test': order[val : val + test], 'train': order[val + test :]}
    found = {}
    for split in SPLITS:
        chosen = {groups[index] for index in parts[split]}
        found[split] = sorted(chosen | {f'M{name}' for name in chosen} & known)
    return found


def make_folders(output: Path) -> None:
    """Make the folders of a data set."""
    for name in (FEATURE_FOLDER, JOINT_FOLDER, TEXT_FOLDER):
        (output / name).mkdir()


def build_file(
    folder: Path, file: Path, output: Path, options: BuildOptions, taken: Collection[str]
) -> Built:
    """Write what is made of one file.

    Args:
        folder: that all files lie in.
        file: a motion file or a bag.
        output: with the folders of a data set in it.
        options: how it is read.
        taken: names of other files' motions.
    """
    label = str(file.relative_to(folder))
    built = Built(label)
    try:
        found = read_takes(file, options)
    except DataError as error:
        built.skipped.append((label, str(error)))
        return built
    built.remarks = found.remarks
    for take in found.takes:
        # As it will be read from a list: a line, without blanks at its ends.
        name = '_'.join(without_suffix(file).relative_to(folder).parts) + take.suffix
        name = ' '.join(name.splitlines()).strip()
        try:
            if name in taken or name in built.names:
                raise DataError(_SAME_NAME)
            _write_take(output, name, take, options)
        except DataError as error:
            built.skipped.append((label + take.suffix, str(error)))
        else:
            built.names.append(name)
            built.labels.append(label + take.suffix)
    return built


def assemble(
    folder: str | Path, parts: Sequence[tuple[Path, Built]], output: Path, options: BuildOptions
) -> BuildReport:
    """Make one data set, whole or not at all, of what :func:`build_file` wrote elsewhere.

    Args:
        folder: that all files lie in.
        parts: where each file's motions are, and what became of it; in the order of the files.
            They are copied, so that an end in between loses nothing.
        output: a new folder.
        options: how the files were read.

    Raises:
        DataError: fewer than two motions can be used.
        OSError: it cannot be written.
    """
    with _new_folder(output) as partial:
        make_folders(partial)
        taken: set[str] = set()
        for place, built in parts:
            for name in built.names:
                for file in _files_of(name) if name not in taken else ():
                    shutil.copyfile(place / file, partial / file)
            again = [at for at, name in enumerate(built.names) if name in taken]
            built.skipped += [(built.labels[at], _SAME_NAME) for at in again]
            built.names = [name for name in built.names if name not in taken]
            taken |= set(built.names)
        files = [Path(folder) / built.file for _, built in parts]
        return _finish(Path(folder), files, [built for _, built in parts], partial, options)


def _files_of(name: str) -> tuple[str, ...]:
    arrays = FEATURE_FOLDER, JOINT_FOLDER
    return (*(f'{kind}/{name}.npy' for kind in arrays), f'{TEXT_FOLDER}/{name}.txt')


def _write(folder: Path, files: list[Path], output: Path, options: BuildOptions) -> BuildReport:
    make_folders(output)
    taken: set[str] = set()
    found = []
    for file in tqdm(files, desc='building', unit='motion', disable=None):
        found.append(build_file(folder, file, output, options, taken))
        taken |= set(found[-1].names)
    return _finish(folder, files, found, output, options)


def _finish(
    folder: Path, files: list[Path], found: list[Built], output: Path, options: BuildOptions
) -> BuildReport:
    """Write lists, statistics and the record, when the motions are there."""
    report = BuildReport()
    for built in found:
        if built.remarks:
            report.remarks[built.file] = built.remarks
        for label, reason in built.skipped:
            report.skipped.setdefault(reason, []).append(label)
    lone = [str(file.relative_to(folder)) for file in lone_captions(folder, files)]
    if lone:
        report.skipped['captions without a motion'] = lone
    names = [name for built in found for name in built.names]
    if not names:
        reasons = '; '.join(f'{names[0]}: {why}' for why, names in report.skipped.items())
        raise DataError(f'no motion in {folder} can be used: {reasons}')
    report.splits = split_names(names, options)
    for split, chosen in report.splits.items():
        lines_of = ''.join(f'{name}\n' for name in chosen)
        (output / f'{split}.txt').write_text(lines_of, encoding='utf-8')
    train = report.splits['train']
    _write_stats(output, [np.load(output / FEATURE_FOLDER / f'{name}.npy') for name in train])
    record = {'source': folder.name, **recorded(options), 'skipped': report.skipped}
    (output / 'build.json').write_text(json.dumps(record, indent=2) + '\n', encoding='utf-8')
    return report


def recorded(options: BuildOptions) -> dict[str, Any]:
    """Options as they are written down, for JSON."""
    plain = dataclasses.asdict(dataclasses.replace(options, others=None, robots=None))
    del plain['robots']  # how a robot is found, not which
    plain['others'] = options.others.name if options.others is not None else None
    return plain


def _write_take(output: Path, name: str, take: Take, options: BuildOptions) -> None:
    """Write the files of a motion."""
    rows = _features(take, options)
    save_array(output / FEATURE_FOLDER / f'{name}.npy', rows)
    save_array(output / JOINT_FOLDER / f'{name}.npy', features_to_joints(rows))
    text = ''.join(f'{_line(line)}\n' for line in take.lines)
    (output / TEXT_FOLDER / f'{name}.txt').write_text(text, encoding='utf-8')


def _features(take: Take, options: BuildOptions) -> np.ndarray:
    """Features (T - 1, 263) of a motion that is as it should be.

    Raises:
        DataError: it is not.
    """
    motion, lines = take.motion, take.lines
    problems = joint_problems(motion.joints, motion.fps)
    if problems:
        raise DataError('; '.join(problems))
    joints = canonicalise(motion.resample(FPS).joints.astype(np.float64))
    if not options.own_bones:
        lengths = np.linalg.norm(REST_OFFSETS, axis=-1, keepdims=True)
        joints = uniform_skeleton(joints, BONE_DIRECTIONS.numpy() * lengths)
    rows = joints_to_features(joints).astype(np.float32)
    if not np.isfinite(rows).all():
        raise DataError('gives features that are not finite')
    limits = HumanML3DOptions()
    lengths_said = [where.stop - where.start for where in (line.rows(len(rows)) for line in lines)]
    if max(lengths_said) < limits.min_frames:
        raise DataError(f'shorter than {limits.min_frames + 1} frames at 20 fps')
    if not any(limits.min_frames <= length <= limits.max_frames for length in lengths_said):
        raise DataError(
            f'longer than {limits.max_frames + 1} frames at 20 fps: cut it, or write captions of '
            'parts (caption#tokens#start#end)'
        )
    return rows


def _line(line: CaptionLine) -> str:
    """A line as the authors write it; words get no part of speech, which nothing here reads."""
    tokens = ' '.join(f'{word.strip(".,;:!?").lower()}/OTHER' for word in line.text.split())
    times = f'{round(line.start_s, 3)}#{round(line.end_s, 3)}'
    return f'{line.text}#{tokens}#{times}'


def _write_stats(output: Path, clips: list[np.ndarray]) -> None:
    """Statistics of the train clips and their mirror images, as training sees both."""
    mirrored = [features_to_joints(rows)[:, MIRRORED] * (-1.0, 1.0, 1.0) for rows in clips]
    images = [joints_to_features(joints.astype(np.float64)) for joints in mirrored]
    stats = FeatureStats.of_clips([*clips, *images])
    save_array(output / 'Mean.npy', stats.mean)
    save_array(output / 'Std.npy', stats.std)
