# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a text to a clip in joint angles: what generate_node has the worker do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mgpt3_ros.body.from_motion import BodyClip, clip_of
from mgpt3_ros.body.profiles import JointProfile
from mgpt3_ros.nodes.worker import Job

if TYPE_CHECKING:
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.model.motiongpt3 import MotionGPT3
    from mgpt3_ros.model.sampling import SamplingOptions


@dataclass(frozen=True)
class Request:
    """A text and how to draw its motion; zero or negative numbers leave it to the checkpoint.

    after: the motion of the action before, which this one goes on from. goes_on: another follows.
    """

    text: str
    duration_s: float = 0.0
    guidance_scale: float = -1.0
    num_inference_steps: int = 0
    seed: int = -1
    after: Motion | None = None
    goes_on: bool = False


@dataclass(frozen=True)
class Generated:
    """A clip, and what the model said about it.

    motion: the clip as the model made it. leave_s: when the clip before is left for it, in the
    time of that clip [s]; it begins in the pose of that moment.
    """

    clip: BodyClip
    motion: Motion
    info: dict[str, str] = field(default_factory=dict)
    leave_s: float = 0.0


def sampling_options(
    guidance_scale: float, num_inference_steps: int, seed: int, job: Job[Any]
) -> SamplingOptions:
    """Return how to draw for ``job``; numbers that a request leaves open are the checkpoint's."""
    import torch

    from mgpt3_ros.model.sampling import SamplingOptions

    noise = torch.Generator()
    if seed >= 0:
        noise.manual_seed(seed)
    else:
        noise.seed()
    return SamplingOptions(
        guidance_scale=guidance_scale if guidance_scale >= 0 else None,
        num_inference_steps=num_inference_steps or None,
        generator=noise,
        should_stop=job.should_stop,
        on_progress=job.report,
    )


def generation(
    request: Request, profile: JointProfile
) -> Callable[[MotionGPT3, Job[Generated]], Generated]:
    """Return the call that draws ``request`` and turns it into the joints of ``profile``."""

    def call(model: MotionGPT3, job: Job[Generated]) -> Generated:
        from mgpt3_ros.model.finishing.joining import JOIN_TAKES_S
        from mgpt3_ros.model.motion import Motion

        sampling = sampling_options(
            request.guidance_scale, request.num_inference_steps, request.seed, job
        )
        duration_s = request.duration_s if request.duration_s > 0 else None
        spare_s = [JOIN_TAKES_S if request.goes_on else 0.0]
        (motion,) = model.pipeline.generate([request.text], duration_s, sampling, spare_s)
        info = {
            'duration_s': f'{motion.duration_s:.2f}',
            'duration_from': str(motion.info.get('duration_from', '')),
        }
        leave_s = 0.0
        if request.after is not None:
            cut, joints = model.join(request.after.joints, motion.joints)
            leave_s = cut / motion.fps
            motion = Motion(joints, motion.fps, motion.info)
        return Generated(clip_of(motion, profile), motion, info, leave_s)

    return call
