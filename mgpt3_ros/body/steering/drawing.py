# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The model draws the walks that a steered body steps with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mgpt3_ros.body.commands.sentences import SENTENCES
from mgpt3_ros.body.commands.shaping import SPEED_FACTORS, SPEEDS, sideways
from mgpt3_ros.body.steering.gait import GAITS, Array, Gaits, cycle_of
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.finishing import way
from mgpt3_ros.model.kinematics.skeleton import FPS

if TYPE_CHECKING:
    from mgpt3_ros.model.motiongpt3 import MotionGPT3
    from mgpt3_ros.model.sampling import SamplingOptions

_DRAWS = 4  # of each walk, of which the two steps are taken that close best


def draw_gaits(model: MotionGPT3, sampling: SamplingOptions) -> Gaits:
    """Draw each walk some times, and keep two steps of it at its usual speed.

    Raises:
        MotionError: the model draws no walk that steps.
    """
    cycles = {}
    for name in GAITS:
        drawn = model.pipeline.generate([SENTENCES[name]] * _DRAWS, None, sampling)
        try:
            cycles[name] = cycle_of(_straight(motion.joints, name) for motion in drawn)
        except MotionError as error:
            raise MotionError(f'the model cannot be steered: {name}: {error}') from error
    return Gaits(cycles)


def _straight(joints: np.ndarray, name: str) -> Array:
    """A drawn walk without turns, at the usual speed."""
    usual = SPEEDS[name][1]
    paced = way.paced(joints.astype(np.float64), FPS, usual, SPEED_FACTORS)
    if name in ('walk-left', 'walk-right'):
        return sideways(paced)
    return np.asarray(way.straightened(paced, FPS))
