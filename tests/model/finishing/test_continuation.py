# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.model.finishing.continuation import bridge, continue_from, placement
from mgpt3_ros.model.kinematics.heading import rotate_about_y
from tests.support.tiny import swinging_motion


def moved(joints: np.ndarray, yaw: float, x: float, z: float) -> np.ndarray:
    return rotate_about_y(joints, yaw) + np.array([x, 0.0, z])


def test_a_clip_follows_without_a_jump() -> None:
    observed = moved(swinging_motion(1, 30), 0.8, 2.0, -1.0)
    clip = swinging_motion(2, 41, speed=0.6)
    joints, info = continue_from(observed, clip, 20)
    assert joints.shape == (40, 22, 3)
    assert 0.01 < info['seam_error_m'] < 0.3
    extrapolated = 2 * observed[-1] - observed[-2]
    assert np.linalg.norm(joints[0] - extrapolated, axis=-1).mean() < 0.005
    whole = np.concatenate([observed[-3:], joints])
    accelerations = np.linalg.norm(np.diff(whole, n=2, axis=0), axis=-1) * 400
    assert accelerations.max() < 25  # m/s^2; a jump of 1 cm alone would be 4, of 10 cm 40


def test_a_clip_that_fits_is_left_as_it_is() -> None:
    whole = swinging_motion(3, 60)
    joints, info = continue_from(whole[:30], whole[29:], 20)
    assert info['seam_error_m'] == pytest.approx(0, abs=1e-6)
    # Velocities are differences of frames, half a frame apart on the two sides of the seam.
    assert np.abs(joints - whole[30:]).max() < 8e-3


def test_a_clip_goes_on_at_the_pace_that_was_observed() -> None:
    observed = moved(swinging_motion(1, 30, speed=1.2), 0.8, 2.0, -1.0)
    clip = swinging_motion(1, 41, speed=0.3)
    joints, _ = continue_from(observed, clip, 20)
    speeds = np.linalg.norm(np.diff(joints[:, 0], axis=0), axis=-1) * 20
    assert speeds[:10].mean() == pytest.approx(1.2, abs=0.1)
    # Of the missing 0.9 m/s half is made up after 2 s, and the path is halfway to 1.2 m/s.
    assert speeds[-5:].mean() == pytest.approx((1.2 + 0.3 + 0.9 * np.exp(-2 / 3)) / 2, abs=0.05)
    heights = joints[:, 0, 1] - observed[-1, 0, 1]
    assert np.abs(heights).max() < 0.05


def test_a_bridge_meets_both_ends_wherever_they_stand() -> None:
    before, clip = swinging_motion(1, 30), swinging_motion(2, 42, speed=0.5)
    after = moved(swinging_motion(4, 30), -0.9, 1.0, 2.5)
    gap, info = bridge(before, clip, after, 20)
    assert gap.shape == (40, 22, 3)
    assert info['seam_error_m'] > 0
    assert info['end_seam_error_m'] > 0.5
    whole = np.concatenate([before[-3:], gap, after[:3]])
    steps = np.linalg.norm(np.diff(whole, axis=0), axis=-1).mean(axis=-1)
    assert steps.max() < 0.2
    assert np.linalg.norm(np.diff(whole, n=2, axis=0), axis=-1).max() * 400 < 40


def test_a_bridge_goes_through_the_gap_at_the_paces_of_its_ends() -> None:
    whole = swinging_motion(1, 100, speed=1.2)
    slow = swinging_motion(1, 42, speed=0.1)  # a clip that would make up for it in the middle
    gap, _ = bridge(whole[:30], slow, whole[70:], 20)
    aside = np.linalg.norm(gap[:, 0] - whole[30:70, 0], axis=-1)
    assert aside.max() < 0.08  # the clip's own path would be 0.22 m off
    turned = bridge(whole[:30], slow, moved(whole[70:], -0.9, 1.0, 2.5), 20)[0]
    assert np.ptp(turned[:, 0, 0]) > 0.5


def test_the_shortest_bridge_is_one_frame() -> None:
    before, after = swinging_motion(1, 30), swinging_motion(1, 33)[31:]
    gap, _ = bridge(before, swinging_motion(1, 32)[29:], after, 20)
    assert gap.shape == (1, 22, 3)


def test_placement_is_seen_from_the_first_pose() -> None:
    pose = swinging_motion(1, 2)[0]
    placed = moved(moved(pose[None], 0.5, 0, 0), 0.0, 0.3, 1.0)[0]
    turned = [moved(p[None], 1.2, 4.0, -2.0)[0] for p in (pose, placed)]
    for first, second in ((pose, placed), tuple(turned)):
        dx, dz, sin, cos = placement(first, second)
        assert np.arctan2(sin, cos) == pytest.approx(0.5, abs=1e-4)
        assert (dx, dz) == pytest.approx((0.3, 1.0), abs=1e-3)
