# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reader of packs: mocap22 and motion52, captioned motion in HumanML3D's joint layout.

A pack is a folder of three files. ``motions.npz`` holds ``delta`` int16 (frames, 22, 3), ``start``
int64 (clips + 1,) and ``unit`` [m]: clip i is the running sum of its deltas times the unit, at
20 fps. ``captions.json`` has an entry a clip: ``id``, ``frames``, ``captions``, ``split``,
``source``, ``caption_kind``, and in motion52 ``action``, ``style`` and ``take``. ``text_only.txt``
has captions without motions, one a line.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mgpt3_ros.model.import_path import import_named
from mgpt3_ros.model.kinematics.skeleton import MAX_FRAMES
from mgpt3_ros.training.data.caption_lines import text_lines
from mgpt3_ros.training.data.clip import Clip, DataError

# Contents that count as one action, and those with so few takes that they count in no figure.
SAME_ACTION = {
    'dash': 'run',
    'dance-long': 'dance',
    'dance-short': 'dance',
    'byebye': 'wave-both-hands',
}
UNCOUNTED_ACTIONS = ('call', 'dance', 'kick', 'punch', 'slash')


@dataclass(frozen=True)
class PackOptions:
    """What of a pack is trained on, and how it is drawn.

    min_frames: the shortest clip, in frames of 1/20 s. 20: less shows no action.
    max_frames: the longest. 200 (10 s), the model's limit.
    mirror: add the mirror image of each clip, left and right swapped in its captions. On: there
        are few clips of most actions, and no side should be more common than the other.
    epochs: every clip once an epoch, in an order of the seed. Off: clips are drawn by the
        preset's ``balance``, so that rare actions are seen too.
    """

    min_frames: int = 20
    max_frames: int = MAX_FRAMES
    mirror: bool = True
    epochs: bool = False


@dataclass(frozen=True)
class MotionPack:
    """All clips, the captions without motion, and a hash of the files."""

    train: list[Clip]
    val: list[Clip]
    text_only: list[str]
    digest: str


def read_pack(reader: str, folder: str | Path) -> MotionPack:
    """Clips that a user's reader gives: a function of the folder, named by its import path.

    Raises:
        ConfigError: there is no such function.
        DataError: it gives no clips, two of a name, or motions that are none.
    """
    clips = list(import_named(reader, 'reader')(Path(folder)))
    digest, names = hashlib.sha256(), set[str]()
    for clip in clips:
        if not isinstance(clip, Clip):
            raise DataError(f'{reader} must give clips, not {type(clip).__name__}')
        where = f'{reader}: clip {clip.id}'
        if clip.joints.ndim != 3 or clip.joints.shape[1:] != (22, 3) or len(clip.joints) < 2:
            raise DataError(f'{where} must be joints (T, 22, 3), got {clip.joints.shape}')
        if not np.isfinite(clip.joints).all():
            raise DataError(f'{where} holds NaN or infinity')
        if clip.id in names or not clip.captions:
            raise DataError(f'{where} {"comes twice" if clip.id in names else "has no caption"}')
        names.add(clip.id)
        digest.update(f'{clip.id} {clip.split} {clip.action} {clip.captions}\n'.encode())
        digest.update(np.ascontiguousarray(clip.joints, dtype=np.float32).tobytes())
    parts = {s: [clip for clip in clips if clip.split == s] for s in ('train', 'val')}
    if not parts['train']:
        raise DataError(f'{reader} gives no clip of split train in {folder}')
    return MotionPack(parts['train'], parts['val'], [], digest.hexdigest())


def action_of(caption_kind: str) -> tuple[str | None, str | None]:
    """Action and style of a ``template:CONTENT/STYLE``, None for other kinds."""
    kind, _, rest = caption_kind.partition(':')
    content, found, style = rest.partition('/')
    if kind != 'template' or not found:
        return None, None
    return SAME_ACTION.get(content, content), style


def load_pack(folder: str | Path) -> MotionPack:
    """Read the pack.

    Raises:
        DataError: a file is missing or damaged, or they do not belong together.
    """
    folder = Path(folder)
    files = [folder / name for name in ('motions.npz', 'captions.json', 'text_only.txt')]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise DataError(
            f'{folder} is no pack of motions: {", ".join(missing)} not found '
            '(and no folder new_joint_vecs, as HumanML3D has)'
        )
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    try:
        with np.load(files[0], allow_pickle=False) as data:
            delta, start, unit = data['delta'], data['start'], float(data['unit'])
        entries = json.loads(files[1].read_text(encoding='utf-8'))
        text_only = text_lines(files[2].read_bytes())
        if delta.shape != (start[-1], 22, 3):
            raise ValueError(f'motions of shape {delta.shape}, not ({start[-1]}, 22, 3)')
        if not isinstance(entries, list):
            raise ValueError(f'captions.json holds a {type(entries).__name__}, not a list')
        if len(entries) != len(start) - 1:
            raise ValueError(f'{len(start) - 1} motions, but captions for {len(entries)} clips')
        clips = [
            _clip(entry, np.cumsum(delta[begin:end].astype(np.int32), axis=0) * unit)
            for entry, begin, end in zip(entries, start[:-1], start[1:], strict=True)
        ]
    except Exception as error:  # numpy, zipfile and zlib have a dozen kinds for damaged files
        what = f'{error} is missing' if isinstance(error, KeyError) else str(error)
        raise DataError(f'the pack in {folder} is damaged: {what}') from error
    return MotionPack(
        [clip for clip in clips if clip.split == 'train'],
        [clip for clip in clips if clip.split == 'val'],
        [line.strip() for line in text_only if line.strip()],
        digest.hexdigest(),
    )


def _clip(entry: dict[str, Any], joints: np.ndarray) -> Clip:
    """A clip of its entry in ``captions.json`` and its joints (T, 22, 3) [m]."""
    if len(joints) != entry['frames']:
        raise ValueError(f'clip {entry["id"]} has {len(joints)} frames, not {entry["frames"]}')
    if not entry['captions']:
        raise ValueError(f'clip {entry["id"]} has no caption')
    action, style = entry.get('action'), entry.get('style')
    if 'action' not in entry and entry['source'] == 'bandai':
        action, style = action_of(entry['caption_kind'])
    return Clip(
        entry['id'],
        joints.astype(np.float32),
        tuple(entry['captions']),
        entry['split'],
        entry['source'],
        action,
        style,
        entry.get('take'),
    )
