# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.kinematics.features import (
    BONE_DIRECTIONS,
    CONTACTS,
    FEATURES,
    POSITIONS,
    ROOT,
    ROTATIONS,
    VELOCITIES,
    canonicalise,
    features_to_joints,
    joints_to_features,
    uniform_skeleton,
)
from mgpt3_ros.model.kinematics.heading import heading
from mgpt3_ros.model.kinematics.skeleton import CHAINS, MIRRORED, REST_OFFSETS
from tests.support.tiny import swinging_motion


def turning_motion(seed: int = 0, frames: int = 50) -> np.ndarray:
    """The swinging figure on a curve, float64, somewhere in the world."""
    joints = swinging_motion(seed, frames).astype(np.float64)
    root = joints[:, :1] * [1, 0, 1]
    yaw = np.linspace(0.4, 1.9, frames)[:, None]
    return turned(joints - root, yaw) + root + [3.0, 0.7, -2.0]


def turned(joints: np.ndarray, yaw: float | np.ndarray) -> np.ndarray:
    x, y, z = np.moveaxis(joints, -1, 0)
    return np.stack(
        [x * np.cos(yaw) + z * np.sin(yaw), y, z * np.cos(yaw) - x * np.sin(yaw)], axis=-1
    )


def test_joints_come_back_from_their_features() -> None:
    joints = turning_motion()
    back = features_to_joints(joints_to_features(joints))
    assert back.shape == (49, 22, 3)
    # The path begins at the origin, heading +Z in the first frame by the smoothed heading.
    np.testing.assert_allclose(back, canonicalise(joints)[:-1], atol=1e-9)


@pytest.mark.parametrize('side', [1, -1])
def test_joints_come_back_when_the_body_turns_past_the_back(side: int) -> None:
    """Round once and more: the heading jumps from pi to -pi on the way, or back."""
    frames = 120
    joints = swinging_motion(0, frames).astype(np.float64)
    root = joints[:, :1] * [1, 0, 1]
    joints = turned(joints - root, side * np.linspace(0.0, 7.0, frames)[:, None]) + root
    np.testing.assert_allclose(
        features_to_joints(joints_to_features(joints)), canonicalise(joints)[:-1], atol=1e-9
    )
    theirs = features_to_joints(joints_to_features(joints, reference=True))
    assert np.abs(theirs - canonicalise(joints)[:-1]).max() > 0.1


def test_a_clip_that_faces_exactly_backwards_is_turned() -> None:
    joints = canonicalise(turning_motion())
    np.testing.assert_allclose(canonicalise(joints * [-1, 1, -1]), joints, atol=1e-9)


def test_features_do_not_know_where_in_the_world_they_are() -> None:
    joints = turning_motion()
    there = turned(joints, 2.2) + np.array([10.0, 0.3, -5.0])
    np.testing.assert_allclose(joints_to_features(there), joints_to_features(joints), atol=1e-7)


def test_a_batch_gives_what_single_clips_give() -> None:
    clips = np.stack([turning_motion(seed) for seed in range(3)])
    features = joints_to_features(clips)
    assert features.shape == (3, 49, FEATURES)
    for row, clip in zip(features, clips, strict=True):
        np.testing.assert_allclose(row, joints_to_features(clip), atol=1e-12)
    nested = features_to_joints(features[None])
    np.testing.assert_allclose(nested[0, 2], features_to_joints(features[2]), atol=1e-12)


def test_numpy_and_torch_give_the_same_in_their_own_types() -> None:
    joints = turning_motion()
    array, tensor = joints_to_features(joints), joints_to_features(torch.from_numpy(joints))
    assert isinstance(array, np.ndarray)
    assert isinstance(tensor, torch.Tensor)
    np.testing.assert_array_equal(array, tensor)
    assert array.dtype == np.float64
    assert features_to_joints(array.astype(np.float32)).dtype == np.float32


def test_canonical_clips_stand_at_the_origin_facing_z() -> None:
    canonical = canonicalise(turning_motion())
    assert canonical[..., 1].min() == pytest.approx(0)
    np.testing.assert_allclose(canonical[0, 0, [0, 2]], 0, atol=1e-12)
    assert heading(canonical[0]) == pytest.approx(0, abs=1e-7)
    np.testing.assert_allclose(canonicalise(canonical), canonical, atol=1e-9)


