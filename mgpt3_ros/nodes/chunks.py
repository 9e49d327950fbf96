# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From words to the next chunk of a live body, in joint angles: the worker's part of a stream."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mgpt3_ros.body.body_trajectory import BodyTrajectory
from mgpt3_ros.body.commands.meaning import Action, counts_from_there
from mgpt3_ros.body.from_motion import BodyClip, clip_of
from mgpt3_ros.body.profiles import JointProfile
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.state_ahead import carried_on
from mgpt3_ros.body.window import Observed, model_joints
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.worker import Job
from mgpt3_ros.nodes.generation import Sampling
from mgpt3_ros.nodes.robot_motion import LiveRobotMotions
from mgpt3_ros.robots import RobotProfile

if TYPE_CHECKING:
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.model.motiongpt3 import MotionGPT3
    from mgpt3_ros.model.pipelines.together import Work
    from mgpt3_ros.model.sampling import SamplingOptions
    from mgpt3_ros.model.stream import MotionStream

_STANDS = 0.1  # [m/s] of the fastest joint: who is slower stands
_JOINED_FRAMES = 6  # of what the body does, that a whole action is joined to
_TAIL = 20  # frames before a chunk whose angles are found together with its own


@dataclass(frozen=True)
class ChunkRequest:
    """The next chunk of a body.

    frame: of the plan, after which it follows. text: what the body does; None: it stands.
    begins: from a stand, with a stream of its own. says: the text is new. past: (T, 22, 3) [m],
    what came before; None for the model's own rest. done: positions, base places and rotations of
    the body in the last of these frames; None where they are unknown. observed: the model shall
    look at ``past``. sampling: for one that begins. avoid: where links of a robot collide, of
    ``robot_motion.AVOID``. action: what is asked for with numbers, as a whole.
    """

    frame: int
    text: str | None
    begins: bool = False
    says: bool = False
    past: Array | None = None
    done: tuple[Array, Array, Array] | None = None
    observed: bool = False
    sampling: Sampling = field(default_factory=Sampling)
    avoid: str = 'off'
    action: Action | None = None


@dataclass(frozen=True)
class Chunk:
    """What was drawn.

    clip: the last frames before it, then its own. joints: (F, 22, 3) [m], its own. told: the
    last frame before it (22, 3). expected_s: how long what was told last is expected to take.
    took_s: time of the computation. notes: what could not be met, what a robot cannot do of it.
    """

    clip: BodyClip
    joints: Array
    told: Array
    expected_s: float
    took_s: float
    notes: tuple[str, ...] = ()

    @property
    def speed(self) -> float:
        """The speed of the fastest joint [m/s], mean over the chunk."""
        steps = np.diff(np.concatenate([self.told[None], self.joints]), axis=0)
        return float(np.linalg.norm(steps, axis=-1).mean(axis=0).max() * FPS)


class LiveBody:
    """The stream of one body; what :meth:`drawing` returns runs on the worker."""

    def __init__(self, profile: JointProfile) -> None:
        self._profile = profile
        self._live: MotionStream | None = None
        robot = profile.robot if isinstance(profile, RobotProfile) else None
        self._fit = LiveRobotMotions(robot) if robot is not None else None

    def drawing(self, request: ChunkRequest) -> Callable[[MotionGPT3, Job[Chunk]], Work[Chunk]]:
        """Return the work that draws a chunk and turns it into the joints of the profile."""

        def call(model: MotionGPT3, job: Job[Chunk]) -> Work[Chunk]:
            from mgpt3_ros.model.stream import NextStep

            begun_s = time.perf_counter()
            past = request.past
            if request.begins:
                from mgpt3_ros.model.motion import Motion
                from mgpt3_ros.model.stream import streaming

                sampling = request.sampling.options(job)
                start = None if past is None else Motion(past.astype(np.float32), FPS)
                self._live = model.stream(request.text, start, sampling=sampling)
                if past is None:
                    past = streaming(model.pipeline).start_frames(None)[0].cpu().numpy()
            assert self._live is not None, 'a stream is drawn on that has not begun'
            assert past is not None
            if request.observed:
                self._live.observe(past)
            if request.says:
                self._live.say(request.text)
            expected_s = self._live.expected_s
            notes: tuple[str, ...] = ()
            if request.action is not None:
                options = request.sampling.options(job)
                whole = yield from shaped(model, request.action, past, options)
                drawn, notes = whole.joints.astype(np.float32), tuple(whole.info['notes'])
                expected_s = len(drawn) / FPS
            else:
                step: Motion = yield NextStep(self._live)
                drawn = step.joints
            tail = past[-_TAIL:].astype(np.float32)
            clip, more = self._clip(request, tail, drawn)
            took_s = time.perf_counter() - begun_s
            return Chunk(clip, drawn, tail[-1], expected_s, took_s, (*notes, *more))

        return call

    def _clip(
        self, request: ChunkRequest, tail: Array, drawn: Array
    ) -> tuple[BodyClip, tuple[str, ...]]:
        """Return the frames before and those that were drawn in the joints of the profile."""
        from mgpt3_ros.model.motion import Motion

        motion, fit = Motion(np.concatenate([tail, drawn]), FPS), self._fit
        if fit is None:
            return clip_of(motion, self._profile), ()
        if request.begins:
            fit.begin()
        done = None
        if request.done is not None:
            positions, base_pos, base_rot = (rows[-len(tail) :] for rows in request.done)
            done = fit.followed(request.frame, positions), base_pos, base_rot
        clip = clip_of(motion, self._profile, done)
        behind = clip.positions[: len(tail)] if done is None else positions
        return fit.fit(motion, clip, request.avoid, request.frame, behind)


