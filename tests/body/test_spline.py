# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
from scipy.interpolate import CubicHermiteSpline, CubicSpline

from mgpt3_ros.body.spline import extreme_rates, hermite, spline_velocities, start_slope

RNG = np.random.default_rng(0)
TIMES = np.cumsum(RNG.uniform(0.02, 0.2, 12))
VALUES = RNG.normal(size=(12, 4))


def test_velocities_are_those_of_the_clamped_spline():
    start, end = RNG.normal(size=4), RNG.normal(size=4)
    theirs = CubicSpline(TIMES, VALUES, bc_type=((1, start), (1, end)))
    ours = spline_velocities(TIMES, VALUES, start, end)
    np.testing.assert_allclose(ours, theirs(TIMES, 1), atol=1e-9)


def test_two_points_keep_the_velocities_given():
    velocities = spline_velocities(TIMES[:2], VALUES[:2], np.ones(4), np.zeros(4))
    np.testing.assert_array_equal(velocities, [np.ones(4), np.zeros(4)])


def test_start_slope_is_exact_for_what_gathers_speed_and_never_beyond_the_first_step():
    values = (3 * (TIMES - TIMES[0] + 0.1) ** 2)[:, None]
    np.testing.assert_allclose(start_slope(TIMES, values), 0.6)
    slowing = -(3 * (TIMES[-1] - TIMES + 0.1) ** 2)[:, None]
    first_step = (slowing[1] - slowing[0]) / (TIMES[1] - TIMES[0])
    np.testing.assert_allclose(start_slope(TIMES, slowing), first_step)


def test_hermite_is_the_cubic_of_both_ends():
    theirs = CubicHermiteSpline([0, 0.3], VALUES[:2], VALUES[2:4])
    position, velocity = hermite(*VALUES[:4:1][[0, 2, 1, 3]], 0.3, 0.4)
    np.testing.assert_allclose(position, theirs(0.12))
    np.testing.assert_allclose(velocity, theirs(0.12, 1))


def test_extremes_are_those_of_a_dense_sampling():
    velocities = spline_velocities(TIMES, VALUES, np.zeros(4), np.zeros(4))
    spline = CubicHermiteSpline(TIMES, VALUES, velocities)
    dense = np.linspace(TIMES[0], TIMES[-1], 20001)
    speed, acceleration = extreme_rates(TIMES, VALUES, velocities)
    np.testing.assert_allclose(speed, np.abs(spline(dense, 1)).max(axis=0), rtol=1e-4)
    np.testing.assert_allclose(acceleration, np.abs(spline(dense, 2)).max(axis=0), rtol=2e-2)
