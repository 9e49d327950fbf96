# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Streams with any rate and jitter, sampled at even times."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from mgpt3_ros.model.streams import even_times, sample_angles, sample_linear, sample_rotations


def jittered(rate: float, seconds: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.sort(
        np.arange(0, seconds, 1 / rate) + rng.uniform(0, 0.4 / rate, int(seconds * rate))
    )


def test_frames_of_a_duration() -> None:
    np.testing.assert_allclose(even_times(3.0, 0.2), [3.0, 3.05, 3.1, 3.15])
    assert len(even_times(0.0, 0.1 + 0.2)) == 6  # 0.30000000000000004
    assert len(even_times(0.0, 0.0)) == 1


def test_a_line_comes_back_at_any_rate_and_ends_hold() -> None:
    for rate in (7, 30, 200):
        times = jittered(rate, 4.0)
        values = np.stack([2 * times + 1, -times], axis=1)
        at = even_times(times[0], times[-1] - times[0])
        np.testing.assert_allclose(
            sample_linear(times, values, at), np.stack([2 * at + 1, -at], axis=1), atol=1e-12
        )
        outside = sample_linear(times, values, np.array([-5.0, 9.0]))
        np.testing.assert_array_equal(outside, values[[0, -1]])


def test_angles_turn_through_pi_without_a_jump() -> None:
    times = jittered(30, 4.0)
    wrapped = (2 * times + np.pi) % (2 * np.pi) - np.pi
    at = even_times(times[0], 3.8)
    sampled = sample_angles(times, wrapped[:, None], at)[:, 0]
    np.testing.assert_allclose(np.exp(1j * sampled), np.exp(2j * at), atol=1e-9)
    assert np.abs(np.diff(sampled)).max() < 0.11


def test_orientations_take_the_shortest_turn_whatever_the_sign() -> None:
    times = jittered(15, 4.0)
    quaternions = Rotation.from_euler('z', times[:, None]).as_quat()
    quaternions[::2] *= -1
    at = even_times(times[0], 3.0)
    turned = Rotation.from_quat(sample_rotations(times, quaternions, at)).as_matrix()
    expected = Rotation.from_euler('z', at[:, None]).as_matrix()
    np.testing.assert_allclose(turned, expected, atol=1e-9)


def test_one_sample_is_held() -> None:
    at, one = np.array([0.0, 1.0]), np.array([0.5])
    np.testing.assert_array_equal(sample_angles(one, np.array([[4.0]]), at), [[4.0], [4.0]])
    held = sample_rotations(one, np.array([[0.0, 0.0, 0.0, 1.0]]), at)
    np.testing.assert_array_equal(held, [[0, 0, 0, 1]] * 2)
