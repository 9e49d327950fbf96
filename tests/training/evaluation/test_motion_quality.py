# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Physical measures, each against a value worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.training.evaluation.motion_quality import floating, jitter, penetration, physical
from tests.support.tiny import swinging_motion


def standing(heights: list[float]) -> np.ndarray:
    """A body that stands still, its lowest joint at these heights [m], frame by frame."""
    joints = np.repeat(swinging_motion(0, 1).astype(np.float64), len(heights), axis=0)
    joints[..., 1] += np.array(heights)[:, None]
    return joints


def test_on_the_floor_nothing_floats_or_sinks() -> None:
    for joints in (standing([0, 0, 0, 0]), standing([0.004, -0.004, 0, 0])):
        assert floating(joints) == 0
        assert penetration(joints) == 0


def test_floating_is_the_mean_height_beyond_the_tolerance() -> None:
    joints = standing([0.105, 0.025, 0, -0.2])  # 100 and 20 mm beyond 5 mm, of 4 frames
    assert floating(joints) == pytest.approx(0.03)
    assert floating(joints, tolerance=0.0) == pytest.approx(0.0325)


def test_penetration_is_the_mean_depth_beyond_the_tolerance() -> None:
    joints = standing([-0.105, -0.025, 0, 0.2])
    assert penetration(joints) == pytest.approx(0.03)
    assert penetration(joints, tolerance=0.0) == pytest.approx(0.0325)


def test_the_lowest_joint_counts_whichever_it_is() -> None:
    joints = standing([0.305, 0.305])
    joints[:, 20, 1] = 0.0  # a handstand: the body's hand is on the floor
    assert floating(joints) == 0


def test_all_measures_carry_their_units() -> None:
    joints = standing([0.015] * 30)
    found = physical(joints)
    assert found['floating [mm]'] == pytest.approx(10)
    assert found['penetration [mm]'] == 0
    assert found['foot slide [m/s]'] == found['jitter [m/s^3]'] == 0
    sliding = joints.copy()
    sliding[..., 0] += 0.1 * np.arange(30)[:, None] / 20
    assert physical(sliding)['foot slide [m/s]'] == pytest.approx(0.1)
    assert jitter(sliding) < 1e-9  # a constant velocity does not shake


@pytest.mark.parametrize(
    ('joints', 'message'),
    [
        (np.zeros((5, 21, 3)), r'not \(5, 21, 3\)'),
        (np.zeros((0, 22, 3)), r'not \(0, 22, 3\)'),
        (np.full((5, 22, 3), np.nan), 'NaN'),
    ],
)
def test_what_cannot_be_measured_is_an_error(joints: np.ndarray, message: str) -> None:
    for measure in (floating, penetration):
        with pytest.raises(MotionError, match=message):
            measure(joints)