def test_a_mirrored_motion_has_mirrored_features() -> None:
    joints = turning_motion()
    mirrored = joints[:, MIRRORED] * [-1, 1, 1]
    ours, theirs = joints_to_features(joints), joints_to_features(mirrored)
    signs = np.array([-1, -1, 1, 1])  # the turn and the step to the side change their sign
    np.testing.assert_allclose(theirs[:, ROOT], ours[:, ROOT] * signs, atol=1e-7)

    def sides_swapped(values: np.ndarray, joints: list[int]) -> np.ndarray:
        return (values.reshape(len(values), -1, 3)[:, joints] * [-1, 1, 1]).reshape(values.shape)

    others = [joint - 1 for joint in MIRRORED[1:]]
    np.testing.assert_allclose(
        theirs[:, POSITIONS], sides_swapped(ours[:, POSITIONS], others), atol=1e-7
    )
    np.testing.assert_allclose(
        theirs[:, VELOCITIES], sides_swapped(ours[:, VELOCITIES], list(MIRRORED)), atol=1e-7
    )
    np.testing.assert_array_equal(theirs[:, CONTACTS], ours[:, CONTACTS][:, [2, 3, 0, 1]])


def test_each_part_says_what_it_should() -> None:
    """A figure that glides ahead at 1 m/s, arms and left leg swinging."""
    joints = swinging_motion(0, frames=30, speed=1.0).astype(np.float64)
    features = joints_to_features(joints)
    np.testing.assert_allclose(features[:, 0], 0, atol=1e-6)
    np.testing.assert_allclose(features[:, 1], 0, atol=1e-6)
    np.testing.assert_allclose(features[:, 2], 1.0 / 20, atol=1e-6)  # per frame
    np.testing.assert_allclose(features[:, 3], joints[:-1, 0, 1], atol=1e-6)
    hip = features[:, POSITIONS].reshape(-1, 21, 3)[:, 0]
    np.testing.assert_allclose(hip - [0, joints[0, 0, 1], 0], hip * 0 + REST_OFFSETS[1], atol=1e-6)
    np.testing.assert_allclose(
        features[:, VELOCITIES].reshape(-1, 22, 3)[:, 0], np.tile([0, 0, 0.05], (29, 1)), atol=1e-6
    )
    six = features[:, ROTATIONS].reshape(-1, 21, 2, 3)
    np.testing.assert_allclose(np.linalg.norm(six, axis=-1), 1, atol=1e-9)
    np.testing.assert_allclose((six[..., 0, :] * six[..., 1, :]).sum(-1), 0, atol=1e-9)
    assert not features[:, CONTACTS][:, 2:].any()  # the right foot glides 5 cm per frame
    still = joints_to_features(np.repeat(joints[:1], 5, axis=0))
    assert still[:, CONTACTS].all()


def test_joints_are_differentiable_in_features() -> None:
    features = torch.from_numpy(joints_to_features(turning_motion(frames=4))).requires_grad_()
    assert torch.autograd.gradcheck(features_to_joints, (features,), atol=1e-4)


def test_another_body_keeps_its_bones_and_the_motion_its_angles() -> None:
    joints = turning_motion()
    offsets = 1.2 * directions_of(REST_OFFSETS)
    put = uniform_skeleton(joints, offsets)
    for chain in CHAINS:
        for parent, child in itertools.pairwise(chain):
            bone, old = (j[:, child] - j[:, parent] for j in (put, joints))
            length = np.linalg.norm(offsets[child])
            np.testing.assert_allclose(np.linalg.norm(bone, axis=-1), length, rtol=1e-6)
            np.testing.assert_allclose(
                bone / length, old / np.linalg.norm(old, axis=-1, keepdims=True), atol=1e-6
            )


def directions_of(offsets: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(offsets, axis=-1, keepdims=True)
    return BONE_DIRECTIONS.numpy().astype(np.float64) * lengths


@pytest.mark.parametrize('shape', [(1, 22, 3), (22, 3), (5, 21, 3), (5, 22, 2)])
def test_wrong_joints_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(MotionError, match=r'22, 3'):
        joints_to_features(np.zeros(shape))


def test_wrong_features_are_refused() -> None:
    with pytest.raises(MotionError, match='263'):
        features_to_joints(np.zeros((4, 251)))


def test_golden_values() -> None:
    features = joints_to_features(turning_motion())
    channels = [0, 1, 2, 3, 4, 5, 6, 70, 130, 200, 240]
    wanted = [-0.012325, -0.043685, 0.024323, 0.972396, 0.055058, 0.890096, -0.028586]
    wanted += [0.437797, 0.132729, 0.0, 0.025511]
    assert features[20, channels].tolist() == pytest.approx(wanted, abs=1e-5)
