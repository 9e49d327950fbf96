# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.model.finishing.retiming import at_moments, changing_rate
from tests.support.walks import walking


def test_frames_themselves_are_kept_and_a_smooth_way_between_them():
    walk = walking(4)
    np.testing.assert_allclose(at_moments(walk, np.arange(10.0)), walk[:10], atol=1e-12)
    time = np.arange(40) / 20
    curve = np.stack([np.sin(3 * time), np.cos(3 * time), time], axis=1)[:, None]
    between = np.arange(3.5, 36.0)
    exact = np.stack([np.sin(0.15 * between), np.cos(0.15 * between), between / 20], axis=1)
    np.testing.assert_allclose(at_moments(curve, between)[:, 0], exact, atol=2e-5)


@pytest.mark.parametrize(('first', 'last'), [(1.0, 0.0), (1.0, 0.4), (0.3, 1.0)])
def test_a_rate_goes_evenly_from_one_to_the_other(first, last):
    moments = changing_rate(first, last, 10)
    assert len(moments) == 11
    assert moments[0] == 0.0
    assert moments[-1] == pytest.approx(10 * 0.5 * (first + last))
    rates = np.diff(moments)
    assert rates[0] == pytest.approx(first + 0.05 * (last - first))
    np.testing.assert_allclose(np.diff(rates), 0.1 * (last - first))


def test_no_frames_are_no_change():
    np.testing.assert_array_equal(changing_rate(1.0, 0.5, 0), [0.0])
