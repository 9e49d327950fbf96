# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from mgpt3_ros.body.body_trajectory import BasePath, JointPath
from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.player import BasePlayer, JointPlayer
from mgpt3_ros.model.errors import MotionError
from tests.support.clips import random_clip

STANDING = np.array([0.0, 0.0, 0.9, 0.0, 0.0, 0.0, 1.0])
NAMES = ('a', 'b')


def path(times, positions, velocities=None):
    values = np.array(positions, dtype=float)
    rates = None if velocities is None else np.array(velocities, dtype=float)
    return JointPath(np.array(times, dtype=float), values, rates)


def test_a_body_comes_to_the_first_point_from_its_state():
    player = JointPlayer(NAMES)
    player.follow(NAMES, path([1, 2], [[1, 2], [3, 4]], np.zeros((2, 2))), 10.0, 10.0)
    assert player.sample(10.0)[0].tolist() == [0, 0]
    assert player.sample(10.5)[0].tolist() == [0.5, 1.0]  # half of a cubic at rest at both ends
    assert player.sample(11.0)[0].tolist() == [1, 2]
    assert player.sample(99.0)[0].tolist() == [3, 4]
    assert player.sample(99.0)[1].tolist() == [0, 0]


def test_a_new_trajectory_continues_position_and_velocity():
    player = JointPlayer(NAMES)
    player.follow(NAMES, path([1, 2], [[1, 2], [3, 4]], np.zeros((2, 2))), 0.0, 0.0)
    before = player.sample(1.4)
    player.follow(NAMES, path([1], [[0, 0]], np.zeros((1, 2))), 1.4, 1.4)
    np.testing.assert_allclose(player.sample(1.4), before)
    assert player.sample(2.4)[0].tolist() == [0, 0]


def test_positions_alone_are_joined_by_straight_lines():
    player = JointPlayer(NAMES)
    player.follow(NAMES, path([1], [[1, 2]]), 0.0, 0.0)
    assert player.sample(0.25)[0].tolist() == [0.25, 0.5]


def test_joints_are_known_by_name():
    player = JointPlayer(NAMES)
    player.follow(NAMES, path([1], [[1, 2]]), 0.0, 0.0)
    player.follow(('b', 'c'), path([1], [[5, 7]]), 2.0, 2.0)
    assert player.sample(2.0)[0].tolist() == [2, 7]


def test_points_in_the_past_are_dropped():
    player = JointPlayer(NAMES)
    player.follow(NAMES, path([1, 2, 3], [[1, 1], [2, 2], [3, 3]]), 0.0, 2.5)
    assert player.sample(2.75)[0].tolist() == [1.5, 1.5]  # from the state 0 towards the third
    with pytest.raises(MotionError, match='ended'):
        player.follow(NAMES, path([1], [[1, 1]]), 0.0, 1.5)


def test_the_base_passes_through_its_knots():
    trajectory, _ = plan(random_clip(0), Timing())
    player = BasePlayer(STANDING)
    assert player.sample(0.0)[0].tolist() == [0, 0, 0.9]
    player.follow(trajectory.base, 5.0, 5.0)
    for index in (0, 7, 30):
        pos, _, lin, ang = player.sample(5.0 + trajectory.times[index])
        np.testing.assert_allclose(pos, trajectory.base.pos[index], atol=1e-9)
        np.testing.assert_allclose(lin, trajectory.base.lin[index], atol=1e-6)
        np.testing.assert_allclose(ang, trajectory.base.ang[index], atol=1e-6)


def test_a_body_stays_where_it_was_when_its_clock_is_reset():
    joints, base = JointPlayer(('a',)), BasePlayer(STANDING)
    times, still = np.array([1.0, 2.0]), np.zeros((2, 3))
    joints.follow(('a',), JointPath(times, np.array([[1.0], [2.0]]), None), 100.0, 100.0)
    way = np.array([[1.0, 0, 0.9], [2.0, 0, 0.9]])
    upright = np.tile([0.0, 0.0, 0.0, 1.0], (2, 1))
    base.follow(BasePath(times, way, upright, still, still), 100.0, 100.0)
    before = joints.sample(101.5)[0], base.sample(101.5)[0]
    joints.stay(101.5)
    base.stay(101.5)
    for now_s in (0.0, 101.9, 1e9):
        np.testing.assert_allclose(joints.sample(now_s)[0], before[0])
        np.testing.assert_allclose(base.sample(now_s)[0], before[1])
        assert not joints.sample(now_s)[1].any()
