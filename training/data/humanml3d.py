# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reader of HumanML3D's folder layout, as its authors ship it and `building` writes it.

``new_joint_vecs/ID.npy`` features (T, 263), ``new_joints/ID.npy`` joints (T, 22, 3) [m],
``texts/ID.txt`` lines ``caption#tokens#start#end`` [s], ``train.txt``, ``val.txt`` and
``test.txt`` with an ID a line, ``Mean.npy`` and ``Std.npy`` (263,); everything at 20 fps.
"""

from __future__ import annotations

import hashlib
import logging
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.features import (
    FEATURES,
    canonicalise,
    features_to_joints,
    joints_to_features,
)
from mgpt3_ros.model.skeleton import FPS, MAX_FRAMES, MIRRORED
from mgpt3_ros.model.stats import FeatureStats
from mgpt3_ros.training.data.captions import mirror_caption
from mgpt3_ros.training.data.mocap22 import Clip, DataError

FEATURE_FOLDER, JOINT_FOLDER, TEXT_FOLDER = 'new_joint_vecs', 'new_joints', 'texts'
SPLITS = ('train', 'val', 'test')
_LOG = logging.getLogger(__name__)
_MIRRORED_ID = re.compile(r'M\d{6}')  # the authors' names of mirrored copies


@dataclass(frozen=True)
class HumanML3DOptions:
    """Which clips of a folder are taken; lengths count rows of features, 20 a second.

    min_frames: the shortest. 20 (1 s), as the authors train; the evaluation of text to motion
        takes 40.
    max_frames: the longest, itself included. 199, since HumanML3D's motions are cut to 10 s
        (200 frames, of which the last gives no features), which is also the model's limit.
    crop_long: take the beginning of longer clips. Off: captions may speak of what is cut away.
    sub_clips: take the captions of parts of motions, each part as a clip of its own. On, as the
        authors do: it is a fifth more text for motion that is there anyway.
    mirror: add the mirror image of each train motion, left and right swapped in its captions, if
        the folder does not have it already (``M`` and the ID). On: twice the data, and no side
        is more common than the other.
    """

    min_frames: int = 20
    max_frames: int = MAX_FRAMES - 1
    crop_long: bool = False
    sub_clips: bool = True
    mirror: bool = True


@dataclass(frozen=True)
class CaptionLine:
    """A line of a caption file; start and end [s] are both 0 for the whole motion."""

    text: str
    start_s: float
    end_s: float

    @property
    def is_part(self) -> bool:
        """Whether it speaks of a part of the motion."""
        return (self.start_s, self.end_s) != (0.0, 0.0)

    def rows(self, count: int) -> slice:
        """The rows of features, of ``count``, of which it speaks."""
        if not self.is_part:
            return slice(0, count)
        return slice(int(self.start_s * FPS), min(int(self.end_s * FPS), count))


@dataclass
class HumanML3DPack:
    """What was read: by split, clips and their features (T, 263) float32, not normalised.

    stats: of ``Mean.npy`` and ``Std.npy``; None where the folder has none.
    skipped: by reason, the names of what was left out.
    digest: hash of the files that were read.
    """

    stats: FeatureStats | None = None
    digest: str = ''
    clips: dict[str, list[Clip]] = field(default_factory=dict)
    features: dict[str, list[np.ndarray]] = field(default_factory=dict)
    skipped: dict[str, list[str]] = field(default_factory=dict)


class _SkipError(Exception):
    """Why a motion or a caption cannot be used."""


def is_humanml3d(folder: str | Path) -> bool:
    """Whether a folder has HumanML3D's layout."""
    return (Path(folder) / FEATURE_FOLDER).is_dir()


def load_humanml3d(
    folder: str | Path,
    options: HumanML3DOptions | None = None,
    splits: Sequence[str] = ('train', 'val'),
) -> HumanML3DPack:
    """Read some splits. What cannot be used is left out, counted and logged as a warning.

    Features stay in their files, memory-mapped, where these are float32.

    Raises:
        DataError: a list or the statistics are missing or damaged, or a split has nothing usable.
    """
    reader = _Reader(Path(folder), options or HumanML3DOptions())
    for split in splits:
        reader.read_split(split)
    pack = reader.pack
    pack.stats = reader.read_stats()
    pack.digest = reader.digest.hexdigest()
    for line in skip_lines(pack.skipped):
        _LOG.warning('%s: %s', folder, line)
    return pack


def skip_lines(skipped: Mapping[str, Sequence[str]]) -> list[str]:
    """What was left out, for people: a line per reason, with the first three names."""
    lines = []
    for reason, names in skipped.items():
        some = ', '.join(names[:3]) + (', ...' if len(names) > 3 else '')
        lines.append(f'{len(names)} left out, {reason}: {some}')
    return lines


