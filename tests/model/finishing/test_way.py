# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.model.finishing import way
from mgpt3_ros.model.finishing.foot_lock import BALL_HEIGHT, contacts, foot_slide
from mgpt3_ros.model.finishing.leg_pose import LEGS
from mgpt3_ros.model.kinematics.heading import heading
from mgpt3_ros.model.kinematics.skeleton import PARENTS
from mgpt3_ros.model.motion import Motion
from tests.support.walks import FPS, STEP_FRAMES, walking

WALK = walking(9)


def bones(joints: np.ndarray) -> np.ndarray:
    return np.linalg.norm(joints[:, 1:] - joints[:, PARENTS[1:]], axis=-1)


def feet_stand_and_bones_keep(joints: np.ndarray) -> None:
    """Frame for frame the feet stand where the walk's feet stand."""
    for ball in (leg[3] for leg in LEGS):
        for run in contacts(WALK[:, ball], BALL_HEIGHT, FPS):
            assert np.ptp(joints[run, ball], axis=0).max() < 0.03
    assert np.abs(bones(joints) - bones(WALK)[0]).max() < 0.002


def test_way_pace_and_steps_of_a_walk():
    ahead, left = way.travelled(WALK)
    assert ahead == pytest.approx(WALK[-1, 0, 2] - WALK[0, 0, 2])
    assert left == pytest.approx(0.0, abs=1e-9)
    assert way.pace(WALK, FPS) == pytest.approx(ahead / (len(WALK) / FPS), rel=0.1)
    assert way.turned_by(WALK) == pytest.approx(0.0, abs=1e-9)
    landed = way.landings(WALK, FPS)
    assert len(landed) == 7  # the first foot never stood, and the ninth step is in the air
    np.testing.assert_allclose(np.diff(landed), STEP_FRAMES, atol=1)


@pytest.mark.parametrize('yaw', [0.0, 2.5])
def test_ahead_and_left_are_those_of_the_first_frame(yaw):
    walk = Motion(WALK).transform(yaw, (3.0, 0.0, -2.0)).joints
    ahead, left = way.travelled(walk)
    assert ahead == pytest.approx(way.travelled(WALK)[0], abs=1e-4)
    assert left == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize('speed', [0.5, 1.0])
def test_a_pace_is_met_by_length_and_number_of_steps(speed):
    paced = way.paced(WALK, FPS, speed, (0.3, 2.0))
    assert way.pace(paced, FPS) == pytest.approx(speed, rel=0.05)
    factor = speed / way.pace(WALK, FPS)
    assert way.travelled(paced)[0] == pytest.approx(
        way.travelled(WALK)[0] * factor**way.LENGTH_SHARE, rel=0.05
    )
    assert foot_slide(paced, FPS) < 0.15
    assert np.abs(bones(paced) - bones(WALK)[0]).max() < 0.004


def test_a_pace_beyond_the_bounds_is_left():
    paced = way.paced(WALK, FPS, 9.0, (0.5, 1.5))
    assert way.pace(paced, FPS) == pytest.approx(1.5 * way.pace(WALK, FPS), rel=0.05)


@pytest.mark.parametrize('factor', [0.6, 1.2])
def test_a_way_is_stretched_and_planted_feet_stay_planted(factor):
    stretched = way.stretched(WALK, FPS, factor, 1.0)
    assert way.travelled(stretched)[0] == pytest.approx(factor * way.travelled(WALK)[0], rel=0.01)
    assert len(way.landings(stretched, FPS)) == len(way.landings(WALK, FPS))
    feet_stand_and_bones_keep(stretched)


@pytest.mark.parametrize('degrees', [-90, 45, 120])
def test_a_walk_is_bent_to_an_angle_and_straightened_again(degrees):
    bent = way.steered(WALK, FPS, np.deg2rad(degrees))
    assert np.degrees(way.turned_by(bent)) == pytest.approx(degrees, abs=1)
    assert np.sign(way.travelled(bent)[1]) == np.sign(degrees)
    feet_stand_and_bones_keep(bent)
    straight = way.straightened(bent, FPS)
    assert np.degrees(np.ptp(np.unwrap(heading(straight)))) < 12
    assert abs(way.travelled(straight)[1]) < 0.01


def test_a_way_is_turned_without_the_body():
    sheared = way.sheared(WALK, FPS, 0.1)
    ahead, left = way.travelled(sheared)
    assert np.arctan2(left, ahead) == pytest.approx(0.1, abs=0.01)
    assert way.turned_by(sheared) == pytest.approx(0.0, abs=1e-6)
    feet_stand_and_bones_keep(sheared)


def test_a_motion_twice_as_fast_takes_half_the_time():
    fast = way.retimed(WALK, FPS, 2.0)
    assert len(fast) == (len(WALK) + 1) // 2
    np.testing.assert_allclose(fast[-1], WALK[2 * (len(fast) - 1)], atol=1e-12)
