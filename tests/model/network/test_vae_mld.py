# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.vae import VaeConfig, build_vae
from mgpt3_ros.model.network.vae.mld import DecoderLayer, EncoderLayer, MldConfig, MldVae
from tests.support.seeded import fill_by_name, numbers

SMALL = MldConfig(latent_dim=8, ff_width=12, layers=3, heads=2, max_positions=40)
LENGTHS = torch.tensor([12, 7, 9])


def small(**changes: object) -> MldVae:
    vae = MldVae(dataclasses.replace(SMALL, **changes)).eval()
    fill_by_name(vae)
    return vae


@pytest.mark.parametrize('tokens', [1, 2, 4])
def test_shapes_for_any_number_of_tokens(tokens: int) -> None:
    vae = small(latent_tokens=tokens)
    assert vae.latent_shape == (tokens, 8)
    mean, logvar = vae.encode(numbers(1, 3, 12, 263), LENGTHS)
    assert mean.shape == logvar.shape == (3, tokens, 8)
    assert vae.decode(mean, LENGTHS).shape == (3, 12, 263)


@torch.no_grad()
@pytest.mark.parametrize('tokens', [1, 2])
def test_what_stands_beyond_a_clip_has_no_influence(tokens: int) -> None:
    vae, features = small(latent_tokens=tokens), numbers(1, 3, 12, 263)
    mean, logvar = vae.encode(features, LENGTHS)
    decoded = vae.decode(mean, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = vae.encode(features[row : row + 1, :length], LENGTHS[row : row + 1])
        torch.testing.assert_close(alone[0][0], mean[row], rtol=0, atol=1e-5)
        torch.testing.assert_close(alone[1][0], logvar[row], rtol=0, atol=1e-5)
        single = vae.decode(mean[row : row + 1], LENGTHS[row : row + 1])
        torch.testing.assert_close(single[0], decoded[row, :length], rtol=0, atol=1e-5)
        assert not decoded[row, length:].any()


def test_every_latent_token_matters() -> None:
    vae, latent = small(latent_tokens=2), numbers(1, 1, 2, 8).requires_grad_()
    vae.decode(latent, torch.tensor([6])).square().sum().backward()
    assert (latent.grad.abs().amax(dim=(0, 2)) > 1e-4).all()


def test_all_parameters_learn() -> None:
    vae = small(latent_tokens=2)
    mean, logvar = vae.encode(numbers(1, 3, 12, 263), LENGTHS)
    (vae.decode(mean, LENGTHS).square().mean() + logvar.square().mean()).backward()
    assert not [name for name, p in vae.named_parameters() if p.grad is None]


def test_the_paper_size_has_the_authors_number_of_parameters() -> None:
    with torch.device('meta'):
        vae = MldVae(MldConfig())
    assert sum(p.numel() for p in vae.parameters()) == 18_032_135


@pytest.mark.parametrize(
    ('sizes', 'message'),
    [
        ({'layers': 4}, 'layers is 4: give an odd number'),
        ({'layers': 0}, 'layers is 0: give an odd number'),
        ({'latent_dim': 16, 'heads': 3}, 'latent_dim 16 must be a multiple of heads 3'),
    ],
)
def test_impossible_sizes_are_refused(sizes: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        MldConfig(**sizes)


def test_build_vae_knows_its_kinds() -> None:
    assert isinstance(build_vae(VaeConfig(kind='mld', mld=SMALL)), MldVae)
    with pytest.raises(ConfigError, match="'vqq'"):
        VaeConfig(kind='vqq')


@torch.no_grad()
def test_golden_values() -> None:
    """Values of this code, after it was shown to compute what the authors' does."""
    vae = small()
    mean, logvar = vae.encode(numbers(1, 3, 12, 263), LENGTHS)
    decoded = vae.decode(mean, LENGTHS)
    assert mean[1, 0, :3].tolist() == pytest.approx([0.824981, 0.510273, -2.545377], abs=1e-4)
    assert logvar[2, 0, :3].tolist() == pytest.approx([0.526814, -0.664501, 0.797246], abs=1e-4)
    assert decoded[1, 6, :3].tolist() == pytest.approx([0.392043, 0.265377, 0.133242], abs=1e-4)


@torch.no_grad()
def test_a_memory_of_one_token_is_read_as_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain: torch's own layer, with queries and scores for the one token."""
    vae, latent = small(latent_tokens=1), numbers(1, 3, 1, 8)
    fast = vae.decode(latent, LENGTHS)
    assert fast.std() > 0.01
    monkeypatch.delattr(DecoderLayer, '_mha_block')
    torch.testing.assert_close(vae.decode(latent, LENGTHS), fast, rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize('lengths', [LENGTHS, torch.tensor([12, 12, 12])])
def test_large_operations_give_what_torchs_own_layers_give(
    lengths: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae, features = small(latent_tokens=2), numbers(1, 3, 12, 263)
    latent, _ = vae.encode(features, lengths)
    decoded = vae.decode(latent, lengths)
    assert decoded.std() > 0.01
    monkeypatch.delattr(EncoderLayer, 'forward')
    monkeypatch.delattr(DecoderLayer, '_sa_block')
    plain, _ = vae.encode(features, lengths)
    torch.testing.assert_close(latent, plain, rtol=0, atol=1e-5)
    torch.testing.assert_close(decoded, vae.decode(latent, lengths), rtol=0, atol=1e-5)
