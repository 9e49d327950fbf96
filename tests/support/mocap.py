# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Real clips for tests, where ../shared/data/mocap22 is there (see its README for the format)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[3] / 'shared' / 'data' / 'mocap22'


def clips(count: int, seed: int = 0) -> list[np.ndarray]:
    """Joints (T, 22, 3) [m] of ``count`` clips drawn at random; skips without the data."""
    if not (FOLDER / 'motions.npz').exists():
        pytest.skip(f'no motion capture in {FOLDER}')
    packed = np.load(FOLDER / 'motions.npz')
    delta, start, unit = packed['delta'], packed['start'], float(packed['unit'])
    chosen = np.random.default_rng(seed).choice(len(start) - 1, count, replace=False)
    return [
        np.cumsum(delta[start[i] : start[i + 1]].astype(np.int32), axis=0) * unit for i in chosen
    ]
