# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from mgpt3_ros.body.body_trajectory import BodyState, BodyTrajectory, JointPath
from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.from_motion import BodyClip
from mgpt3_ros.body.player import JointPlayer
from mgpt3_ros.body.profiles.base import UNLIMITED, beyond
from mgpt3_ros.body.spline import extreme_rates
from mgpt3_ros.body.stream_plan import KEPT_FRAMES, StreamPlan
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
        numbered = model_frames(CHUNK) + np.arange(at + 1, at + 1 + CHUNK)[:, None, None]
        longer = self.plan.longer(at, chunk, numbered, timing, lambda: now_s)
        self.plan = longer or self.plan
        return longer is not None


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
    assert drawn.plan.slower(now_s) == pytest.approx(1.0)


def test_how_much_slower_it_is_than_it_was_drawn_is_told():
    drawn, slow = Drawn(0), replace(TIMING, max_velocity=0.2)
    assert drawn.add(slow, 10.0)
    now_s = 10.0
    for _ in range(40):
        while drawn.plan.ahead_s(now_s) < 0.8:
            assert drawn.add(slow, now_s)
        now_s += 0.1
    phase = drawn.plan.phase_at(now_s) - drawn.plan.phase_at(now_s - 2.0)
    assert drawn.plan.slower(now_s) == pytest.approx(2.0 / phase)
    assert drawn.plan.slower(now_s) > 1.5


def controlled(drawn: Drawn, timing: Timing, seed: int, seconds: float) -> dict[str, float]:
    """The worst of what a controller sees that hears a stream which is sometimes late.

    Chunks come at random moments; some replace what was drawn already. The controller hears each
    message up to 3 ms after it was sent. The test's clip is followed by frames, whatever happens.
    """
    rng = np.random.default_rng(seed)
    body = JointPlayer(())  # joints that it does not know yet stand at the first point
    worst: dict[str, float] = defaultdict(float)
    now_s = 100.0
    assert drawn.add(timing, now_s)
    while True:
        sent = drawn.plan.message(now_s)
        speed, acceleration = judged(sent, timing)
        at = np.arange(sent.times[0], sent.end_s, 0.005)
        found = {
            'speed': speed,
            'acceleration': acceleration,
            'beyond': float(beyond(sent.joints.sample(at)[0], drawn.clip.limits).max()),
            'restless': float(not ends_at_rest(sent)),
        }
        heard_s = now_s + rng.uniform(0, 0.003)
        here, rates = body.sample(heard_s)
        if worst:
            there = sent.state_at(0.0)
            found['jump'] = float(np.abs(here - there.positions).max())
            found['slope'] = float(np.abs(rates - there.velocities).max())
            way = JointPath(
                np.array([0.0, sent.times[0]]),
                np.stack([here, sent.joints.positions[0]]),
                np.stack([rates, sent.joints.velocities[0]]),
            )
            _, sudden = extreme_rates(way.times, way.positions, way.velocities)
            found['to'] = float((sudden / timing.max_acceleration).max())
        for name, value in found.items():
            worst[name] = max(worst[name], value)
        body.follow(sent.names, sent.joints, heard_s, heard_s)
        while True:
            now_s += rng.uniform(0.02, 0.5)
            if now_s > 100.0 + seconds or now_s + LEAD_S > drawn.plan.end_s:
                return worst
            if drawn.plan.ahead_s(now_s) > 1.2 and rng.random() < 0.7:
                continue
            frame = None
            if rng.random() < 0.3:
                soonest = int(np.ceil(20 * drawn.plan.phase_at(now_s + LEAD_S + 0.02))) + 1
                frame = min(soonest, drawn.plan.last_frame)
            if drawn.add(timing, now_s, frame):
                break


@pytest.mark.parametrize(
    'seed', [*range(20), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(20, 100))]
)
def test_all_bounds_hold_along_the_whole_way(seed):
    drawn = Drawn(seed, limits=np.tile([-1.2, 1.2], (5, 1)))
    worst = controlled(drawn, BOUNDED, seed, 3.0)
    assert worst['restless'] == 0
    assert worst['speed'] <= 1.0
    assert worst['acceleration'] <= 1.0
    assert worst['beyond'] <= 0.01
    # 3 ms at 2 rad/s, and on the way to a first point what it takes to make good for that.
    assert worst['jump'] <= 0.007
    assert worst['slope'] <= 0.15
    assert worst['to'] <= 1.5


def test_without_bounds_a_replaced_way_is_left_where_it_is_told_to():
    drawn = Drawn(5)
    assert drawn.add(TIMING, 0.0)
    assert drawn.add(TIMING, 0.05)
    before = drawn.plan.trajectory
    drawn.clip = replace(drawn.clip, positions=drawn.clip.positions + 0.0)
    drawn.clip.positions[7:] += np.linspace(0, 2, len(drawn.clip.positions) - 7)[:, None]
    assert drawn.add(TIMING, 0.1, frame=6)
    assert drawn.plan.last_frame == 14
    leaves_s = drawn.plan.time_of(6)
    at = np.arange(before.times[0], leaves_s, 0.01)
    old, new = before.joints.sample(at)[0], drawn.plan.trajectory.joints.sample(at)[0]
    np.testing.assert_allclose(new, old, atol=1e-9)
    assert len(drawn.plan.history(6)) == 7


