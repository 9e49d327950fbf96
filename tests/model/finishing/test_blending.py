# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Seams: position and velocity continue, the offset dies out, placing is rigid."""

from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.finishing.blending import inertialise, place_after

FPS = 20.0


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def smooth_series(rng, frames=60, width=5, fps=FPS):
    t = np.arange(frames)[:, None] / fps
    return np.sin(t * rng.uniform(0.5, 3, width) + rng.uniform(0, 6, width))


def random_body(rng, frames):
    steps = rng.normal(scale=0.02, size=(frames, 22, 3))
    return rng.normal(size=(22, 3)) + np.cumsum(steps, axis=0)


def test_start_continues_position_and_velocity(rng):
    fps = 400.0  # the finite difference below then is the derivative, to a part in a thousand
    values = smooth_series(rng, 400, fps=fps)
    value, velocity = rng.normal(size=5), rng.normal(size=5)
    out = inertialise(values, fps, value, velocity, 0.4)
    np.testing.assert_allclose(out[0], value, atol=1e-12)
    np.testing.assert_allclose((out[1] - out[0]) * fps, velocity, atol=0.01)


def test_offset_is_gone_after_the_blend_and_not_before(rng):
    values = smooth_series(rng)
    out = inertialise(values, FPS, values[0] + 1, None, 0.5)
    np.testing.assert_allclose(out[10:], values[10:], atol=1e-12)
    offset = (out - values)[:11]
    assert (np.diff(offset, axis=0) < 0).all()  # dies out without swinging over


def test_end_is_the_mirror_image_of_the_start(rng):
    values = smooth_series(rng)
    value, velocity = rng.normal(size=5), rng.normal(size=5)
    at_end = inertialise(values, FPS, blend_s=0.4, end_value=value, end_velocity=velocity)
    at_start = inertialise(values[::-1], FPS, value, -velocity, 0.4)
    np.testing.assert_allclose(at_end, at_start[::-1], atol=1e-12)
    np.testing.assert_allclose(at_end[-1], value, atol=1e-12)


def test_both_ends_hold_even_when_their_blends_overlap(rng):
    fps = 400.0
    values = smooth_series(rng, 80, fps=fps)
    a, va, b, vb = rng.normal(size=(4, 5))
    out = inertialise(values, fps, a, va, 5.0, end_value=b, end_velocity=vb)
    np.testing.assert_allclose(out[[0, -1]], [a, b], atol=1e-12)
    np.testing.assert_allclose((out[1] - out[0]) * fps, va, atol=0.1)
    np.testing.assert_allclose((out[-1] - out[-2]) * fps, vb, atol=0.1)


def test_a_motion_that_fits_is_left_as_it_is(rng):
    values = smooth_series(rng).astype(np.float32)
    out = inertialise(values, FPS, values[0], (values[1] - values[0]) * FPS, 0.3)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, values, atol=1e-6)


def test_a_single_sample_becomes_the_start_value():
    np.testing.assert_array_equal(inertialise(np.zeros((1, 2)), FPS, [1.0, 2.0]), [[1.0, 2.0]])


def test_poses_are_blended_as_rows_of_numbers_are(rng):
    rows, start, rate = smooth_series(rng)[:, :4], np.arange(4.0), np.ones(4)
    poses = inertialise(rows.reshape(-1, 2, 2), FPS, start.reshape(2, 2), rate.reshape(2, 2))
    np.testing.assert_array_equal(poses.reshape(-1, 4), inertialise(rows, FPS, start, rate))


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'start_value': np.zeros(3)}, 'start_value must have shape'),
        ({'start_value': np.full(5, np.nan)}, 'NaN'),
        ({'start_value': np.zeros(5), 'blend_s': 0}, 'positive'),
    ],
)
def test_unusable_arguments_are_named(rng, arguments, message):
    with pytest.raises(MotionError, match=message):
        inertialise(smooth_series(rng), FPS, **arguments)


def test_place_after_puts_the_first_frame_where_the_body_stands(rng):
    clip, body = random_body(rng, 8), random_body(rng, 1)[0]
    placed = place_after(clip, body)
    np.testing.assert_allclose(placed[0, 0, [0, 2]], body[0, [0, 2]], atol=1e-12)
    # Standing on itself turned and moved gives the clip turned and moved: a rigid transform.
    yaw, shift = 1.2, np.array([0.4, 0.0, -2.0])
    c, s = np.cos(yaw), np.sin(yaw)
    moved = clip @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T + shift
    np.testing.assert_allclose(place_after(clip, moved[0]), moved, atol=1e-9)
    np.testing.assert_allclose(placed[..., 1], clip[..., 1], atol=1e-12)
