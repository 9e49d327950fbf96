# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.frames import (
    quaternions_to_model,
    quaternions_to_ros,
    vectors_to_model,
    vectors_to_ros,
)


def test_axes_keep_their_meaning():
    forward, left, up = [0, 0, 1], [1, 0, 0], [0, 1, 0]  # in the model's world
    assert vectors_to_ros(forward).tolist() == [1, 0, 0]
    assert vectors_to_ros(left).tolist() == [0, 1, 0]
    assert vectors_to_ros(up).tolist() == [0, 0, 1]


def test_there_and_back():
    rng = np.random.default_rng(0)
    vectors, rotations = rng.normal(size=(9, 3)), quat.exp(rng.normal(size=(9, 3)))
    np.testing.assert_allclose(vectors_to_model(vectors_to_ros(vectors)), vectors)
    np.testing.assert_allclose(quaternions_to_model(quaternions_to_ros(rotations)), rotations)


def test_rotating_commutes_with_the_change_of_frame():
    rng = np.random.default_rng(1)
    rotations, vectors = quat.exp(rng.normal(size=(9, 3))), rng.normal(size=(9, 3))
    in_ros = quat.rotate(quaternions_to_ros(rotations), vectors_to_ros(vectors))
    np.testing.assert_allclose(in_ros, vectors_to_ros(quat.rotate(rotations, vectors)), atol=1e-12)


def test_a_turn_to_the_left_is_positive_yaw():
    about_up = quat.exp(np.array([0.0, 0.3, 0.0]))  # the model's +Y: from +Z towards +X, the left
    np.testing.assert_allclose(quat.yaw(quaternions_to_ros(about_up)), 0.3)
