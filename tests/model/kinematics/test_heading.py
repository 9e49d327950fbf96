# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from mgpt3_ros.model.kinematics.heading import (
    heading,
    heading_across,
    rotate_about_y,
    turn,
    wrap,
)
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES, REST_OFFSETS


def standing() -> np.ndarray:
    """Joints (22, 3) [m] with the bones of the skeleton, all from the pelvis, facing +Z."""
    joints = np.array(REST_OFFSETS)
    for side, x in (('left', 0.2), ('right', -0.2)):
        joints[JOINT_NAMES.index(f'{side}_shoulder')] = x, 0.5, 0.0
    return joints


def test_a_rotation_is_that_of_scipy_and_torch_gives_the_same_as_numpy() -> None:
    rng = np.random.default_rng(0)
    points, yaw = rng.normal(size=(7, 5, 3)), rng.uniform(-4, 4, size=7)
    expected = np.stack(
        [Rotation.from_euler('y', a).apply(own) for own, a in zip(points, yaw, strict=True)]
    )
    turned = rotate_about_y(points, yaw[:, None])
    np.testing.assert_allclose(turned, expected, atol=1e-12)
    tensor = rotate_about_y(torch.from_numpy(points), torch.from_numpy(yaw)[:, None])
    np.testing.assert_allclose(tensor.numpy(), turned, atol=1e-12)


def test_a_quarter_turn_takes_ahead_to_the_left() -> None:
    np.testing.assert_allclose(turn(np.array(0.0), np.array(1.0), np.pi / 2), (1, 0), atol=1e-12)


@pytest.mark.parametrize('yaw', [-3.1, -1.0, 0.0, 0.7, np.pi / 2, 3.1])
def test_who_is_turned_has_the_heading_of_the_turn(yaw: float) -> None:
    joints = np.stack([standing(), standing() + np.array([3.0, 1.0, -2.0])])
    turned = rotate_about_y(joints, yaw)
    np.testing.assert_allclose(heading(turned), heading(joints) + yaw, atol=1e-9)
    np.testing.assert_allclose(heading(torch.from_numpy(turned)).numpy(), heading(turned))


def test_a_body_faces_across_its_left() -> None:
    left = np.array([[1.0, 0.3, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    facing = np.cross(left, [0.0, 1.0, 0.0])  # left, up, ahead are x, y, z of the body
    np.testing.assert_allclose(
        np.exp(1j * heading_across(left)), (facing[:, 2] + 1j * facing[:, 0]) / [1, 1, 1, 2]
    )


def test_wrap_is_modulo_a_turn() -> None:
    np.testing.assert_allclose(
        wrap(np.array([0.5, np.pi + 0.1, -7.0])), [0.5, 0.1 - np.pi, -7 + 2 * np.pi]
    )
