# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools

import numpy as np
import pytest

from mgpt3_ros.model.kinematics.skeleton import (
    CHAINS,
    FOOT_JOINTS,
    FPS,
    JOINT_NAMES,
    MAX_FRAMES,
    MIRRORED,
    PARENTS,
    REST_OFFSETS,
)
from tests.support.tiny import rest_pose

SMPL = (
    'pelvis left_hip right_hip spine1 left_knee right_knee spine2 left_ankle right_ankle spine3 '
    'left_foot right_foot neck left_collar right_collar head left_shoulder right_shoulder '
    'left_elbow right_elbow left_wrist right_wrist'
)


def test_names_are_smpls_and_parents_come_first() -> None:
    assert ' '.join(JOINT_NAMES) == SMPL
    assert PARENTS[0] == -1
    assert all(0 <= parent < joint for joint, parent in enumerate(PARENTS) if joint)
    assert PARENTS[JOINT_NAMES.index('left_collar')] == JOINT_NAMES.index('spine3')
    assert PARENTS[JOINT_NAMES.index('right_wrist')] == JOINT_NAMES.index('right_elbow')


def test_chains_are_the_tree() -> None:
    bones = [bone for chain in CHAINS for bone in itertools.pairwise(chain)]
    assert sorted(child for _, child in bones) == list(range(1, 22))
    assert all(PARENTS[child] == parent for parent, child in bones)


def test_the_mirror_swaps_sides_and_undoes_itself() -> None:
    for joint, mirrored in enumerate(MIRRORED):
        assert MIRRORED[mirrored] == joint
        assert (mirrored == joint) == ('_' not in JOINT_NAMES[joint])
        assert JOINT_NAMES[joint].split('_')[-1] == JOINT_NAMES[mirrored].split('_')[-1]


def test_the_body_stands_facing_z_with_its_left_at_x() -> None:
    joints = rest_pose()
    by_name = dict(zip(JOINT_NAMES, joints, strict=True))
    height = np.ptp(joints[:, 1])
    assert height == pytest.approx(1.58, abs=0.1)  # ankle to head joint: a person of 1.7 m
    for part in ('hip', 'knee', 'ankle', 'shoulder', 'elbow', 'wrist'):
        assert by_name[f'left_{part}'][0] > 0 > by_name[f'right_{part}'][0]
    assert by_name['left_foot'][2] > by_name['left_ankle'][2] + 0.1
    # T pose: the arms are level.
    assert by_name['left_wrist'][1] == pytest.approx(by_name['left_shoulder'][1])


def test_both_sides_have_nearly_the_same_bones() -> None:
    lengths = np.linalg.norm(REST_OFFSETS, axis=-1)
    np.testing.assert_allclose(lengths, lengths[list(MIRRORED)], rtol=0.1)
    assert (lengths[1:] > 0.05).all()


def test_feet_and_rates() -> None:
    assert [JOINT_NAMES[joint] for joint in FOOT_JOINTS] == [
        'left_ankle',
        'left_foot',
        'right_ankle',
        'right_foot',
    ]
    assert (FPS, MAX_FRAMES) == (20.0, 200)
    with pytest.raises(ValueError, match='read-only'):
        REST_OFFSETS[0, 0] = 1.0
