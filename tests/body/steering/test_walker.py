# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A body that steps where it is steered."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from mgpt3_ros.body.steering.courses import Velocity
from mgpt3_ros.body.steering.walker import FASTEST, FASTEST_BACK, Walker, Walking, bounded, moved
from mgpt3_ros.model.finishing.foot_lock import foot_slide
from mgpt3_ros.model.finishing.settling import is_stance
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS, FPS, PARENTS
from tests.support.gaits import picture_book_gaits
from tests.support.walks import walking

# [m/s]: real walks of mocap22 slide at 0.079 (python -m benchmarks.steering --data PACK).
MOST_SLIDE = 1.5 * 0.079
VELOCITIES = {
    'ahead': (1.0, 0.0, 0.0),
    'slowly': (0.3, 0.0, 0.0),
    'fast': (1.5, 0.0, 0.0),
    'back': (-0.6, 0.0, 0.0),
    'left': (0.0, 0.4, 0.0),
    'right': (0.0, -0.4, 0.0),
    'turn': (0.0, 0.0, 0.8),
    'curve': (0.8, 0.1, -0.6),
}


@pytest.fixture(scope='module')
def gaits():
    return picture_book_gaits()


def standing(gaits) -> tuple[Walker, Walking]:
    walker = Walker(gaits)
    return walker, walker.enter(np.stack([gaits.stand] * 2))


def steered(gaits, *velocity: float, frames: int = 80) -> tuple[list[Walking], np.ndarray]:
    """A body that stands, is steered and then rests: its states and joints."""
    walker, state = standing(gaits)
    states = [state, *walker.walk(state, Velocity(np.array(velocity)), frames)]
    states += walker.stop(states[-1], 120)
    return states, walker.joints(states)


@pytest.mark.parametrize('velocity', VELOCITIES.values(), ids=list(VELOCITIES))
def test_it_goes_as_it_is_steered_on_planted_feet_and_ends_in_a_stance(gaits, velocity):
    states, joints = steered(gaits, *velocity)
    np.testing.assert_allclose(states[60].velocity, velocity, atol=1e-9)
    place, yaw = moved(states[60].place, states[60].yaw, states[60].velocity, 0.5)
    turned = 0.5 * velocity[2]
    np.testing.assert_allclose(states[70].place, place, atol=0.02 + 0.1 * abs(turned))
    assert states[70].yaw == pytest.approx(yaw)
    assert foot_slide(joints, FPS) < MOST_SLIDE
    assert joints[:, FOOT_JOINTS, 1].min() > -0.01
    assert states[-1].still
    assert is_stance(joints[-1])


def test_planted_feet_stay_to_the_millimetre(gaits):
    states, _ = steered(gaits, 1.0, 0.2, 0.3)
    for side in (0, 1):
        for one, other in pairwise(states):
            if one.feet[side].swings is None and other.feet[side].swings is None:
                np.testing.assert_array_equal(one.feet[side].place, other.feet[side].place)


def test_bones_keep_their_lengths(gaits):
    _, joints = steered(gaits, 0.7, 0.2, 0.5)
    bones = np.linalg.norm(joints[:, 1:] - joints[:, PARENTS[1:]], axis=-1)
    np.testing.assert_allclose(bones, np.broadcast_to(bones[0], bones.shape), atol=1e-6)


def test_the_pelvis_goes_where_the_body_does(gaits):
    states, joints = steered(gaits, 1.0, 0.0, 0.4)
    places = np.stack([state.place for state in states])
    assert np.linalg.norm(joints[:, 0][:, [0, 2]] - places, axis=1).max() < 0.1


def test_it_takes_over_from_a_walk_at_its_pose_and_speed(gaits):
    before = walking(8)[:57]
    walker = Walker(gaits)
    state = walker.enter(before[-3:])
    assert state.velocity[0] == pytest.approx(0.6, abs=0.1)
    states = [state, *walker.walk(state, Velocity(np.array([0.9, 0.0, 0.3])), 20)]
    joined = np.concatenate([before[:-1], walker.joints(states)])
    steps = np.linalg.norm(np.diff(joined, axis=0), axis=-1).max(axis=1)
    usual = np.linalg.norm(np.diff(before, axis=0), axis=-1).max()
    assert np.linalg.norm(joined[56] - before[56], axis=-1).max() < 0.02
    assert steps[54:62].max() < 1.5 * usual


def test_a_body_that_stands_and_shall_not_move_does_not(gaits):
    walker, state = standing(gaits)
    states = walker.walk(state, Velocity(np.zeros(3)), 5)
    assert all(one.still for one in states)
    np.testing.assert_allclose(walker.joints(states)[-1], gaits.stand, atol=1e-6)


def test_it_begins_where_it_stands_with_its_feet_where_they_are(gaits):
    apart = walking(3)[19:20]
    walker = Walker(gaits)
    state = walker.enter(np.repeat(apart, 3, axis=0))
    assert state.still
    np.testing.assert_allclose(walker.joints([state])[0], apart[0], atol=0.02)


def test_velocities_are_held_within_what_a_walk_can_do():
    np.testing.assert_array_equal(bounded(np.array([9.0, 9.0, 9.0])), FASTEST)
    lowest = np.array([-FASTEST_BACK, -FASTEST[1], -FASTEST[2]])
    np.testing.assert_allclose(bounded(np.array([-9.0, -9.0, -9.0])), lowest)
