# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The gaits of somebody who walks as a picture book shows it."""

from __future__ import annotations

import numpy as np

from mgpt3_ros.body.steering.gait import GAITS, Gaits, cycle_of
from tests.support.walks import walking


def picture_book_gaits() -> Gaits:
    """Steps of half a second; backward the same, played back, and to the sides as ahead."""
    walk = walking(12)
    motions = dict.fromkeys(GAITS, walk) | {'walk-back': np.ascontiguousarray(walk[::-1])}
    return Gaits({name: cycle_of([motion]) for name, motion in motions.items()})
