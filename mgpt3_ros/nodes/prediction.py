# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From what was observed to trajectories of what follows: what predict_node has the worker do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.body_trajectory import BasePath, BodyTrajectory, JointPath
from mgpt3_ros.body.frames import quaternions_to_ros, vectors_to_ros
from mgpt3_ros.body.motion_buffer import Observed, Window
from mgpt3_ros.body.planning import calm
from mgpt3_ros.body.profiles import JointProfile
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.spline import spline_velocities, start_slope
from mgpt3_ros.model.finishing.blending import inertialise
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.nodes.worker import Job

if TYPE_CHECKING:
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.model.motiongpt3 import MotionGPT3

_TAIL = 20  # observed frames whose angles are found together with the predicted ones
_BLEND_S = 0.4  # in which angles that positions do not tell go from observed to predicted


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
        import torch

        noise = torch.Generator()
        if request.seed >= 0:
            noise.manual_seed(request.seed)
        else:
            noise.seed()
        observed = window.resampled()
        seen = observed.motion(profile)
        motions = model.predict_many(
            seen,
            request.horizon_s,
            request.num_hypotheses,
            guidance_scale=request.guidance_scale if request.guidance_scale >= 0 else None,
            num_inference_steps=request.num_inference_steps or None,
            generator=noise,
            should_stop=job.should_stop,
            on_progress=job.report,
        )
        seam = float(np.mean([motion.info['seam_error_m'] for motion in motions]))
        trajectories = tuple(following(observed, seen, motion, profile) for motion in motions)
        return Forecast(observed.stamp_ns, trajectories, seam)

    return call


def following(
    observed: Observed, seen: Motion, predicted: Motion, profile: JointProfile
) -> BodyTrajectory:
    """Return the trajectory of ``predicted``, whose time 0 is the last observed frame.

    Its angles go on from those that were observed, in value and velocity: what positions do not
    tell, such as the turn of a straight arm, dies away from there.

    Args:
        observed: in the joints of ``profile``.
        seen: the same as a motion of the model.
        predicted: the frames that follow.
        profile: of the joints.
    """
    from mgpt3_ros.model.kinematics.joint_angles import joints_to_angles

    tail = seen.joints[-_TAIL:]
    last = len(tail) - 1
    body = joints_to_angles(np.concatenate([tail, predicted.joints]))
    angles = calm(profile.from_angles(body.angles), FPS, profile.velocity_limits)
    here, rate = observed.positions[-1], (observed.positions[-1] - observed.positions[-2]) * FPS
    angles = inertialise(profile.near(angles[last:], here), FPS, here, rate, _BLEND_S)
    base_pos, base_rot = vectors_to_ros(body.root_pos), quaternions_to_ros(body.root_rot)
    times = np.arange(-1, len(predicted.joints) + 1) / FPS
    return _with_velocities(
        profile.names,
        times,
        np.concatenate([observed.positions[-2:-1], angles]),
        np.concatenate([observed.base_pos[-2:], base_pos[last + 1 :]]),
        np.concatenate([observed.base_rot[-2:], base_rot[last + 1 :]]),
    )


def _with_velocities(
    names: tuple[str, ...], times: Array, positions: Array, base_pos: Array, base_rot: Array
) -> BodyTrajectory:
    """Return the trajectory after time 0 of knots from the frame before it on, with velocities."""
    rot = quat.continuous(base_rot)
    values = np.concatenate([positions, base_pos, rot], axis=1)
    ends = start_slope(times, values), -start_slope(-times[::-1], values[::-1])
    velocities = spline_velocities(times, values, *ends)
    width = positions.shape[1]
    spin = quat.angular_velocity(rot, velocities[:, width + 3 :])
    ahead = slice(2, None)
    return BodyTrajectory(
        names,
        JointPath(times[ahead], positions[ahead], velocities[ahead, :width]),
        BasePath(
            times[ahead],
            base_pos[ahead],
            rot[ahead],
            velocities[ahead, width : width + 3],
            spin[ahead],
        ),
    )
