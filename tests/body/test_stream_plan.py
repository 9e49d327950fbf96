# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mgpt3_ros.body.body_trajectory import BodyState, BodyTrajectory, JointPath
from mgpt3_ros.body.from_motion import BodyClip
from mgpt3_ros.body.planning import Timing
from mgpt3_ros.body.player import JointPlayer
from mgpt3_ros.body.profiles.base import UNLIMITED, beyond
from mgpt3_ros.body.spline import extreme_rates
from mgpt3_ros.body.stream_plan import StreamPlan
from tests.support.clips import random_clip

CHUNK = 8
LEAD_S = 0.1
TIMING = Timing(lead_in_s=LEAD_S)
BOUNDED = replace(TIMING, max_velocity=2.0, max_acceleration=10.0)


def part(clip: BodyClip, begin: int, end: int) -> BodyClip:
    rows = slice(begin, end)
    return replace(
        clip,
        positions=clip.positions[rows],
        base_pos=clip.base_pos[rows],
        base_rot=clip.base_rot[rows],
    )


def joined(one: BodyClip, other: BodyClip) -> BodyClip:
    return replace(
        one,
        **{
            name: np.concatenate([getattr(one, name), getattr(other, name)])
            for name in ('positions', 'base_pos', 'base_rot')
        },
    )


def model_frames(count: int, value: float = 0.0) -> np.ndarray:
    return np.full((count, 22, 3), value)


class Drawn:
    """A made-up stream of chunks: what a model would have drawn, at the pace that is asked."""

    def __init__(self, seed: int, frames: int = 400, limits: np.ndarray = UNLIMITED) -> None:
        first = self.clip = replace(random_clip(seed, frames=frames), limits=limits)
        pose = BodyState(
            first.positions[0], np.zeros(5), first.base_pos[0], first.base_rot[0],
            np.zeros(3), np.zeros(3),
        )  # fmt: skip
        self.plan = StreamPlan(pose, first, model_frames(1)[0])

    def add(self, timing: Timing, now_s: float, frame: int | None = None) -> bool:
        at = self.plan.last_frame if frame is None else frame
        told = part(self.clip, max(at - 1, 0), at + 1)
        if at == 0:
            told = joined(told, told)
        chunk = joined(told, part(self.clip, at + 1, at + 1 + CHUNK))
        return self.plan.add(at, chunk, model_frames(CHUNK, at + 1.0), timing, now_s)


def judged(path: BodyTrajectory, timing: Timing) -> tuple[float, float]:
    """Largest speed and acceleration along the whole cubic, as shares of their bounds."""
    assert path.joints.velocities is not None
    speed, acceleration = extreme_rates(path.times, path.joints.positions, path.joints.velocities)
    return (
        float((speed / timing.max_velocity).max()),
        float((acceleration / timing.max_acceleration).max()),
    )


def ends_at_rest(message: BodyTrajectory) -> bool:
    end = message.state_at(message.end_s)
    return not (end.velocities.any() or end.base_lin.any() or end.base_ang.any())


def test_a_stream_that_keeps_up_is_the_motion_as_it_was_drawn():
    drawn = Drawn(0)
    assert drawn.add(TIMING, 10.0)
    now_s = 10.0
    for _ in range(20):
        while drawn.plan.ahead_s(now_s) < 0.8:
            assert drawn.add(TIMING, now_s)
        now_s += 0.1
    begun = drawn.plan.time_of(0) if drawn.plan.trajectory.times[0] <= 10.1 else 10.1
    at = np.arange(20, 36)  # the first frames are blended from a body that stands
    joints, base = drawn.plan.trajectory.sample(begun + at / 20)
    np.testing.assert_allclose(joints.positions, drawn.clip.positions[at], atol=1e-6)
    np.testing.assert_allclose(base.pos, drawn.clip.base_pos[at], atol=1e-6)


def controlled(drawn: Drawn, rng: np.random.Generator, timing: Timing, seconds: float) -> dict:
    """What a controller does that hears the messages of a stream which is sometimes late.

    Chunks come when the motion that is known grows short, at random moments; some replace what
    was drawn already. The controller hears each message up to 3 ms after it was sent.
    """
    body = JointPlayer(())  # joints that it does not know yet stand at the first point
    found = {'speed': [], 'acceleration': [], 'beyond': [], 'jump': [], 'slope': [], 'rest': []}
    now_s = 100.0
    assert drawn.add(timing, now_s)
    sent = drawn.plan.message(now_s, LEAD_S)
    body.follow(sent.names, sent.joints, now_s, now_s)
    while now_s < 100.0 + seconds:
        now_s += rng.uniform(0.02, 0.5)
        frame = None
        if rng.random() < 0.3:
            frame = int(np.ceil(20 * drawn.plan.phase_at(now_s + LEAD_S + 0.02))) + 1
            frame = min(frame, drawn.plan.last_frame)
        if now_s + LEAD_S > drawn.plan.end_s:
            break
        if not drawn.add(timing, now_s, frame):
            continue
        sent = drawn.plan.message(now_s, LEAD_S)
        speed, acceleration = judged(sent, timing)
        found['speed'].append(speed)
        found['acceleration'].append(acceleration)
        at = np.arange(sent.times[0], sent.end_s, 0.005)
        far = beyond(sent.joints.sample(at)[0], drawn.clip.limits)
        found['beyond'].append(float(far.max()))
        found['rest'].append(ends_at_rest(sent))
        heard_s = now_s + rng.uniform(0, 0.003)
        here, rates = body.sample(heard_s)
        there = sent.state_at(0.0)
        found['jump'].append(float(np.abs(here - there.positions).max()))
        found['slope'].append(float(np.abs(rates - there.velocities).max()))
        body.follow(sent.names, sent.joints, heard_s, heard_s)
        way = JointPath(
            np.array([0.0, sent.times[0]]),
            np.stack([here, sent.joints.positions[0]]),
            np.stack([rates, sent.joints.velocities[0]]),
        )
        _, acceleration = extreme_rates(way.times, way.positions, way.velocities)
        found.setdefault('to', []).append(float((acceleration / timing.max_acceleration).max()))
    return found


@pytest.mark.parametrize('seed', range(100))
def test_all_bounds_hold_along_the_whole_way(seed):
    rng = np.random.default_rng(seed)
    drawn = Drawn(seed, limits=np.tile([-1.2, 1.2], (5, 1)))
    found = controlled(drawn, rng, BOUNDED, 8.0)
    print({k: max(v, default=None) for k, v in found.items()}, len(found['rest']))
    assert all(found['rest'])
    R.append(
        [
            max(found[k], default=0)
            for k in ('speed', 'acceleration', 'beyond', 'jump', 'slope', 'to')
        ]
    )


R = []


def test_z():
    r = np.array(R)
    print(r.max(0), np.percentile(r, 90, axis=0))
