# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2 messages')

from builtin_interfaces.msg import Duration, Time
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.stopping import stop
from mgpt3_ros.model.errors import GenerationError, MotionError
from mgpt3_ros.nodes.messages import base_path, joint_path, seconds, to_messages
from tests.support.clips import random_clip, random_state
from tests.support.jtc_rules import time_s, violations


def messages(trajectory, stamp=None):
    return to_messages(trajectory, stamp or Time(), 'map', 'base_link')


def some_timing(seed: int) -> Timing:
    rng = np.random.default_rng(seed)
    return Timing(
        fps_out=float(rng.choice([1.0, 7.3, 20.0, 50.0])),
        lead_in_s=float(rng.uniform(0.05, 2.0)),
        blend_s=float(rng.uniform(0.05, 1.0)),
        max_velocity=float(rng.choice([np.inf, 1.5])),
        max_acceleration=float(rng.choice([np.inf, 6.0])),
    )


@pytest.mark.parametrize('seed', range(40))
def test_whatever_is_planned_obeys_the_controller(seed):
    frames = int(np.random.default_rng(seed).integers(2, 120))
    clip, timing = random_clip(seed, frames, far=3.0), some_timing(seed)
    first, _ = plan(clip, timing)
    then = first.state_at(0.6 * first.end_s)
    second, _ = plan(random_clip(seed + 1000), timing, then, random_state(seed))
    halted = stop(second, 0.3 * second.end_s, timing.max_acceleration)
    for trajectory, lead_in_s in (
        (first, timing.lead_in_s),
        (second, timing.lead_in_s),
        (halted, 0),
    ):
        joints, base = messages(trajectory)
        assert violations(joints, clip.names, lead_in_s=lead_in_s) == []
        assert [p.time_from_start for p in base.points] == [
            p.time_from_start for p in joints.points
        ]
        assert base.header == joints.header


def test_the_oracle_finds_each_fault():
    good, _ = messages(plan(random_clip(0), Timing())[0])
    names = tuple(good.joint_names)
    assert violations(good, names, lead_in_s=0.5) == []

    def spoiled(spoil) -> str:
        message, _ = messages(plan(random_clip(0), Timing())[0])
        spoil(message)
        return ' '.join(violations(message, names, now_s=100.0, lead_in_s=0.5))

    assert 'joints differ' in spoiled(lambda m: setattr(m, 'joint_names', ['a', *names[1:]]))
    assert 'no points' in spoiled(lambda m: setattr(m, 'points', []))
    assert 'positions for' in spoiled(lambda m: setattr(m.points[3], 'positions', [0.0]))
    assert 'not finite' in spoiled(lambda m: m.points[3].velocities.__setitem__(0, np.nan))
    assert 'increase' in spoiled(lambda m: m.points.reverse())
    assert 'last velocity' in spoiled(lambda m: m.points[-1].velocities.__setitem__(0, 0.1))
    assert 'past' in spoiled(lambda m: setattr(m.header, 'stamp', Time(sec=1)))
    assert 'first point' in spoiled(
        lambda m: (
            setattr(m.points[0].time_from_start, 'sec', 0)
            or setattr(m.points[0].time_from_start, 'nanosec', 1)
        )
    )
    assert 'effort' in spoiled(lambda m: setattr(m.points[0], 'effort', [1.0]))


@pytest.mark.parametrize('part', ['joints', 'base'])
def test_a_number_that_is_not_finite_is_never_built(part):
    trajectory, _ = plan(random_clip(1), Timing())
    path = getattr(trajectory, part)
    (path.positions if part == 'joints' else path.pos)[7, 1] = np.nan
    with pytest.raises(GenerationError, match='not finite'):
        messages(trajectory)


def test_messages_read_back_as_the_same_trajectory():
    trajectory, _ = plan(random_clip(2), Timing(), random_state(2))
    joints, base = messages(trajectory)
    read = joint_path(joints)
    np.testing.assert_allclose(read.times, trajectory.times, atol=1e-9)
    np.testing.assert_array_equal(read.positions, trajectory.joints.positions)
    np.testing.assert_array_equal(read.velocities, trajectory.joints.velocities)
    back = base_path(base)
    for name in ('pos', 'lin', 'ang'):
        np.testing.assert_allclose(getattr(back, name), getattr(trajectory.base, name), atol=1e-12)
    turns = quat.log(quat.multiply(back.rot, quat.inverse(trajectory.base.rot)))
    assert np.abs(turns).max() < 1e-9
    assert seconds(joints.points[0].time_from_start) == pytest.approx(time_s(joints, 0))


def test_the_base_velocity_is_the_slope_of_its_way():
    trajectory, _ = plan(random_clip(3), Timing(fps_out=100.0))
    base, step = trajectory.base, 0.01
    slope = (base.pos[2:60] - base.pos[:58]) / (2 * step)
    np.testing.assert_allclose(base.lin[1:59], slope, atol=0.02)
    turn = quat.log(quat.multiply(base.rot[2:60], quat.inverse(base.rot[:58]))) / (2 * step)
    np.testing.assert_allclose(base.ang[1:59], turn, atol=0.02)


def broken(**changes) -> JointTrajectory:
    point = {'positions': [0.1, 0.2]}
    message = JointTrajectory(joint_names=['a', 'b'], points=[JointTrajectoryPoint(**point)])
    for name, value in changes.items():
        setattr(message, name, value)
    return message


@pytest.mark.parametrize(
    'message',
    [
        broken(points=[]),
        broken(joint_names=[]),
        broken(joint_names=['a', 'a']),
        broken(joint_names=['a']),
        broken(points=[JointTrajectoryPoint(positions=[0.0, float('inf')])]),
        broken(points=[JointTrajectoryPoint(positions=[0.0, 0.0]) for _ in range(2)]),
    ],
)
def test_unusable_messages_are_refused(message):
    with pytest.raises(MotionError):
        joint_path(message)


def test_numbers_beyond_all_bodies_are_refused():
    point = JointTrajectoryPoint(positions=[1e300], time_from_start=Duration(sec=1))
    with pytest.raises(MotionError, match='beyond all bodies'):
        joint_path(JointTrajectory(joint_names=['a'], points=[point]))
