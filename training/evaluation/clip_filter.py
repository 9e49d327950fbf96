# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips that a protocol can use, of either layout of a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mgpt3_ros.training.data.clip import Clip, DataError
from mgpt3_ros.training.data.humanml3d import (
    SPLITS,
    HumanML3DOptions,
    is_humanml3d,
    load_humanml3d,
)
from mgpt3_ros.training.data.packs import load_pack, read_pack
from mgpt3_ros.training.evaluation.metrics import MetricError


def load_clips(
    folder: str | Path,
    split: str = 'val',
    options: HumanML3DOptions | None = None,
    cache: str | Path | None = None,
    reader: str | None = None,
) -> tuple[list[Clip], str]:
    """Clips of a split, not mirrored, and the hash of what was read.

    Args:
        folder: of a pack (`packs`), or one in HumanML3D's layout.
        split: ``train`` or ``val``; HumanML3D's layout has ``test`` too.
        options: which clips of HumanML3D's layout are taken.
        cache: folder of its cache; None for the user's.
        reader: import path of a function that gives the clips of a folder; None: its layout is
            known.

    Raises:
        DataError: the data set is missing or damaged, or has no such split.
    """
    if reader is None and is_humanml3d(folder):
        if split not in SPLITS:
            raise DataError(f'no split {split!r}; there are {", ".join(SPLITS)}')
        taken = replace(options or HumanML3DOptions(), mirror=False)
        found = load_humanml3d(folder, taken, (split,), cache)
        return found.clips[split], found.digest
    pack = load_pack(folder) if reader is None else read_pack(reader, folder)
    parts = {'train': pack.train, 'val': pack.val}
    if split not in parts:
        raise DataError(f'a pack has no split {split!r}; it has {", ".join(parts)}')
    if not parts[split]:
        raise DataError(f'split {split!r} of {folder} is empty')
    return parts[split], pack.digest


def usable_clips(
    clips: Sequence[Clip], least: int, at_most: int | None = None
) -> tuple[list[Clip], dict[str, int]]:
    """Finite clips of ``least`` frames at least, and how many were left out for what reason.

    Args:
        clips: to choose from.
        least: frames.
        at_most: so many, evenly spread; None: all.

    Raises:
        MetricError: there is none.
    """
    skipped: Counter[str] = Counter()
    usable = []
    for clip in clips:
        if not np.isfinite(clip.joints).all():
            skipped['NaN or infinity'] += 1
        elif len(clip.joints) < least:
            skipped[f'fewer than {least} frames'] += 1
        else:
            usable.append(clip)
    if not usable:
        raise MetricError(f'none of {len(clips)} clips can be used: {dict(skipped)}')
    if at_most is not None and at_most < len(usable):
        kept = np.linspace(0, len(usable) - 1, at_most).round().astype(int)
        skipped['beyond the number asked for'] += len(usable) - at_most
        usable = [usable[i] for i in kept]
    return usable, dict(skipped)
