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
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.kinematics.skeleton import MAX_FRAMES
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.released import convert
from mgpt3_ros.training.data.caption_lines import CaptionLine, parse_caption_line, text_lines
from mgpt3_ros.training.data.clip import Clip, DataError
from mgpt3_ros.training.data.mirroring import mirror_caption
from mgpt3_ros.training.data.motion_store import FEATURE_FOLDER, cache_folder, open_motions

TEXT_FOLDER = 'texts'
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
    epochs: every clip once an epoch, in an order of the seed. On: there is no list of actions by
        which to balance them.
    """

    min_frames: int = 20
    max_frames: int = MAX_FRAMES - 1
    crop_long: bool = False
    sub_clips: bool = True
    mirror: bool = True
    epochs: bool = True


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
    cache: str | Path | None = None,
) -> HumanML3DPack:
    """Read some splits. What cannot be used is left out, counted and logged as a warning.

    Args:
        folder: the data set.
        options: which clips are taken.
        splits: names of split lists.
        cache: folder of the cache in which features and joints lie memory-mapped; None for one
            in the user's cache folder.

    Raises:
        DataError: a list or the statistics are missing or damaged, or a split has nothing usable.
    """
    reader = _Reader(
        Path(folder), options or HumanML3DOptions(), Path(cache) if cache else cache_folder()
    )
    for split in splits:
        reader.read_split(split)
    pack = reader.pack
    pack.stats = load_stats(reader.folder)
    if pack.stats is not None:
        reader.digest.update(pack.stats.mean.tobytes() + pack.stats.std.tobytes())
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
    """The IDs of a split list, one a line, each once; there may be blanks in them.

    Raises:
        DataError: the list is missing, unreadable or empty.
    """
    try:
        names = [line.strip() for line in text_lines(file.read_bytes())]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'cannot read the split list {file}: {error}') from error
    if not any(names):
        raise DataError(f'the split list {file} is empty: write one ID of {FEATURE_FOLDER} a line')
    return list(dict.fromkeys(filter(None, names)))


def mirrored_id(name: str, names: set[str]) -> bool:
    """Whether a motion is the mirrored copy of another, by the authors' naming."""
    return bool(_MIRRORED_ID.fullmatch(name)) or (name[:1] == 'M' and name[1:] in names)


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
        return convert.load_stats(*files)
    except (CheckpointError, TypeError) as error:
        raise DataError(f'Mean.npy and Std.npy in {folder} are no statistics: {error}') from error


class _Reader:
    """Reads splits of a folder, and keeps account of what it leaves out."""

    def __init__(self, folder: Path, options: HumanML3DOptions, cache: Path) -> None:
        if not 2 <= options.min_frames <= options.max_frames:
            raise DataError(
                f'min_frames {options.min_frames} to max_frames {options.max_frames} '
                'leaves no clip'
            )
        self.folder, self.options, self.cache = folder, options, cache
        self.digest = hashlib.sha256()
        self.pack = HumanML3DPack()

    def read_split(self, split: str) -> None:
        """Put the clips of a split into the pack."""
        names = read_list(self.folder / f'{split}.txt')
        together = set(names)
        mirrored = {
            name
            for name in names
            if split == 'train' and self.options.mirror
            if not mirrored_id(name, together) and f'M{name}' not in together
        }
        store = open_motions(self.folder, names, mirrored, self.cache)
        self.digest.update(store.digest.encode())
        found: list[tuple[Clip, np.ndarray]] = []
        images: list[tuple[Clip, np.ndarray]] = []
        for name in names:
            try:
                if name in store.skipped:
                    raise _SkipError(store.skipped[name])
                lines = self._lines(name)
            except _SkipError as skip:
                self._skip(str(skip), name)
                continue
            found += self._cut(name, split, *store.motion(name), lines)
            if name in store.images:
                swapped = [replace(line, text=mirror_caption(line.text)) for line in lines]
                image = store.motion(name, mirrored=True)
                # As with the motion itself, which was counted.
                images += self._cut(f'{name}~mirrored', split, *image, swapped, count=False)
        found += images
        if not found:
            reasons = '; '.join(skip_lines(self.pack.skipped)) or 'the list names nothing'
            raise DataError(f'{self.folder}: nothing usable in {split}.txt ({reasons})')
        self.pack.clips[split] = [clip for clip, _ in found]
        self.pack.features[split] = [rows for _, rows in found]

    def _lines(self, name: str) -> list[CaptionLine]:
        try:
            content = (self.folder / TEXT_FOLDER / f'{name}.txt').read_bytes()
            written = text_lines(content)
        except FileNotFoundError as error:
            raise _SkipError(f'captions missing in {TEXT_FOLDER}') from error
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
        if not parts and count:
            self._skip('no caption of the whole, and sub_clips is off', name)
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

    def _skip(self, reason: str, name: str) -> None:
        self.pack.skipped.setdefault(reason, []).append(name)
