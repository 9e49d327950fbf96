# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.model.finishing.grounding import AIRBORNE_S, STANCE_HEIGHT, put_on_floor
from mgpt3_ros.model.finishing.leg_pose import LEGS
from mgpt3_ros.model.kinematics.skeleton import FPS
from tests.support.tiny import swinging_motion

BALLS = [leg[-1] for leg in LEGS]


def standing(frames: int = 60, height: float = 0.01) -> np.ndarray:
    """A motion whose lower ball of the foot is at ``height`` [m] in every frame."""
    joints = swinging_motion(1, frames)
    joints[..., 1] += height - joints[:, BALLS, 1].min(axis=1)[:, None]
    return joints


def test_a_body_on_the_floor_stays() -> None:
    np.testing.assert_array_equal(put_on_floor(standing(), FPS), standing())


@pytest.mark.parametrize('height', [0.05, 0.3])
def test_a_body_that_hovers_comes_down(height: float) -> None:
    hovering = standing(height=height)
    made = put_on_floor(hovering, FPS)
    np.testing.assert_allclose(made[:, BALLS, 1].min(axis=1), STANCE_HEIGHT, atol=1e-6)
    np.testing.assert_allclose(made - made[:, :1], hovering - hovering[:, :1], atol=1e-6)
    assert made.dtype == hovering.dtype


def test_a_leap_stays_as_high_as_it_is() -> None:
    joints = standing()
    airborne = np.arange(30, 30 + round(0.4 * FPS))
    assert len(airborne) < AIRBORNE_S * FPS
    joints[airborne, :, 1] += 0.3
    np.testing.assert_allclose(put_on_floor(joints, FPS), joints, atol=0.01)


def test_a_body_that_begins_to_hover_comes_down_smoothly() -> None:
    joints = standing(80)
    joints[40:, :, 1] += 0.1 * np.minimum(np.arange(40) / 20, 1)[:, None]
    made = put_on_floor(joints, FPS)
    assert np.abs(np.diff(made[:, 0, 1], n=2)).max() < 0.01
    assert made[-1, BALLS, 1].min() == pytest.approx(STANCE_HEIGHT, abs=1e-3)


def test_a_body_that_stands_on_its_hands_stays() -> None:
    upside_down = standing() * [1, -1, 1]
    upside_down[..., 1] += 0.01 - upside_down[..., 1].min(axis=1)[:, None]
    np.testing.assert_array_equal(put_on_floor(upside_down, FPS), upside_down)


def test_one_frame_is_enough() -> None:
    assert put_on_floor(standing(1, 0.2), FPS)[0, BALLS, 1].min() == pytest.approx(STANCE_HEIGHT)
