# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rows of motions' protocols as the authors' code would print them, its defects included.

They read padded batches of 32: what stands behind a motion has a part in their figures. The
metrics say which (``reference=True``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.evaluation import metrics
from mgpt3_ros.training.evaluation.metrics.poses import SEEN_SHARE

ROW = "as the authors' code computes"
BATCH = 32
Pair = tuple[np.ndarray, np.ndarray]  # made, real: (T, 22, 3) [m]


def reconstruction_row(pairs: Sequence[Pair]) -> dict[str, float]:
    """MPJPE, PA-MPJPE (NaN wherever a motion is padded), ACCL, APE and AVE; no unit of APE's."""
    found: dict[str, list[tuple[float, float]]] = {}
    for made, real, lengths in _batches(pairs):
        frames = float(sum(lengths))
        errors = metrics.pose_errors(made, real, lengths, reference=True)
        values = {
            'MPJPE from the root [mm]': (errors.mpjpe_mm, frames),
            'PA-MPJPE [mm]': (errors.pa_mpjpe_mm, frames),
            'ACCL [mm per frame squared]': (errors.accl_mm, frames - 2 * len(made)),
        }
        for name, value in metrics.ape_ave(made, real, lengths, reference=True).items():
            of = name.removeprefix('APE_')
            values[f'{name} [m]' if of != name else f'{name} [m^2]'] = (
                value,
                frames if of != name else float(len(made)),
            )
        for name, weighted in values.items():
            found.setdefault(name, []).append(weighted)
    return {
        name: float(np.average([v for v, _ in rows], weights=[w for _, w in rows]))
        for name, rows in found.items()
    }


def prediction_row(
    model: MotionGPT3, clips: Sequence[Clip], seed: int
) -> tuple[dict[str, float], int]:
    """ADE and FDE of what follows the first fifth of each clip, up to the end of its batch.

    Returns:
        The row, and how many clips were too short or too long for it.
    """
    pairs = []
    for number, clip in enumerate(clips):
        seen = int(SEEN_SHARE * len(clip.joints))
        wanted = len(clip.joints) - seen
        if seen < 2 or wanted >= model.config.max_frames:
            continue
        drawn = model.predict(
            Motion(clip.joints[:seen]), wanted / FPS, generator=noise_source(seed + number)
        )
        pairs.append((np.concatenate([clip.joints[:seen], drawn.joints]), clip.joints))
    return displacement_row(pairs), len(clips) - len(pairs)


def displacement_row(pairs: Sequence[Pair], task: str = 'prediction') -> dict[str, float]:
    """ADE and FDE [m] of whole motions: made, with what was given, and real."""
    rows, weights = [], []
    for made, real, lengths in _batches(pairs):
        found = metrics.displacement(made, real, lengths, task, reference=True)  # type: ignore[arg-type]
        rows.append((found.ade_m, found.fde_m))
        weights.append(len(made))
    if not rows:
        return {}
    ade, fde = np.average(rows, axis=0, weights=weights)
    return {'ADE [m]': float(ade), 'FDE [m]': float(fde)}


def _batches(pairs: Sequence[Pair]) -> Iterator[tuple[np.ndarray, np.ndarray, list[int]]]:
    """Made and real joints (B, T, 22, 3) [m], padded, and the lengths of the motions."""
    for begin in range(0, len(pairs), BATCH):
        made, real = zip(*pairs[begin : begin + BATCH], strict=True)
        yield metrics.pad(made)[0], *metrics.pad(real)
