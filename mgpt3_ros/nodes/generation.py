# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What nodes have the worker do: from a text to a clip, from what was observed to what follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mgpt3_ros.body.body_trajectory import BodyTrajectory
from mgpt3_ros.body.commands.meaning import Action, counts_from_there
from mgpt3_ros.body.from_motion import BodyClip, clip_of, following
from mgpt3_ros.body.profiles import JointProfile
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.window import Window
from mgpt3_ros.model.worker import Job

if TYPE_CHECKING:
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.model.motiongpt3 import MotionGPT3
    from mgpt3_ros.model.pipelines.together import Work
    from mgpt3_ros.model.sampling import SamplingOptions
    from mgpt3_ros.nodes.playing import Playing

# Where nobody knows beforehand where a moving body will be: as joint states say it, or too late.
UNCOUNTED = 'what the body goes while it is led over counts too, so its numbers are met roughly'

Fit = Callable[['Motion', BodyClip], tuple[BodyClip, tuple[str, ...]]]

_SAME_PLACE, _SAME_ANGLE = 0.02, 0.05  # [m], [rad]
SAMPLING_PARAMETERS = ('guidance_scale', 'num_inference_steps', 'seed')


@dataclass(frozen=True)
class Sampling:
    """How to draw; zero or negative numbers leave it to the checkpoint."""

    guidance_scale: float = -1.0
    num_inference_steps: int = 0
    seed: int = -1

    def options(self, job: Job[Any]) -> SamplingOptions:
        """Return the same for the model, which polls ``job`` and reports to it."""
        import torch

        from mgpt3_ros.model.sampling import SamplingOptions

        noise = torch.Generator()
        if self.seed >= 0:
            noise.manual_seed(self.seed)
        else:
            noise.seed()
        return SamplingOptions(
            guidance_scale=self.guidance_scale if self.guidance_scale >= 0 else None,
            num_inference_steps=self.num_inference_steps or None,
            generator=noise,
            should_stop=job.should_stop,
            on_progress=job.report,
        )


@dataclass(frozen=True)
class Meets:
    """A body that moves, and when something takes over from it: ``at_s`` after it was sent [s]."""

    playing: Playing
    at_s: float

    def left_s(self, now_s: float) -> float:
        """The time until then [s]."""
        return self.at_s - self.playing.elapsed_s(now_s)

    def holds(self, playing: Playing | None, now_s: float) -> bool:
        """Whether the body will be where it was thought to be by what it plays now."""
        if playing is None or playing is self.playing:
            return playing is not None
        thought = self.playing.trajectory.state_at(self.at_s)
        will = playing.trajectory.state_at(playing.elapsed_s(now_s) + self.left_s(now_s))
        return bool(
            np.allclose(thought.base_pos, will.base_pos, atol=_SAME_PLACE)
            and np.allclose(thought.positions, will.positions, atol=_SAME_ANGLE)
        )


@dataclass(frozen=True)
class Generated:
    """A clip, and what the model said about it.

    clip: None where the motion takes over from a body that moves, whose place is known when it is
    sent: the joints are then found of what it is joined to. motion: the clip as the model made
    it. leave_s: when the clip before is left for it, in the time of that clip [s]; it begins in
    the pose of that moment; None: at its end. notes: what of the command could not be met, or
    what a robot cannot do of it. meets: where it takes over from a body that moves, if it was
    drawn for that.
    """

    clip: BodyClip | None
    motion: Motion
    info: dict[str, str] = field(default_factory=dict)
    leave_s: float | None = 0.0
    notes: tuple[str, ...] = ()
    meets: Meets | None = None


