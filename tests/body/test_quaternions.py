# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
from scipy.spatial.transform import Rotation

from mgpt3_ros.body import quaternions as quat

RNG = np.random.default_rng(0)
A, B = quat.exp(RNG.normal(size=(20, 3))), quat.exp(RNG.normal(size=(20, 3)))
VECTORS = RNG.normal(size=(20, 3))


def test_agrees_with_an_independent_library():
    first, second = Rotation.from_quat(A), Rotation.from_quat(B)
    ours, theirs = quat.multiply(A, B), (first * second).as_quat()
    np.testing.assert_allclose(ours * np.sign(ours[:, 3:]), theirs * np.sign(theirs[:, 3:]))
    np.testing.assert_allclose(quat.rotate(A, VECTORS), first.apply(VECTORS))
    np.testing.assert_allclose(quat.log(A), first.as_rotvec(), atol=1e-12)
    np.testing.assert_allclose(quat.yaw(A), first.as_euler('ZYX')[:, 0], atol=1e-12)


def test_exp_and_log_hold_at_zero():
    small = np.array([[0.0, 0.0, 0.0], [1e-12, 0.0, 0.0]])
    np.testing.assert_allclose(quat.log(quat.exp(small)), small, atol=1e-15)


def test_continuous_removes_sign_flips():
    track = quat.about_z(np.linspace(0, 7, 50))
    flipped = track * np.where(np.arange(50) % 3, 1.0, -1.0)[:, None]
    smooth = quat.continuous(flipped)
    assert (np.sum(smooth[1:] * smooth[:-1], axis=1) > 0).all()


def test_angular_velocity_of_a_turn_about_a_tilted_axis():
    axis = np.array([0.6, 0.0, 0.8])
    step = 1e-6
    before, after = quat.exp(axis * 0.4), quat.exp(axis * (0.4 + 2.0 * step))
    rate = (after - before) / step
    np.testing.assert_allclose(quat.angular_velocity(before, rate), 2.0 * axis, atol=1e-5)
