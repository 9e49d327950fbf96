# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is computed in short is what NumPy computes, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.model.kinematics.vectors import cross, dot, median, norm


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(50, 4, 3)) * 10.0 ** rng.integers(-6, 6), rng.normal(size=(50, 4, 3))


@pytest.mark.parametrize('kind', [np.float64, np.float32])
def test_lengths_and_products(pair, kind):
    a, b = (array.astype(kind) for array in pair)
    np.testing.assert_array_equal(norm(a), np.linalg.norm(a, axis=-1, keepdims=True))
    np.testing.assert_array_equal(cross(a, b), np.cross(a, b))
    np.testing.assert_array_equal(cross(a[0, 0], b), np.cross(a[0, 0], b))
    np.testing.assert_allclose(dot(a, b)[..., 0], np.sum(a * b, axis=-1), rtol=1e-4)
    assert norm(a).dtype == cross(a, b).dtype == kind


@pytest.mark.parametrize('count', [1, 2, 3, 8, 9])
def test_medians(pair, count):
    values = pair[0][:count]
    np.testing.assert_array_equal(median(values), np.median(values, axis=0))
