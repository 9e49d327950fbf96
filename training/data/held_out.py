# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips that are kept back for measuring, whole takes at a time, where a data set has no others.

A pack's val split may hold no clip of an action, or none of one side. Clips of one take look
alike, so a take is never divided.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from mgpt3_ros.training.data.clip import Clip

FEWEST_TAKES = 4  # an action of fewer keeps them all
LARGEST_SHARE = 0.4  # of an action's clips that one take may take with it


def held_out_takes(clips: Sequence[Clip], share: float) -> set[tuple[str, str]]:
    """Choose (action, take) pairs that hold about ``share`` of each action's clips.

    The choice depends on the names alone. Actions of fewer than four takes, and clips whose take
    or action is not known, are left to the training.
    """
    by_action: dict[str, dict[str, int]] = {}
    for clip in clips:
        if clip.action is not None and clip.take is not None:
            takes = by_action.setdefault(clip.action, {})
            takes[clip.take] = takes.get(clip.take, 0) + 1
    held: set[tuple[str, str]] = set()
    for action, takes in by_action.items():
        if len(takes) < FEWEST_TAKES or share <= 0:
            continue
        total, taken = sum(takes.values()), 0
        for take in sorted(takes, key=lambda name: hashlib.sha256(name.encode()).digest()):
            if takes[take] <= LARGEST_SHARE * total and taken < share * total:
                held.add((action, take))
                taken += takes[take]
    return held
