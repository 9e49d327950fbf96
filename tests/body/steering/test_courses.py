# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a steered body follows: poses are reached, paths are kept to."""

from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.body.commands.meaning import Action
from mgpt3_ros.body.steering.courses import Goal, Path, steady
from mgpt3_ros.body.steering.walker import Course, Walker, Walking, bounded
from tests.support.gaits import picture_book_gaits

GOALS = [(0.0, 2.0, 0.0), (3.0, 0.0, 180.0), (0.0, -1.5, 0.0), (-0.3, 0.0, 0.0), (0, 0, -120)]
_T = np.linspace(0.0, 1.0, 60)
PATHS = {
    'corner': np.array([[0, 0], [0, 2], [2, 2]], dtype=float),
    'square': np.array([[0, 0], [0, 2], [2, 2], [2, 0], [0, 0]], dtype=float),
    'circle': np.stack([1 - np.cos(2 * np.pi * _T), np.sin(2 * np.pi * _T)], axis=1),
    'waves': np.stack([0.8 * np.sin(2 * np.pi * _T), 6 * _T], axis=1),
}


@pytest.fixture(scope='module')
def gaits():
    return picture_book_gaits()


def followed(gaits, course: Course, most: int = 700) -> list[Walking]:
    """The states of a body that follows a course from the origin until it stands."""
    walker = Walker(gaits)
    states = [walker.enter(np.stack([gaits.stand] * 2))]
    while len(states) < most:
        states += walker.walk(states[-1], course, 20)
        if states[-1].still:
            return states
    raise AssertionError(f'it still walks after {most} frames')


@pytest.mark.parametrize('goal', GOALS)
def test_a_goal_is_reached_within_10_cm_and_10_degrees(gaits, goal):
    x, z, degrees = goal
    course = Goal(np.array([x, z]), np.deg2rad(degrees))
    last = followed(gaits, course)[-1]
    far, turned = course.ends(last)
    assert far < 0.1
    assert np.degrees(turned) < 10
    np.testing.assert_allclose(last.place, (x, z), atol=0.1)
    error = (last.yaw - np.deg2rad(degrees) + np.pi) % (2 * np.pi) - np.pi
    assert abs(np.degrees(error)) < 10


def test_a_goal_without_a_yaw_leaves_the_body_as_it_came(gaits):
    last = followed(gaits, Goal(np.array([2.0, 0.0])))[-1]
    assert np.degrees(last.yaw) == pytest.approx(90, abs=15)


@pytest.mark.parametrize('name', PATHS)
def test_a_path_is_followed_within_15_cm_to_its_end(gaits, name):
    path = Path(PATHS[name])
    states = followed(gaits, path)
    lengths = np.concatenate(
        [[0.0], np.cumsum(np.linalg.norm(np.diff(PATHS[name], axis=0), axis=1))]
    )
    assert path.length == pytest.approx(lengths[-1])
    even = np.linspace(0.0, lengths[-1], 2000)
    points = np.stack([np.interp(even, lengths, column) for column in PATHS[name].T], axis=1)
    off = [np.linalg.norm(points - state.place, axis=1).min() for state in states]
    assert max(off) < 0.15
    assert np.linalg.norm(states[-1].place - PATHS[name][-1]) < 0.1
    assert states[-1].along > 0.9 * path.length  # all of it, though a loop ends where it begins


def test_a_path_is_slower_at_corners_than_on_the_straight(gaits):
    states = followed(gaits, Path(PATHS['corner']))
    speeds = [float(np.hypot(*state.velocity[:2])) for state in states]
    near = [s for s, one in zip(speeds, states, strict=True) if 1.7 < one.along < 2.2]
    assert min(near) < 0.7 * max(speeds)


@pytest.mark.parametrize(
    ('action', 'wanted'),
    [
        (Action('walk'), (1.18, 0, 0)),
        (Action('walk', speed='slow'), (0.72, 0, 0)),
        (Action('walk', speed=0.5), (0.5, 0, 0)),
        (Action('walk-back'), (-0.82, 0, 0)),
        (Action('walk-left'), (0, 1.0, 0)),
        (Action('walk-turn-right'), (1.1, 0, -0.7)),
    ],
)
def test_an_action_of_the_legs_goes_on_at_its_usual_speed(action, wanted):
    np.testing.assert_allclose(steady(action).velocity, wanted)
    assert bounded(steady(action).velocity)[0] == pytest.approx(wanted[0])