def test_a_frame_that_is_passed_can_no_longer_be_left():
    drawn = Drawn(6)
    assert drawn.add(TIMING, 0.0)
    before = drawn.plan.trajectory
    assert not drawn.add(TIMING, 0.3, frame=2)
    assert drawn.plan.trajectory is before
    assert not drawn.add(TIMING, 60.0)  # all of it is over


def test_the_past_does_not_grow():
    drawn = Drawn(7)
    now_s = 0.0
    assert drawn.add(TIMING, now_s)
    while now_s < 15.0:
        if drawn.plan.ahead_s(now_s) < 0.8:
            assert drawn.add(TIMING, now_s)
        now_s += 0.1
    last = drawn.plan.last_frame
    assert last > 280
    assert len(drawn.plan.history(last)) <= KEPT_FRAMES + 40
    # Joints in the model's frame, in proportion between frames.
    frame = last - 10
    between = drawn.plan.joints_at(
        0.5 * (drawn.plan.time_of(frame) + drawn.plan.time_of(frame + 1))
    )
    np.testing.assert_allclose(between, frame + 0.5, atol=1e-6)


def test_a_gap_between_the_plan_and_the_body_fades():
    drawn = Drawn(8)
    assert drawn.add(TIMING, 0.0)
    seen = replace(drawn.clip, positions=drawn.clip.positions + 0.2)
    at = drawn.plan.last_frame
    chunk = part(seen, at - 1, at + 1 + CHUNK)
    plan = drawn.plan.longer(at, chunk, model_frames(CHUNK), TIMING, lambda: 0.05)
    assert plan is not None
    joints = plan.trajectory.joints.sample(np.array([plan.time_of(at)]))[0]
    np.testing.assert_allclose(joints[0], drawn.clip.positions[at], atol=1e-6)
    joints = plan.trajectory.joints.sample(np.array([plan.time_of(at + 7)]))[0]
    np.testing.assert_allclose(joints[0], seen.positions[at + 7], atol=1e-6)


def test_new_words_may_come_before_the_body_has_left_its_pose():
    drawn = Drawn(9)
    assert drawn.add(replace(TIMING, lead_in_s=0.5), 0.0)
    assert drawn.plan.history(0).shape == (2, 22, 3)  # a model goes on from two frames
    assert drawn.add(TIMING, 0.1, frame=0)
    assert drawn.plan.last_frame == CHUNK
    assert drawn.plan.trajectory.times[0] == pytest.approx(0.5)


def chunk_after(drawn: Drawn, clock: Callable[[], float], lead_s: float) -> StreamPlan | None:
    at = drawn.plan.last_frame
    clip = part(drawn.clip, max(at - 1, 0), at + 1 + CHUNK)
    if at == 0:
        clip = joined(part(drawn.clip, 0, 1), clip)
    timing = replace(TIMING, lead_in_s=lead_s)
    return drawn.plan.longer(at, clip, model_frames(CHUNK), timing, clock)


@pytest.mark.parametrize('took_s', [0.0, 0.04, 0.14])
def test_however_long_joining_takes_a_message_begins_on_the_way_before(took_s):
    drawn = Drawn(10)
    assert drawn.add(TIMING, 0.0)
    before = drawn.plan.trajectory
    longer = chunk_after(drawn, iter([0.15, 0.15 + took_s]).__next__, 0.2)
    assert longer is not None
    sent = longer.message(0.15 + took_s)
    assert sent.times[0] == pytest.approx(0.2 - took_s)
    there = before.state_at(0.35)
    np.testing.assert_allclose(sent.joints.positions[0], there.positions, atol=1e-6)
    np.testing.assert_allclose(sent.joints.velocities[0], there.velocities, atol=1e-4)
    np.testing.assert_allclose(sent.base.pos[0], there.base_pos, atol=1e-6)


def test_what_took_too_long_to_join_leaves_the_plan_as_it_was():
    drawn = Drawn(11)
    assert drawn.add(TIMING, 0.0)
    before, last = drawn.plan.trajectory, drawn.plan.last_frame
    assert chunk_after(drawn, iter([0.1, 0.28]).__next__, 0.2) is None
    assert (drawn.plan.trajectory, drawn.plan.last_frame) == (before, last)


def test_a_body_that_stands_waits_until_the_first_piece_is_joined():
    plan = chunk_after(Drawn(12), iter([1.0, 1.5]).__next__, 0.2)
    assert plan is not None
    assert plan.message(1.5).times[0] == pytest.approx(0.2)
    assert plan.phase_at(1.7) == pytest.approx(0.0)