def generate(
    model: MotionGPT3,
    job: Job[Generated],
    text: str,
    duration_s: float,
    sampling: Sampling,
    profile: JointProfile,
    after: Motion | None,
    goes_on: bool,
    fit: Fit | None = None,
) -> Work[Generated]:
    """Draw a motion of ``text`` and turn it into the joints of ``profile``.

    Args:
        model: draws it.
        job: in which this runs.
        text: one action.
        duration_s: its length [s]; 0 leaves it to text and model.
        sampling: how to draw.
        profile: of the joints.
        after: the motion of the action before, which this one goes on from.
        goes_on: whether another action follows.
        fit: returns what a robot can do of a clip, and what is to be said of that.
    """
    from mgpt3_ros.model.finishing.joining import JOIN_TAKES_S
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.model.pipelines.together import Texts

    spare_s = JOIN_TAKES_S if goes_on else 0.0
    meant = model.understood(text)
    said = text if meant is None else meant.sentence
    (motion,) = yield Texts((said,), duration_s or None, sampling.options(job), spare_s)
    info = {
        'duration_s': f'{motion.duration_s:.2f}',
        'duration_from': str(motion.info.get('duration_from', '')),
    }
    leave_s = 0.0
    if after is not None:
        cut, joints = model.join(after.joints, motion.joints)
        leave_s = cut / motion.fps
        motion = Motion(joints, motion.fps, motion.info)
    # What a robot can do of it begins near the state of that moment, not in it.
    clip = clip_of(motion, profile, goes_on=after is not None and fit is None)
    notes: tuple[str, ...] = ()
    if fit is not None:
        clip, notes = fit(motion, clip)
    return Generated(clip, motion, info, leave_s, notes)


def carried_out(
    model: MotionGPT3,
    job: Job[Generated],
    action: Action,
    duration_s: float,
    sampling: Sampling,
    profile: JointProfile,
    stands: Array | None,
    at_rest: bool,
    meets: Meets | None = None,
    fit: Fit | None = None,
) -> Work[Generated]:
    """Draw an action that was understood, shape it, and turn it into the joints of ``profile``.

    Args:
        model: draws it.
        job: in which this runs.
        action: what to do.
        duration_s: its length [s]; 0 leaves it to text and model.
        sampling: how to draw.
        profile: of the joints.
        stands: the pose (22, 3) [m], Y up, in which the body will stand then, from which the
            motion goes on; None where that is unknown, or where it moves.
        at_rest: whether the body stands then.
        meets: where the motion takes over from a body that moves, so that its numbers count from
            there; None where that is not known yet.
        fit: returns what a robot can do of a clip, and what is to be said of that.
    """
    from mgpt3_ros.body.commands.carrying_out import carrying_out, following
    from mgpt3_ros.model.motion import Motion

    taken = None
    if meets is not None:
        from mgpt3_ros.body.stance import seen_around

        taken = seen_around(meets.playing.trajectory, meets.at_s, profile)
    options = sampling.options(job)
    work = carrying_out(model, action, options, duration_s or None, at_rest, taken)
    motion = yield from work
    info = {
        'duration_s': f'{motion.duration_s:.2f}',
        'duration_from': str(motion.info['duration_from']),
    }
    if stands is not None:
        joined = following(stands[None], motion.joints)
        motion = Motion(joined, motion.fps, motion.info)
    notes = tuple(motion.info['notes'])
    unknown = not at_rest and meets is None
    if unknown and counts_from_there(action):
        notes = (*notes, UNCOUNTED)
    if unknown and fit is None:
        return Generated(None, motion, info, None, notes)
    clip = clip_of(motion, profile, goes_on=meets is not None)
    if fit is not None:
        clip, more = fit(motion, clip)
        notes = (*notes, *more)
    return Generated(clip, motion, info, None, notes, meets)


@dataclass(frozen=True)
class Forecast:
    """What may follow after ``stamp_ns``: one trajectory for each hypothesis.

    seam_error_m: how far the model's own first frame was from what was observed, in the mean.
    """

    stamp_ns: int
    trajectories: tuple[BodyTrajectory, ...]
    seam_error_m: float


def predict(
    model: MotionGPT3,
    job: Job[Forecast],
    window: Window,
    horizon_s: float,
    num_hypotheses: int,
    sampling: Sampling,
    profile: JointProfile,
) -> Forecast:
    """Continue ``window`` by ``horizon_s`` [s], so many times, in the joints of ``profile``."""
    observed = window.resampled()
    seen = observed.motion(profile)
    options = sampling.options(job)
    motions = model.predict_many(seen, horizon_s, num_hypotheses, sampling=options)
    seam = float(np.mean([motion.info['seam_error_m'] for motion in motions]))
    trajectories = tuple(following(observed, seen, motion, profile) for motion in motions)
    return Forecast(observed.stamp_ns, trajectories, seam)
