# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.kinematics.features import joints_to_features
from mgpt3_ros.model.kinematics.stats import FeatureStats
from tests.support.tiny import swinging_motion


def some_stats() -> FeatureStats:
    rng = np.random.default_rng(0)
    return FeatureStats(rng.normal(size=263), rng.uniform(0.1, 2, size=263))


def test_normalising_is_undone_in_numpy_and_torch() -> None:
    stats = some_stats()
    features = np.random.default_rng(1).normal(size=(2, 5, 263)).astype(np.float32)
    normal = stats.normalise(features)
    np.testing.assert_allclose(normal, (features - stats.mean) / stats.std)
    np.testing.assert_allclose(stats.denormalise(normal), features, atol=1e-5)
    tensor = torch.from_numpy(features)
    np.testing.assert_allclose(stats.normalise(tensor), normal, rtol=1e-6)
    assert stats.denormalise(tensor.double()).dtype == torch.float64


def test_save_and_load(tmp_path: Path) -> None:
    stats = some_stats()
    stats.save(tmp_path / 'stats.npz')
    loaded = FeatureStats.load(tmp_path / 'stats.npz')
    assert loaded.mean.dtype == np.float32
    np.testing.assert_array_equal(loaded.mean, stats.mean)
    np.testing.assert_array_equal(loaded.std, stats.std)
    assert [path.name for path in tmp_path.iterdir()] == ['stats.npz']


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / 'stats.npz'
    with pytest.raises(CheckpointError, match='stats'):
        FeatureStats.load(path)
    some_stats().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match='stats'):
        FeatureStats.load(path)
    np.savez(path, mean=np.zeros(263))
    with pytest.raises(CheckpointError, match='std'):
        FeatureStats.load(path)


@pytest.mark.parametrize(
    ('mean', 'std', 'message'),
    [
        (np.zeros(251), np.ones(263), r'mean.*263.*\(251,\)'),
        (np.zeros(263), np.full(263, np.nan), 'std.*finite'),
        (np.zeros(263), np.zeros(263), 'must be positive'),
    ],
)
def test_impossible_statistics_are_refused(
    mean: np.ndarray, std: np.ndarray, message: str
) -> None:
    with pytest.raises(CheckpointError, match=message):
        FeatureStats(mean, std)


def test_statistics_of_clips() -> None:
    clips = [
        joints_to_features(swinging_motion(seed, 30, speed=seed)).astype(np.float32)
        for seed in range(3)
    ]
    stats = FeatureStats.of_clips(clips)
    frames = np.concatenate(clips)
    np.testing.assert_allclose(stats.mean, frames.mean(axis=0), atol=1e-5)
    normal = stats.normalise(frames)
    np.testing.assert_allclose(normal.mean(axis=0), 0, atol=1e-4)
    # Channels of one kind share a deviation: that of the positions is their mean deviation.
    positions = frames[:, 4:67].std(axis=0).mean()
    np.testing.assert_allclose(stats.std[4:67], positions, rtol=1e-5)
    # The figure does not turn: the channel is left as it is.
    assert stats.std[0] == 1.0


def test_a_batch_holds_each_clip_normalised_and_zeros_after_it() -> None:
    stats, rng = some_stats(), np.random.default_rng(1)
    clips = [rng.normal(size=(length, 263)).astype(np.float32) for length in (3, 7, 5)]
    features, lengths = stats.batch(clips)
    assert lengths.tolist() == [3, 7, 5]
    assert features.shape == (3, 7, 263)
    assert features.dtype == torch.float32
    for row, clip in zip(features.numpy(), clips, strict=True):
        np.testing.assert_array_equal(row[: len(clip)], stats.normalise(clip))
        assert not row[len(clip) :].any()
