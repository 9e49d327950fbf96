# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Features and joints are HumanML3D's, on one of its samples and on arrays made from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from mgpt3_ros.model.kinematics import rotations
from mgpt3_ros.model.kinematics.features import (
    CONTACTS,
    canonicalise,
    chain_rotations,
    features_to_joints,
    joints_to_features,
    recover_root,
    uniform_skeleton,
)
from mgpt3_ros.model.kinematics.stats import FeatureStats

# Positions of metres and rotation entries of 1, in float32 over some hundred cumulative steps.
ATOL = 1e-4
PROCESSED = ['pf_dataset', 'pf_transformed', 'pf_noisy']


@pytest.fixture(scope='module')
def arrays(parity_dir: Path) -> Mapping[str, np.ndarray]:
    return dict(np.load(parity_dir / 'geometry_012314.npz'))


def assert_close(ours: np.ndarray | torch.Tensor, theirs: np.ndarray) -> None:
    ours = np.asarray(ours)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=ATOL)


def processed(arrays: Mapping[str, np.ndarray], case: str) -> np.ndarray:
    """Joints of a case on HumanML3D's body, on the floor, at the origin and facing +Z."""
    joints = arrays[f'{case}_input'].astype(np.float64)
    return canonicalise(uniform_skeleton(joints, arrays['tgt_offsets'].astype(np.float64)))


def test_joints_from_features(arrays: Mapping[str, np.ndarray]) -> None:
    joints = features_to_joints(arrays['vec'])
    assert_close(joints, arrays['recovered_joints'])
    assert_close(joints, arrays['joints_dataset'])


def test_the_path_of_the_root(arrays: Mapping[str, np.ndarray]) -> None:
    facing, place = recover_root(torch.from_numpy(arrays['vec']))
    assert_close(facing, arrays['root_quat'])
    assert_close(place, arrays['root_pos'])


def test_joints_from_any_numbers(arrays: Mapping[str, np.ndarray]) -> None:
    assert_close(features_to_joints(arrays['rand_feats']), arrays['rand_joints'])


@pytest.mark.parametrize('case', PROCESSED)
def test_joints_on_another_body(arrays: Mapping[str, np.ndarray], case: str) -> None:
    assert_close(processed(arrays, case), arrays[f'{case}_global_positions'])


@pytest.mark.parametrize('case', PROCESSED)
def test_features_from_joints(arrays: Mapping[str, np.ndarray], case: str) -> None:
    ours, theirs = (
        joints_to_features(processed(arrays, case), reference=True),
        arrays[f'{case}_feats'],
    )
    assert ours.shape == theirs.shape
    # A foot whose speed lies within float32 of the threshold may count either way.
    assert (ours[:, CONTACTS] != theirs[:, CONTACTS]).mean() < 0.01
    assert_close(ours[:, :259], theirs[:, :259])


@pytest.mark.parametrize('case', PROCESSED)
def test_positions_in_the_heading_frame(arrays: Mapping[str, np.ndarray], case: str) -> None:
    joints = torch.from_numpy(processed(arrays, case))
    facing = chain_rotations(joints)[:, 0]
    on_the_spot = joints - joints[:, :1] * joints.new_tensor([1.0, 0.0, 1.0])
    rifke = rotations.rotate(facing[:, None], on_the_spot)
    assert_close(rifke, arrays[f'{case}_rifke_positions'])


@pytest.mark.parametrize('case', PROCESSED)
def test_root_velocity(arrays: Mapping[str, np.ndarray], case: str) -> None:
    features = joints_to_features(processed(arrays, case), reference=True)
    assert_close(features[:, 1:3], arrays[f'{case}_l_velocity'])


def test_features_of_joints_as_they_stand(arrays: Mapping[str, np.ndarray]) -> None:
    """`extract_features` alone: no other body, not put at the origin."""
    ours = joints_to_features(
        arrays['joints_dataset'].astype(np.float64), canonical=False, reference=True
    )
    theirs = arrays['extract_features_dataset']
    assert ours.shape == theirs.shape
    assert (ours[:, CONTACTS] != theirs[:, CONTACTS]).mean() < 0.01
    assert_close(ours[:, :259], theirs[:, :259])


def test_back_from_processed_features(arrays: Mapping[str, np.ndarray]) -> None:
    features = arrays['pf_dataset_feats'].astype(np.float32)
    assert_close(features_to_joints(features), arrays['recover_from_process'])
    ours = joints_to_features(processed(arrays, 'pf_dataset'), reference=True)
    assert_close(features_to_joints(ours), arrays['recover_from_process'])


def test_statistics_are_a_mean_and_a_deviation(arrays: Mapping[str, np.ndarray]) -> None:
    stats = FeatureStats(arrays['mean_gen'], arrays['std_gen'])
    vec = arrays['vec']
    assert_close(stats.normalise(vec), (vec - arrays['mean_gen']) / arrays['std_gen'])
    assert_close(stats.denormalise(stats.normalise(vec)), vec)
