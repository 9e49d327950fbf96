# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two lists of actions: the fifteen of mocap22, and all others that a pack has."""

from __future__ import annotations

from collections import Counter

from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.held_out import held_out_takes
from mgpt3_ros.training.data.packs import UNCOUNTED_ACTIONS, MotionPack
from mgpt3_ros.training.data.phrases import wordings

LEAST_TRAIN_CLIPS = 6  # of a new action that is measured


def old_actions() -> set[str]:
    """The fifteen actions that mocap22 has, by the names of their wordings."""
    named = set(wordings()['sentences'])
    sided = {n.replace('SIDE', s) for n in named if 'SIDE' in n for s in ('left', 'right')}
    return ({n for n in named if 'SIDE' not in n} | sided) - set(UNCOUNTED_ACTIONS)


def split(pack: MotionPack, share: float) -> tuple[list[Clip], list[Clip], list[Clip]]:
    """Train clips, and clips to measure on: of the old actions, and of the new ones."""
    held = held_out_takes(pack.train, share)
    train = [clip for clip in pack.train if (clip.action, clip.take) not in held]
    counts = Counter(clip.action for clip in train)
    known = old_actions()
    others = [clip for clip in pack.train if (clip.action, clip.take) in held] + [
        clip for clip in pack.val if clip.action not in known
    ]
    new = [c for c in others if c.action and counts[c.action] >= LEAST_TRAIN_CLIPS]
    new = [clip for clip in new if clip.action not in known]
    return train, [clip for clip in pack.val if clip.action in known], new
