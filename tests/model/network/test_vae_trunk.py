# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from mgpt3_ros.model.checkpoints.checkpoint import read_weights, shipped_checkpoint
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.kinematics.features import features_to_joints, joints_to_features
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.network.vae.trunk import (
    LEAST_SPREAD,
    TrunkConfig,
    TrunkVae,
    features_of_trunk,
    spline_matrix,
    trunk_channels,
)
from tests.support.tiny import swinging_motion

CONFIG = TrunkConfig(latent_dim=16, steps=24, width=16, layers=1, heads=2)


def clip(seed: int, frames: int = 60) -> np.ndarray:
    turning = swinging_motion(seed, frames + 1, speed=0.3 * seed)
    angle = np.linspace(0, 0.1 * seed, len(turning))[:, None]
    x, z = turning[..., 0].copy(), turning[..., 2].copy()
    turning[..., 0] = x * np.cos(angle) + z * np.sin(angle)
    turning[..., 2] = z * np.cos(angle) - x * np.sin(angle)
    return joints_to_features(turning).astype(np.float32)


@pytest.fixture(scope='module')
def fitted() -> tuple[TrunkVae, FeatureStats]:
    clips = [clip(seed, 40 + 4 * seed) for seed in range(16)]
    frames = np.concatenate(clips)
    stats = FeatureStats(
        frames.mean(axis=0).astype(np.float32), (frames.std(axis=0) + 0.05).astype(np.float32)
    )
    vae = TrunkVae(CONFIG)
    assert vae.fit(clips, stats) > 0.99
    return vae.eval(), stats


def test_trunk_channels_lose_nothing_but_rotations_and_contacts() -> None:
    features = torch.from_numpy(clip(3))[None]
    channels = trunk_channels(features)
    again = features_of_trunk(torch.cat([channels, 2 * channels[:, -1:] - channels[:, -2:-1]], 1))
    kept = torch.cat([again[..., :67], again[..., 193:259]], dim=-1)[:, :-1]
    true = torch.cat([features[..., :67], features[..., 193:259]], dim=-1)[:, :-1]
    assert (kept - true).abs().max() < 1e-4


def test_a_clip_comes_back(fitted: tuple[TrunkVae, FeatureStats]) -> None:
    vae, stats = fitted
    features = clip(5)
    normalised = torch.from_numpy(stats.normalise(features))[None]
    lengths = torch.tensor([len(features)])
    mean, logvar = vae.encode(normalised, lengths)
    assert mean.shape == logvar.shape == (1, *vae.latent_shape)
    decoded = stats.denormalise(vae.decode(mean, lengths)[0].detach().numpy())
    error = features_to_joints(decoded) - features_to_joints(features)
    assert np.linalg.norm(error, axis=-1).mean() < 0.01


def test_latents_are_white(fitted: tuple[TrunkVae, FeatureStats]) -> None:
    vae, stats = fitted
    latents = torch.cat(
        [
            vae.encode(torch.from_numpy(stats.normalise(c))[None].float(), torch.tensor([len(c)]))[
                0
            ][0]
            for c in (clip(seed, 40 + 4 * seed) for seed in range(16))
        ]
    )
    assert latents.mean(dim=0).abs().max() < 0.1
    assert (latents.square().mean(dim=0).sqrt() - 1).abs()[:8].max() < 0.1


def test_few_clips_leave_the_latents_of_others_in_bounds() -> None:
    """Components beyond the rank of the data have no spread to be divided by."""
    clips = [clip(seed, 40 + 4 * seed) for seed in range(4)]
    stats = FeatureStats.of_clips(clips)
    vae = TrunkVae(dataclasses.replace(CONFIG, latent_dim=64))
    vae.fit(clips, stats)
    assert vae.components_of_data() == 3  # four clips about their mean
    for features in (clip(2, 57), clips[3][10:30]):
        seen = torch.from_numpy(stats.normalise(features))[None]
        mean, _ = vae.encode(seen, torch.tensor([len(features)]))
        assert mean.square().mean().sqrt() < 8


def test_the_shipped_trunk_is_above_the_least_spread() -> None:
    shipped = read_weights(shipped_checkpoint())['vae.component_std']
    assert shipped.min() > LEAST_SPREAD * math.sqrt(TrunkConfig().steps)


def test_padding_changes_nothing(fitted: tuple[TrunkVae, FeatureStats]) -> None:
    vae, stats = fitted
    clips = [stats.normalise(clip(1, 30)), stats.normalise(clip(2, 50))]
    padded = np.full((2, 50, 263), 7.0, dtype=np.float32)
    padded[0, :30], padded[1] = clips
    lengths = torch.tensor([30, 50])
    together, _ = vae.encode(torch.from_numpy(padded), lengths)
    alone, _ = vae.encode(torch.from_numpy(clips[0])[None], lengths[:1])
    assert torch.allclose(together[:1], alone, atol=1e-4)
    with torch.no_grad():
        decoded, single = vae.decode(together, lengths), vae.decode(alone, lengths[:1])
    assert torch.allclose(decoded[:1, :30], single, atol=1e-3)
    assert (decoded[0, 30:] == 0).all()


def test_the_residual_starts_at_nothing_and_never_moves_the_root(
    fitted: tuple[TrunkVae, FeatureStats],
) -> None:
    vae, _ = fitted
    latent, lengths = torch.randn(1, *vae.latent_shape), torch.tensor([20])
    trunk = vae.decode_trunk(latent, lengths)
    assert torch.equal(vae.decode(latent, lengths), trunk)
    moved = TrunkVae(CONFIG)
    moved.load_state_dict(vae.state_dict())
    torch.nn.init.normal_(moved.residual.out.weight)
    changed = moved.decode(latent, lengths)
    assert torch.equal(changed[..., :4], trunk[..., :4])
    assert not torch.allclose(changed[..., 4:], trunk[..., 4:])


def test_duration_stretches_the_same_motion(fitted: tuple[TrunkVae, FeatureStats]) -> None:
    vae, stats = fitted
    latent = vae.encode(
        torch.from_numpy(stats.normalise(clip(4)))[None].float(), torch.tensor([60])
    )[0]
    ends = [
        features_to_joints(
            stats.denormalise(vae.decode(latent, torch.tensor([t]))[0].detach().numpy())
        )[-1, 0]
        for t in (40, 80)
    ]
    assert np.linalg.norm(ends[0] - ends[1]) < 0.02


@pytest.mark.parametrize('knots', [1, 2, 3, 4, 48])
def test_spline_matrices_keep_lines(knots: int) -> None:
    matrix = spline_matrix(knots, 31)
    line = np.linspace(2.0, 3.0 if knots > 1 else 2.0, knots)
    assert matrix @ line == pytest.approx(np.linspace(2.0, line[-1], 31))


def test_clips_that_do_not_differ_are_refused() -> None:
    clip = joints_to_features(swinging_motion(0, 40)).astype(np.float32)
    vae = TrunkVae(TrunkConfig(latent_dim=4, steps=8, width=16, layers=1, heads=2))
    with pytest.raises(ConfigError, match='do not differ: nothing can be fitted'):
        vae.fit([clip, clip], FeatureStats.of_clips([clip]))
