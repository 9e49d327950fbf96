# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From what was observed to trajectories of what follows: what predict_node has the worker do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgpt3_ros.body.body_trajectory import BodyTrajectory
from mgpt3_ros.body.from_motion import following
from mgpt3_ros.body.profiles import JointProfile
from mgpt3_ros.body.window import Window
from mgpt3_ros.nodes.generation import sampling_options
from mgpt3_ros.nodes.worker import Job

if TYPE_CHECKING:
    from mgpt3_ros.model.motiongpt3 import MotionGPT3


@dataclass(frozen=True)
class PredictRequest:
    """How to predict; zero or negative numbers leave it to the checkpoint."""

    horizon_s: float = 2.0
    num_hypotheses: int = 1
    guidance_scale: float = -1.0
    num_inference_steps: int = 0
    seed: int = -1


@dataclass(frozen=True)
class Forecast:
    """What may follow after ``stamp_ns``: one trajectory for each hypothesis.

    seam_error_m: how far the model's own first frame was from what was observed, in the mean.
    """

    stamp_ns: int
    trajectories: tuple[BodyTrajectory, ...]
    seam_error_m: float


def prediction(
    window: Window, request: PredictRequest, profile: JointProfile
) -> Callable[[MotionGPT3, Job[Forecast]], Forecast]:
    """Return the call that continues ``window`` and turns it into the joints of ``profile``."""

    def call(model: MotionGPT3, job: Job[Forecast]) -> Forecast:
        observed = window.resampled()
        seen = observed.motion(profile)
        motions = model.predict_many(
            seen,
            request.horizon_s,
            request.num_hypotheses,
            sampling=sampling_options(
                request.guidance_scale, request.num_inference_steps, request.seed, job
            ),
        )
        seam = float(np.mean([motion.info['seam_error_m'] for motion in motions]))
        trajectories = tuple(following(observed, seen, motion, profile) for motion in motions)
        return Forecast(observed.stamp_ns, trajectories, seam)

    return call