def shaped(
    model: MotionGPT3, action: Action, past: Array, sampling: SamplingOptions
) -> Work[Motion]:
    """An action with numbers as it goes on from the last frame of a body (T, 22, 3) [m]; T >= 2.

    It is drawn as a whole and shaped (``body.commands.carrying_out``), and joined to the body foot
    by foot. Numbers of the legs of a body that moves count from its last frame.
    """
    from mgpt3_ros.body.commands.carrying_out import carrying_out
    from mgpt3_ros.body.commands.shaping import Taken
    from mgpt3_ros.model.finishing.finish import finish_joined
    from mgpt3_ros.model.finishing.joining import join
    from mgpt3_ros.model.motion import Motion

    last = past[-1].astype(np.float64)
    speed = float(np.linalg.norm(last - past[-2], axis=-1).max() * FPS)
    at_rest = speed < _STANDS
    newest = np.maximum(np.arange(-_JOINED_FRAMES, 0) + len(past), 0)
    before = past[newest].astype(np.float64)
    if not at_rest and counts_from_there(action):
        taken = Taken(before, _JOINED_FRAMES - 1)
        work = carrying_out(model, action, sampling, at_rest=False, taken=taken)
        motion = yield from work
        return Motion(motion.joints[1:], FPS, motion.info)
    work = carrying_out(model, action, sampling, at_rest=at_rest)
    motion = yield from work
    leave = _JOINED_FRAMES - 1, _JOINED_FRAMES - 1
    _, joints = join(before, motion.joints.astype(np.float64), FPS, leave)
    return Motion(finish_joined(joints, FPS)[1:], FPS, motion.info)


def seen_until(
    observed: Observed,
    seen_s: float,
    plan: BodyTrajectory,
    until_s: float,
    frames: int,
    profile: JointProfile,
) -> Array:
    """The model's joints (T, 22, 3) [m] of a body that was seen, up to where it will be.

    What the plan does in the time from the last observed frame on is added to what was seen then.

    Args:
        observed: the body; without a base it counts as being where the plan has it.
        seen_s: when the last frame of it was seen, by the clock of the plan [s].
        plan: over that clock.
        until_s: the time of the last frame that is returned, at 20 per second [s].
        frames: how many are returned at most.
        profile: of the joints.
    """
    times = seen_s + np.arange(1 - len(observed.positions), 1) / FPS
    base_pos, base_rot = observed.base_pos, observed.base_rot
    if not observed.has_base:
        _, base = plan.sample(times)
        base_pos, base_rot = base.pos, base.rot
    body = BodyTrajectory.through(
        profile.names, times, observed.positions, base_pos, base_rot, ends_at_rest=False
    )
    count = min(frames, int((until_s - times[0]) * FPS + 1e-6) + 1)
    at = until_s - np.arange(max(count, 2))[::-1] / FPS
    last = body.state_at(seen_s)
    states = [
        body.state_at(time_s)
        if time_s <= seen_s
        else carried_on(last, plan, seen_s, time_s - seen_s)
        for time_s in at
    ]
    return model_joints(
        profile,
        np.stack([state.positions for state in states]),
        np.stack([state.base_pos for state in states]),
        np.stack([state.base_rot for state in states]),
    )
