# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Quaternions, held to SciPy's."""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from mgpt3_ros.model.kinematics import rotations

RANDOM = Rotation.random(20, random_state=0)
OTHERS = Rotation.random(20, random_state=1)
VECTORS = np.random.default_rng(2).standard_normal((20, 3))


def wxyz(rotation: Rotation) -> Tensor:
    return torch.from_numpy(np.roll(rotation.as_quat(), 1, axis=-1))


def scipy_of(q: Tensor) -> Rotation:
    return Rotation.from_quat(np.roll(q.numpy(), -1, axis=-1))


def assert_same_rotation(q: Tensor, wanted: Rotation) -> None:
    np.testing.assert_allclose((scipy_of(q) * wanted.inv()).magnitude(), 0, atol=1e-7)


def test_products_inverses_and_rotated_vectors() -> None:
    q, r = wxyz(RANDOM), wxyz(OTHERS)
    assert_same_rotation(rotations.multiply(q, r), RANDOM * OTHERS)
    assert_same_rotation(rotations.inverse(q), RANDOM.inv())
    rotated = rotations.rotate(q, torch.from_numpy(VECTORS))
    np.testing.assert_allclose(rotated, RANDOM.apply(VECTORS), atol=1e-12)


def test_one_quaternion_turns_many_vectors() -> None:
    q = wxyz(RANDOM)
    many = torch.from_numpy(VECTORS).expand(20, 20, 3)
    rotated = rotations.rotate(q[:, None], many)
    assert rotated.shape == (20, 20, 3)
    for one, wanted in zip(rotated, RANDOM, strict=True):
        np.testing.assert_allclose(one, wanted.apply(VECTORS), atol=1e-12)


def test_between_is_the_shortest_turn() -> None:
    u, v = torch.from_numpy(VECTORS), torch.from_numpy(VECTORS[::-1].copy())
    q = rotations.between(u, v)
    unit = [x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (u.numpy(), v.numpy())]
    np.testing.assert_allclose(rotations.rotate(q, torch.from_numpy(unit[0])), unit[1], atol=1e-9)
    angle = np.arccos(np.clip((unit[0] * unit[1]).sum(-1), -1, 1))
    np.testing.assert_allclose(scipy_of(q).magnitude(), angle, atol=1e-6)
    same = rotations.between(u, u)
    np.testing.assert_allclose(scipy_of(same).magnitude(), 0, atol=1e-7)


def test_about_y_takes_half_the_angle() -> None:
    angles = torch.linspace(-3, 3, 7, dtype=torch.float64)
    turned = rotations.about_y(angles / 2)
    assert_same_rotation(turned, Rotation.from_euler('y', angles.numpy()[:, None]))


def test_six_numbers_are_two_columns() -> None:
    matrices = RANDOM.as_matrix()
    six = rotations.to_6d(wxyz(RANDOM))
    np.testing.assert_allclose(six[:, :3], matrices[:, :, 0], atol=1e-12)
    np.testing.assert_allclose(six[:, 3:], matrices[:, :, 1], atol=1e-12)


def test_gradients_are_finite_where_nothing_turns() -> None:
    u = torch.tensor([[0.0, 0.0, 1.0]], requires_grad=True)
    rotations.to_6d(rotations.between(u, torch.tensor([[0.0, 0.0, 1.0]]))).sum().backward()
    assert torch.isfinite(u.grad).all()
