# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decoded joints on the default body: bones that keep their length, feet where they were."""

from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.finishing.body_fit import fit_bodies, fit_body
from mgpt3_ros.model.finishing.settling import standing_pose
from mgpt3_ros.model.kinematics.joint_angles import (
    angles_to_joints,
    joints_to_angles,
    on_default_body,
)
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS, PARENTS, REST_OFFSETS
from tests.model.finishing.test_foot_lock import stepping


def stretched(joints, seed=0):
    """Every bone longer or shorter by up to a tenth, the feet left where they are."""
    scale = np.random.default_rng(seed).uniform(0.92, 1.02, 22)
    moved = joints.copy()
    for joint, parent in enumerate(PARENTS[1:], start=1):
        moved[:, joint] = moved[:, parent] + scale[joint] * (joints[:, joint] - joints[:, parent])
    moved[:, list(FOOT_JOINTS)] = joints[:, list(FOOT_JOINTS)]
    return moved


def test_bones_become_the_skeletons():
    fitted = fit_body(stretched(stepping()))
    lengths = np.linalg.norm(fitted[:, 1:] - fitted[:, PARENTS[1:]], axis=-1)
    expected = np.tile(np.linalg.norm(REST_OFFSETS[1:], axis=-1), (len(fitted), 1))
    np.testing.assert_allclose(lengths, expected, atol=1e-6)


def test_angles_then_say_exactly_the_same_motion():
    fitted = fit_body(stretched(stepping()))
    error = np.linalg.norm(angles_to_joints(joints_to_angles(fitted)) - fitted, axis=-1)
    assert error.max() < 1e-4


def test_feet_stay_where_they_were_and_angles_alone_would_move_them():
    joints = stretched(stepping())
    feet = list(FOOT_JOINTS)
    without = angles_to_joints(joints_to_angles(joints))[:, feet] - joints[:, feet]
    fitted = fit_body(joints)[:, feet] - joints[:, feet]
    assert np.linalg.norm(without, axis=-1).mean() > 0.02
    assert np.linalg.norm(fitted, axis=-1).mean() < 0.005


def test_a_motion_of_the_default_body_is_left_as_it_is():
    own = angles_to_joints(joints_to_angles(stepping()))
    np.testing.assert_allclose(fit_body(own), own, atol=0.005)  # the knee of a straight leg
    np.testing.assert_allclose(fit_body(own).mean(), own.mean(), atol=1e-5)
    assert fit_body(own.astype(np.float32)).dtype == np.float32


def test_unusable_input_is_named():
    with pytest.raises(MotionError, match='NaN'):
        fit_body(np.full((4, 22, 3), np.nan))


def test_a_pelvis_that_must_come_down_begins_where_the_motion_before_has_it():
    stand = standing_pose()
    joints = np.repeat(stand[None], 20, axis=0)
    for ankle, ball, away in ((7, 10, 0.35), (8, 11, -0.35)):
        joints[1:, [ankle, ball], 2] += away  # further than the legs reach from up there
    fitted = fit_body(joints, 20.0, hold_first=True)
    np.testing.assert_array_equal(fitted[0], joints[0])
    lowered = joints[:, 0, 1] - fitted[:, 0, 1]
    assert lowered[-1] > 0.03
    assert np.diff(lowered).max() < 0.5 * lowered[-1]
    np.testing.assert_array_equal(fitted[8:], fit_body(joints, 20.0)[8:])


def test_positions_without_angles_are_those_of_the_angles():
    motion = stretched(stepping())
    expected = angles_to_joints(joints_to_angles(motion))
    np.testing.assert_allclose(on_default_body(motion), expected, atol=1e-12)


@pytest.mark.parametrize('hold_first', [False, True])
def test_many_motions_at_once_are_each_as_alone(hold_first):
    motions = [stretched(stepping(), seed)[: 60 - 9 * seed] for seed in range(4)]
    motions[1] = motions[1].astype(np.float32)
    for ours, motion in zip(fit_bodies(motions, 20.0, hold_first), motions, strict=True):
        alone = fit_body(motion, 20.0, hold_first)
        assert ours.dtype == alone.dtype
        np.testing.assert_allclose(ours, alone, atol=1e-6 if alone.dtype == np.float32 else 1e-10)
