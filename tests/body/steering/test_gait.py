# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two steps of a walk as a cycle."""

from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.body.steering.gait import BALLS, PHASES, cycle_of
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.finishing.settling import standing_pose
from mgpt3_ros.model.kinematics.heading import rotate_about_y
from tests.support.gaits import picture_book_gaits
from tests.support.walks import walking


def test_a_cycle_is_two_steps_of_the_walk():
    cycle = cycle_of([walking(12, length=0.6)])
    assert cycle.duration_s == pytest.approx(1.0, abs=0.06)
    assert cycle.speed == pytest.approx(0.6, abs=0.06)
    assert 0.5 <= cycle.duty <= 0.75
    assert cycle.neutral[0, 0] > 0 > cycle.neutral[1, 0]  # left and right


def test_it_closes_and_its_feet_land_at_the_beginning_and_in_the_middle():
    cycle = cycle_of([walking(12)])
    steps = np.linalg.norm(np.diff(cycle.poses, axis=0, append=cycle.poses[:1]), axis=-1)
    assert steps[-1].max() <= steps.max() + 1e-9
    for ball, lands in zip(BALLS, (0.0, 0.5), strict=True):
        farthest = int(np.argmax(cycle.poses[:, ball, 2])) / PHASES
        assert abs((farthest - lands + 0.5) % 1.0 - 0.5) < 0.12


def test_where_and_which_way_it_was_drawn_makes_no_difference():
    walk = walking(12)
    elsewhere = rotate_about_y(walk, 2.0) + np.array([3.0, 0.0, -4.0])
    one, other = cycle_of([walk]), cycle_of([elsewhere])
    assert other.speed == pytest.approx(one.speed, abs=0.05)
    np.testing.assert_allclose(other.neutral, one.neutral, atol=0.02)
    np.testing.assert_allclose(other.poses[:, 0, 0], one.poses[:, 0, 0], atol=0.02)


def test_who_stands_has_no_cycle():
    with pytest.raises(MotionError, match='two steps'):
        cycle_of([np.repeat(standing_pose()[None], 60, axis=0)])


def test_a_mixture_lies_between_the_walks():
    gaits = picture_book_gaits()
    ahead, back = np.array([1.0, 0, 0, 0]), np.array([0, 1.0, 0, 0])
    mixed = gaits.pose(0.3, 0.5 * (ahead + back))
    np.testing.assert_allclose(mixed, 0.5 * (gaits.pose(0.3, ahead) + gaits.pose(0.3, back)))
    np.testing.assert_allclose(gaits.pose(1.3, ahead), gaits.pose(0.3, ahead), atol=1e-9)
