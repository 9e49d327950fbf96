# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.model.finishing.foot_lock import foot_slide
from mgpt3_ros.model.finishing.foot_slip import REAL_SLIP, steady_root
from mgpt3_ros.model.finishing.leg_pose import LEGS
from mgpt3_ros.model.kinematics.skeleton import FPS
from tests.support.tiny import rest_pose

BALLS = [leg[-1] for leg in LEGS]


def standing(frames: int = 60) -> np.ndarray:
    joints = np.repeat(rest_pose()[None], frames, axis=0)
    joints[..., 1] -= joints[0, BALLS, 1].min() - 0.01
    return joints


def gliding(speed: float, frames: int = 60) -> np.ndarray:
    """A standing body that glides along x [m/s]."""
    joints = standing(frames)
    joints[..., 0] += speed * np.arange(frames)[:, None] / FPS
    return joints


def test_a_body_that_stands_stays() -> None:
    np.testing.assert_allclose(steady_root(standing(), FPS), standing())


@pytest.mark.parametrize('speed', [0.1, 0.3])
def test_a_body_that_glides_on_its_feet_is_held(speed: float) -> None:
    made = steady_root(gliding(speed), FPS)
    assert foot_slide(made, FPS) < REAL_SLIP + 0.05 * speed
    np.testing.assert_allclose(made[0], gliding(speed)[0])


def test_poses_and_heights_stay() -> None:
    rng = np.random.default_rng(0)
    joints = gliding(0.2) + 0.02 * rng.standard_normal((60, 22, 3))
    made = steady_root(joints, FPS)
    np.testing.assert_allclose(made - made[:, :1], joints - joints[:, :1], atol=1e-12)
    np.testing.assert_allclose(made[..., 1], joints[..., 1])


def test_what_flies_or_swings_is_left_alone() -> None:
    high = gliding(0.3)
    high[..., 1] += 0.2
    np.testing.assert_allclose(steady_root(high, FPS), high)
    fast = gliding(1.5)
    np.testing.assert_allclose(steady_root(fast, FPS), fast)


def test_one_standing_foot_decides() -> None:
    joints = gliding(0.3)
    for leg in LEGS[:1]:  # the left one swings high above the floor, fast
        joints[:, leg[1:], 1] += 0.3
        joints[:, leg[1:], 0] += 0.5 * np.sin(np.arange(60))[:, None]
    made = steady_root(joints, FPS)
    moved = np.abs(np.diff(made[:, LEGS[1][-1], 0])) * FPS
    assert moved.max() < 0.08


@pytest.mark.parametrize('frames', [1, 2, 3])
def test_short_motions_and_their_dtype(frames: int) -> None:
    joints = gliding(0.3, frames).astype(np.float32)
    made = steady_root(joints, FPS)
    assert made.shape == joints.shape
    assert made.dtype == np.float32
