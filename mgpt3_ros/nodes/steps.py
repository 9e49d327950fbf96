# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The next steps of a steered body, in joint angles: the worker's part of ``steering``."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mgpt3_ros.body.from_motion import BodyClip, clip_of
from mgpt3_ros.body.profiles import JointProfile
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.steering.drawing import draw_gaits
from mgpt3_ros.body.steering.gait import Gaits
from mgpt3_ros.body.steering.gestures import Gesture, gesturing
from mgpt3_ros.body.steering.walker import Course, Walker, Walking
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.worker import Job
from mgpt3_ros.nodes.generation import Sampling

if TYPE_CHECKING:
    from mgpt3_ros.model.motiongpt3 import MotionGPT3

_TAIL = 20  # frames before the steps whose angles are found together with theirs
_WALKED = 24  # frames that follow the course
_STOPPING = 80  # frames at most in which a body comes to stand after them


@dataclass(frozen=True)
class StepsRequest:
    """The steps that follow.

    past: (T, 22, 3) [m], what came before, the last frame being that of ``state``. state: from
    which the body goes on; None: it begins, in ``past``. course: what it follows. gesture: what
    its arms do.
    """

    past: Array
    course: Course
    state: Walking | None = None
    gesture: Gesture | None = None


@dataclass(frozen=True)
class Steps:
    """What was stepped.

    walker: that steps. states: one for each frame, from the one that it goes on from; of these
    ``walked`` followed the course, and in the others the body comes to stand. joints: (T, 22, 3)
    [m] of the frames after the first state. clip: frames before, then those. told: the last frame
    before (22, 3). took_s: time of the computation.
    """

    walker: Walker
    states: list[Walking]
    walked: int
    joints: Array
    clip: BodyClip
    told: Array
    took_s: float


def drawn_gaits(model: MotionGPT3, job: Job[Any], sampling: Sampling) -> Gaits:
    """Draw what a steered body steps with."""
    return draw_gaits(model, sampling.options(job))


def stepped(
    model: MotionGPT3,
    job: Job[Any],
    walker: Walker,
    request: StepsRequest,
    profile: JointProfile,
) -> Steps:
    """Step on, and then to a stand; the model and the job are not needed."""
    from mgpt3_ros.model.motion import Motion

    begun_s = time.perf_counter()
    state = request.state
    if state is None:
        walker = replace(walker)
        state = walker.enter(request.past[-3:])
    walk = walker.walk(state, request.course, _WALKED)
    states = [state, *walk, *walker.stop(walk[-1], _STOPPING)]
    joints = walker.joints(states)[1:]
    if request.gesture is not None:
        joints = gesturing(joints, state.frame + 1, request.gesture)
    tail = request.past[-_TAIL:]
    clip = clip_of(Motion(np.concatenate([tail, joints]).astype(np.float32), FPS), profile)
    took_s = time.perf_counter() - begun_s
    return Steps(walker, states, len(walk), joints, clip, tail[-1], took_s)
