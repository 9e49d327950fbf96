# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from mgpt3_ros.model.kinematics.ground_frame import bone_lengths, turn
from mgpt3_ros.model.network.vae import ChunkCodec, ChunkConfig
from tests.support.streams import moving, standing

CHUNKS = 100
ALL = CHUNKS - 1  # components that so many chunks have at most


@pytest.fixture(scope='module')
def codec() -> ChunkCodec:
    codec = ChunkCodec(ChunkConfig(latent_dim=ALL))
    codec.fit(moving(CHUNKS, 10))
    return codec


def test_all_components_hold_everything(codec: ChunkCodec):
    chunk = moving(CHUNKS, 10)
    decoded = codec.decode(codec.encode(chunk[:, 2:], chunk[:, :2]), chunk[:, :2])
    assert (decoded - chunk[:, 2:]).norm(dim=-1).mean() < 0.001


def test_latents_are_white(codec: ChunkCodec):
    chunks = moving(CHUNKS, 10)
    latents = codec.encode(chunks[:, 2:], chunks[:, :2])[:, 0]
    torch.testing.assert_close(latents.mean(0), torch.zeros(ALL), rtol=0, atol=1e-3)
    covariance = latents.T @ latents / len(latents)
    torch.testing.assert_close(covariance, torch.eye(ALL), rtol=0, atol=2e-2)


def test_place_and_heading_say_nothing(codec: ChunkCodec):
    chunk = moving(3, 10, seed=5)
    moved = turn(chunk, torch.full((3,), 1.0)) + torch.tensor([3.0, 0.0, -2.0])
    for one, other in ((chunk, moved), (moved, chunk)):
        torch.testing.assert_close(
            codec.encode(one[:, 2:], one[:, :2]),
            codec.encode(other[:, 2:], other[:, :2]),
            rtol=0, atol=1e-3,
        )  # fmt: skip
        torch.testing.assert_close(
            codec.state(one[:, :2]), codec.state(other[:, :2]), rtol=0, atol=1e-3
        )


def test_any_latent_leaves_bones_as_they_are(codec: ChunkCodec):
    previous = moving(4, 2, seed=6)
    decoded = codec.decode(3 * torch.randn(4, 1, ALL), previous)
    lengths = bone_lengths(previous[:, 1:]).expand(-1, 8, -1)
    torch.testing.assert_close(bone_lengths(decoded), lengths, rtol=0, atol=1e-5)


def test_the_state_knows_a_sunken_foot(codec: ChunkCodec):
    pose = standing().expand(1, 2, -1, -1).clone()
    sunk = pose.clone()
    sunk[..., 1] -= 0.02
    change = codec.state(sunk) - codec.state(pose)
    assert change[0, 132] < -0.4  # of the lowest joint: tanh(.02 / .03) = .58
    assert codec.state(pose).abs().max() <= 6.0