def read_list(file: Path) -> list[str]:
    """The IDs of a split list, each once.

    Raises:
        DataError: the list is missing, unreadable or empty.
    """
    try:
        lines = file.read_text(encoding='utf-8').split()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'cannot read the split list {file}: {error}') from error
    if not lines:
        raise DataError(f'the split list {file} is empty: write one ID of {FEATURE_FOLDER} a line')
    return list(dict.fromkeys(lines))


def mirrored_id(name: str, names: set[str]) -> bool:
    """Whether a motion is the mirrored copy of another, by the authors' naming."""
    return bool(_MIRRORED_ID.fullmatch(name)) or (name[:1] == 'M' and name[1:] in names)


def parse_caption_line(line: str) -> CaptionLine:
    """Read ``caption#tokens#start#end``.

    Raises:
        ValueError: it has another form, no caption, or times that are no part of a motion.
    """
    fields = line.strip().split('#')
    if len(fields) != 4:
        raise ValueError(f'{len(fields)} fields, not caption#tokens#start#end')
    text = fields[0].strip()
    if not text:
        raise ValueError('no caption')
    # HumanML3D writes nan where no time was given.
    start, end = (0.0 if math.isnan(time) else time for time in map(float, fields[2:]))
    if (start, end) != (0.0, 0.0) and not 0 <= start < end < math.inf:
        raise ValueError(f'from {start:g} s to {end:g} s is no part of a motion')
    return CaptionLine(text, start, end)


