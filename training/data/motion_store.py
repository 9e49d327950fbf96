# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The motions of a folder in HumanML3D's layout as two memory-mapped files of a cache.

The folder has tens of thousands of files, more than a process may hold open, and more than several
processes want to hold in memory each.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
from tqdm import tqdm

from mgpt3_ros.model.atomic_files import whole_files
from mgpt3_ros.model.kinematics.features import (
    FEATURES,
    canonicalise,
    features_to_joints,
    joints_to_features,
)
from mgpt3_ros.model.kinematics.skeleton import MIRRORED
from mgpt3_ros.model.language.pretrained import user_cache

FEATURE_FOLDER, JOINT_FOLDER = 'new_joint_vecs', 'new_joints'
STORE_VERSION = 1  # raise it when what is stored changes


@dataclass
class MotionStore:
    """Motions by ID, with their mirror images where these were asked for.

    spans, images: by ID, first row and number of rows of the motion and of its mirror image.
    skipped: by ID, why a motion cannot be used.
    digest: hash of all rows.
    features: (N, 263) float32 of all motions, not normalised.
    joints: (N, 22, 3) float32 [m], Y up.
    """

    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    images: dict[str, tuple[int, int]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    digest: str = ''
    features: np.ndarray = field(default_factory=lambda: np.zeros((0, FEATURES), np.float32))
    joints: np.ndarray = field(default_factory=lambda: np.zeros((0, 22, 3), np.float32))

    def motion(self, name: str, mirrored: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Features (T, 263) and joints (T, 22, 3), as views."""
        start, count = (self.images if mirrored else self.spans)[name]
        rows = slice(start, start + count)
        return self.features[rows], self.joints[rows]


def cache_folder() -> Path:
    """Where caches lie: the user's cache folder."""
    return user_cache()


def open_motions(
    folder: Path, names: Sequence[str], mirrored: set[str], cache: Path
) -> MotionStore:
    """Read motions, or map what an earlier call has read.

    Args:
        folder: the data set.
        names: IDs.
        mirrored: those whose mirror image is wanted as well.
        cache: folder of the cache. Its key is made of the names, sizes and times of the files.
    """
    key = _key(folder, names, mirrored)
    paths = {kind: cache / f'motions-{key}.{kind}' for kind in ('features', 'joints', 'json')}
    # A cache that is damaged is made anew.
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return _map(paths)
    with whole_files(cache) as partial:
        features, joints = partial / paths['features'].name, partial / paths['joints'].name
        with features.open('wb') as rows, joints.open('wb') as poses:
            index = _write(folder, names, mirrored, rows, poses)
    with whole_files(cache) as partial:  # last: it says that the others are whole
        (partial / paths['json'].name).write_text(json.dumps(index), encoding='utf-8')
    return _map(paths)


def load_array(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers (T, *shape) float32 of an ``.npy``.

    Raises:
        ValueError: the file is damaged or holds something else, or values that are not finite.
    """
    try:
        array = np.load(file, allow_pickle=False)
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


def mirror_image(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features (T, 263) and joints (T, 22, 3) of a motion as a mirror shows it."""
    image = joints[:, MIRRORED] * np.array([-1, 1, 1], dtype=np.float32)
    moved = canonicalise(image.astype(np.float64))
    # The frame after the last is not stored: it goes on as before, so that no row is lost.
    after = 2 * moved[-1:] - moved[-2:-1]
    rows = joints_to_features(np.concatenate([moved, after]), canonical=False)
    return rows.astype(np.float32), image


def _key(folder: Path, names: Sequence[str], mirrored: set[str]) -> str:
    key = hashlib.sha256(f'{STORE_VERSION}'.encode())
    for name in names:
        key.update(f'{name} {name in mirrored}'.encode())
        for kind in (FEATURE_FOLDER, JOINT_FOLDER):
            with contextlib.suppress(OSError):
                about = (folder / kind / f'{name}.npy').stat()
                key.update(f' {kind} {about.st_size} {about.st_mtime_ns}'.encode())
    return key.hexdigest()[:16]


def _map(paths: dict[str, Path]) -> MotionStore:
    index = json.loads(paths['json'].read_text(encoding='utf-8'))
    count = index['rows']
    if not count:
        return MotionStore(skipped=index['skipped'], digest=index['digest'])
    for kind, width in (('features', FEATURES), ('joints', 66)):
        if paths[kind].stat().st_size != 4 * width * count:
            raise ValueError(f'{paths[kind]} is not whole')
    return MotionStore(
        {name: (start, rows) for name, (start, rows) in index['spans'].items()},
        {name: (start, rows) for name, (start, rows) in index['images'].items()},
        index['skipped'],
        index['digest'],
        np.asarray(np.memmap(paths['features'], np.float32, 'r', shape=(count, FEATURES))),
        np.asarray(np.memmap(paths['joints'], np.float32, 'r', shape=(count, 22, 3))),
    )


def _write(
    folder: Path,
    names: Sequence[str],
    mirrored: set[str],
    features: IO[bytes],
    joints: IO[bytes],
) -> dict[str, object]:
    """Append all motions to two files; return the index."""
    digest, rows = hashlib.sha256(), 0
    spans: dict[str, tuple[int, int]] = {}
    images: dict[str, tuple[int, int]] = {}
    skipped: dict[str, str] = {}
    for name in tqdm(names, desc='reading motions', unit='motion', disable=None):
        try:
            motion = _read(folder, name)
        except ValueError as error:
            skipped[name] = str(error)
            continue
        found = [(spans, motion)]
        if name in mirrored and len(motion[1]) > 1:
            found.append((images, mirror_image(motion[1])))
        for places, (vectors, positions) in found:
            for array, file in ((vectors, features), (positions, joints)):
                content = np.asarray(array, np.float32).tobytes()
                digest.update(content)
                file.write(content)
            places[name] = (rows, len(vectors))
            rows += len(vectors)
    return {
        'rows': rows,
        'spans': spans,
        'images': images,
        'skipped': skipped,
        'digest': digest.hexdigest(),
    }


def _read(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Features and joints of an ID; ValueError says why it cannot be used."""
    vectors = folder / FEATURE_FOLDER / f'{name}.npy'
    if not vectors.is_file():
        raise ValueError(f'motion missing in {FEATURE_FOLDER}')
    rows = _usable(vectors, (FEATURES,))
    positions = folder / JOINT_FOLDER / f'{name}.npy'
    # The authors' joints are those that the features give, which serve as well.
    if not positions.is_file():
        return rows, features_to_joints(rows)
    joints = _usable(positions, (22, 3))
    if len(joints) < len(rows):
        raise ValueError(f'{JOINT_FOLDER} shorter than {FEATURE_FOLDER}')
    return rows, joints[: len(rows)]


def _usable(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    try:
        return load_array(file, shape)
    except ValueError as error:
        # The sort of error alone, so that many files of one sort count together.
        kind = re.split(r':|, first in', str(error))[0]
        raise ValueError(f'{file.parent.name} unusable ({kind})') from error
