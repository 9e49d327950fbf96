# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A made-up mocap22 pack of a few swinging figures, in the format of the real one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from tests.support.tiny import swinging_motion

UNIT = 0.00025  # metres per step of the stored integers

# Content and style of each clip, its captions and its split.
ACTIONS: tuple[tuple[str, str, str], ...] = (
    ('wave-left-hand/normal', 'a person waves the left hand.', 'train'),
    ('wave-right-hand/active', 'a person waves the right hand.', 'train'),
    ('walk/tired', 'a person walks forward.', 'train'),
    ('walk/normal', 'someone walks.', 'train'),
    ('walk/old', 'a person walks ahead.', 'train'),
    ('dash/normal', 'a person runs.', 'train'),
    ('byebye/normal', 'a person waves with both hands.', 'train'),
    ('walk-turn-left/normal', 'a person walks and turns to the left.', 'val'),
)


def tiny_clips(frames: Sequence[int] = (40, 48, 56, 64, 72, 44, 52, 60)) -> list[np.ndarray]:
    """Joints (T, 22, 3) [m] of each clip, on the grid of the stored integers."""
    clips = [swinging_motion(seed, count, 0.3 * seed) for seed, count in enumerate(frames)]
    return [np.rint(clip / UNIT) * UNIT for clip in clips]


def tiny_entries(clips: Sequence[np.ndarray]) -> list[dict[str, Any]]:
    """Entries of ``captions.json``; the last train clip is not of Bandai-Namco."""
    entries: list[dict[str, Any]] = [
        {
            'id': f'clip-{index}',
            'frames': len(clip),
            'captions': [caption, f'{caption[:-1]} again.'],
            'split': split,
            'source': 'bandai',
            'caption_kind': f'template:{kind}',
        }
        for index, (clip, (kind, caption, split)) in enumerate(zip(clips, ACTIONS, strict=True))
    ]
    entries[4] |= {'source': 'cmu:01_02', 'caption_kind': 'humanml3d'}
    return entries


def write_tiny_pack(folder: Path, frames: Sequence[int] | None = None, **changes: Any) -> Path:
    """Write the pack; ``changes`` replace arrays of ``motions.npz``, ``entries`` or ``text``."""
    clips = tiny_clips(frames) if frames else tiny_clips()
    steps = [np.rint(clip / UNIT).astype(np.int64) for clip in clips]
    delta = np.concatenate([np.diff(clip, axis=0, prepend=0) for clip in steps])
    arrays = {
        'delta': delta.astype(np.int16),
        'start': np.cumsum([0, *map(len, clips)]),
        'unit': np.float64(UNIT),
        'fps': np.float64(20),
    }
    arrays |= {name: changes[name] for name in arrays if name in changes}
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / 'motions.npz', **arrays)
    entries = changes.get('entries', tiny_entries(clips))
    (folder / 'captions.json').write_text(json.dumps(entries), encoding='utf-8')
    text = changes.get('text', 'a person sits down.\n\na man jumps over a box.\n')
    (folder / 'text_only.txt').write_text(text, encoding='utf-8')
    return folder


def write_standing_pack(folder: Path) -> Path:
    """The pack with one figure that stands, the arms hanging: a stream begins from that pose."""
    clips = tiny_clips()
    pose = clips[3][0].copy()
    for side in ('left', 'right'):
        shoulder, elbow, wrist = (
            JOINT_NAMES.index(f'{side}_{name}') for name in ('shoulder', 'elbow', 'wrist')
        )
        pose[elbow] = pose[shoulder] - [0.0, 0.3, 0.0]
        pose[wrist] = pose[elbow] - [0.0, 0.25, 0.0]
    clips[3] = np.repeat(np.rint(pose / UNIT)[None] * UNIT, len(clips[3]), axis=0)
    steps = [np.rint(clip / UNIT).astype(np.int64) for clip in clips]
    delta = np.concatenate([np.diff(clip, axis=0, prepend=0) for clip in steps]).astype(np.int16)
    entries = tiny_entries(clips)
    entries[3] |= {'action': 'stand', 'style': 'normal', 'take': None}
    return write_tiny_pack(folder, delta=delta, entries=entries)