def load_array(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers (T, *shape) float32 of an ``.npy``, memory-mapped where they are stored so.

    Raises:
        ValueError: the file is damaged or holds something else, or values that are not finite.
    """
    try:
        array = np.load(file, mmap_mode='r', allow_pickle=False)
    except (ValueError, EOFError, SyntaxError) as error:
        raise ValueError(f'damaged .npy: {" ".join(str(error).split())}') from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in 'fiu':
        raise ValueError('no array of numbers')
    if array.ndim != 1 + len(shape) or array.shape[1:] != shape:
        expected = ', '.join(map(str, shape))
        raise ValueError(f'an array of shape {array.shape}, not (T, {expected})')
    if len(array) == 0:
        raise ValueError('no frames')
    if not np.isfinite(array).all():
        row = int(np.argmax(~np.isfinite(array).reshape(len(array), -1).all(axis=1)))
        raise ValueError(f'values that are not finite, first in row {row}')
    return np.asarray(array, dtype=np.float32)


def load_stats(folder: Path) -> FeatureStats | None:
    """``Mean.npy`` and ``Std.npy``; None where neither is there.

    Raises:
        DataError: one is missing, or they are damaged.
    """
    files = [folder / 'Mean.npy', folder / 'Std.npy']
    missing = [file.name for file in files if not file.is_file()]
    if len(missing) == 2:
        return None
    if missing:
        raise DataError(f'{folder} lacks {missing[0]}: put it there, or remove the other too')
    try:
        mean, std = (np.load(file, allow_pickle=False) for file in files)
        return FeatureStats(mean, std)
    except (OSError, ValueError, EOFError, TypeError, CheckpointError) as error:
        raise DataError(f'Mean.npy and Std.npy in {folder} are no statistics: {error}') from error


class _Reader:
    """Reads splits of a folder, and keeps account of what it leaves out."""

    def __init__(self, folder: Path, options: HumanML3DOptions) -> None:
        if not 2 <= options.min_frames <= options.max_frames:
            raise DataError(
                f'min_frames {options.min_frames} to max_frames {options.max_frames} '
                'leaves no clip'
            )
        self.folder, self.options = folder, options
        self.digest = hashlib.sha256()
        self.pack = HumanML3DPack()

    def read_stats(self) -> FeatureStats | None:
        stats = load_stats(self.folder)
        if stats is not None:
            self.digest.update(stats.mean.tobytes() + stats.std.tobytes())
        return stats

    def read_split(self, split: str) -> None:
        """Put the clips of a split into the pack."""
        names = read_list(self.folder / f'{split}.txt')
        together = set(names)
        clips: list[Clip] = []
        features: list[np.ndarray] = []
        images: list[tuple[Clip, np.ndarray]] = []
        for name in tqdm(names, desc=f'reading {split}', unit='motion', disable=None):
            try:
                rows, joints, lines = self._motion(name)
            except _SkipError as skip:
                self._skip(str(skip), name)
                continue
            found = self._cut(name, split, rows, joints, lines)
            clips += [clip for clip, _ in found]
            features += [part for _, part in found]
            has_image = mirrored_id(name, together) or f'M{name}' in together
            if found and split == 'train' and self.options.mirror and not has_image:
                images += self._mirror(name, joints, lines)
        clips += [clip for clip, _ in images]
        features += [part for _, part in images]
        if not clips:
            reasons = '; '.join(skip_lines(self.pack.skipped)) or 'the list names nothing'
            raise DataError(f'{self.folder}: nothing usable in {split}.txt ({reasons})')
        self.pack.clips[split], self.pack.features[split] = clips, features

    def _motion(self, name: str) -> tuple[np.ndarray, np.ndarray, list[CaptionLine]]:
        """Features, joints and captions of an ID."""
        vectors = self.folder / FEATURE_FOLDER / f'{name}.npy'
        if not vectors.is_file():
            raise _SkipError(f'motion missing in {FEATURE_FOLDER}')
        rows = self._array(vectors, (FEATURES,))
        lines = self._lines(name)
        positions = self.folder / JOINT_FOLDER / f'{name}.npy'
        joints = self._array(positions, (22, 3)) if positions.is_file() else None
        # The authors' joints are those that the features give, which serve as well.
        if joints is None:
            joints = features_to_joints(np.array(rows))
        elif len(joints) < len(rows):
            raise _SkipError(f'{JOINT_FOLDER} shorter than {FEATURE_FOLDER}')
        return rows, np.array(joints[: len(rows)]), lines

    def _array(self, file: Path, shape: tuple[int, ...]) -> np.ndarray:
        try:
            self.digest.update(file.read_bytes())
            return load_array(file, shape)
        except (OSError, ValueError) as error:
            raise _SkipError(f'{file.parent.name} unusable ({_kind(str(error))})') from error

    def _lines(self, name: str) -> list[CaptionLine]:
        file = self.folder / TEXT_FOLDER / f'{name}.txt'
        if not file.is_file():
            raise _SkipError(f'captions missing in {TEXT_FOLDER}')
        try:
            content = file.read_bytes()
            written = content.decode('utf-8').splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise _SkipError(f'unreadable file in {TEXT_FOLDER}') from error
        self.digest.update(content)
        lines = []
        for number, line in enumerate(written, 1):
            if not line.strip():
                continue
            try:
                lines.append(parse_caption_line(line))
            except ValueError:
                self._skip('captions that are not caption#tokens#start#end', f'{name}:{number}')
        if not lines:
            raise _SkipError('no caption')
        return lines

    def _cut(
        self,
        name: str,
        split: str,
        rows: np.ndarray,
        joints: np.ndarray,
        lines: list[CaptionLine],
        count: bool = True,
    ) -> list[tuple[Clip, np.ndarray]]:
        """The motion, and each part that a caption speaks of, as clips; captions by part."""
        parts: dict[tuple[int, int], list[str]] = {}
        for line in lines:
            if line.is_part and not self.options.sub_clips:
                continue
            where = line.rows(len(rows))
            parts.setdefault((where.start, where.stop), []).append(line.text)
        found = []
        for (start, stop), captions in parts.items():
            whole = (start, stop) == (0, len(rows))
            label = name if whole else f'{name}#{start}-{stop}'
            length = stop - start
            if length > self.options.max_frames and self.options.crop_long:
                stop = start + self.options.max_frames
            elif not self.options.min_frames <= length <= self.options.max_frames:
                if count:
                    self._skip(self._length_reason(length), label)
                continue
            clip = Clip(label, joints[start:stop], tuple(captions), split, 'humanml3d', None)
            found.append((clip, rows[start:stop]))
        return found

    def _length_reason(self, length: int) -> str:
        if length <= 0:
            return 'captions of a part that the motion does not have'
        if length < self.options.min_frames:
            return f'shorter than {self.options.min_frames} frames'
        return f'longer than {self.options.max_frames} frames'

    def _mirror(
        self, name: str, joints: np.ndarray, lines: list[CaptionLine]
    ) -> list[tuple[Clip, np.ndarray]]:
        mirrored = joints[:, MIRRORED] * np.array([-1, 1, 1], dtype=np.float32)
        moved = canonicalise(mirrored.astype(np.float64))
        # The frame after the last is not stored: it goes on as before, so that no row is lost.
        after = 2 * moved[-1:] - moved[-2:-1]
        rows = joints_to_features(np.concatenate([moved, after]), canonical=False)
        swapped = [CaptionLine(mirror_caption(x.text), x.start_s, x.end_s) for x in lines]
        found = f'{name}~mirrored', 'train', rows.astype(np.float32), mirrored, swapped
        return self._cut(*found, count=False)  # as with the motion itself, which was counted

    def _skip(self, reason: str, name: str) -> None:
        self.pack.skipped.setdefault(reason, []).append(name)


def _kind(message: str) -> str:
    """The sort of error, so that many files of one sort count together."""
    return re.split(r':|, first in', message)[0]
