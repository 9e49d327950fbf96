# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from benchmarks.floor import counted
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.vae import VaeConfig, build_vae
from mgpt3_ros.model.network.vae.mld import MldConfig, MldVae, SkipStack
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


def by_torchs_own_layers(
    stack: SkipStack, x: Tensor, padding: Tensor, memory: Tensor | None = None
) -> Tensor:
    """What a stack makes of a padded batch (B, N, D), computed with its padding."""
    half, skips = len(stack.joins), []
    for index, layer in enumerate(stack.layers):
        if index > half:
            x = stack.joins[index - half - 1](torch.cat([x, skips.pop()], dim=-1))
        if memory is None:
            x = layer(x, src_key_padding_mask=padding)
        else:
            x = layer(x, memory, tgt_key_padding_mask=padding)
        if index < half:
            skips.append(x)
    return stack.norm(x)


def plainly(vae: MldVae, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Mean of features, and what is decoded of it."""
    tokens, frames = len(vae.distribution_tokens), features.shape[1]
    padding = torch.arange(frames)[None] >= lengths[:, None]
    x = torch.cat(
        [vae.distribution_tokens.expand(len(lengths), -1, -1), vae.frame_in(features)], 1
    )
    x = x + vae.encoder_positions[: frames + tokens]
    never = padding.new_zeros(len(lengths), tokens)
    read = by_torchs_own_layers(vae.encoder, x, torch.cat([never, padding], dim=1))
    mean = read[:, : tokens // 2]
    queries = vae.decoder_positions[:frames].expand(len(lengths), -1, -1)
    decoded = vae.frame_out(by_torchs_own_layers(vae.decoder, queries, padding, mean))
    return mean, decoded * ~padding[..., None]


@pytest.mark.parametrize('learning', [False, True])
@pytest.mark.parametrize('tokens', [1, 2])
@pytest.mark.parametrize('lengths', [LENGTHS, torch.tensor([12, 12, 12])])
def test_without_padding_it_gives_what_torchs_own_layers_give_with_it(
    lengths: Tensor, tokens: int, learning: bool
) -> None:
    """And learns the same."""
    vae, features = small(latent_tokens=tokens, dropout=0.0), numbers(1, 3, 12, 263)
    vae.train(learning)
    found = []
    for plain in (False, True):
        vae.zero_grad()
        with torch.set_grad_enabled(learning):
            if plain:
                mean, decoded = plainly(vae, features, lengths)
            else:
                mean, _ = vae.encode(features, lengths)
                decoded = vae.decode(mean, lengths)
        if learning:
            decoded.square().mean().backward()
        gradients = [p.grad.clone() for p in vae.parameters() if learning and p.grad is not None]
        found.append([mean.detach(), decoded.detach(), *gradients])
    assert found[0][1].std() > 0.01
    assert len(found[0]) == len(found[1])
    for fast, slow in zip(*found, strict=True):
        torch.testing.assert_close(fast, slow, rtol=0, atol=1e-5)


def test_padding_is_computed_in_attention_alone() -> None:
    vae, latent = small(), numbers(1, 3, 1, 8)
    with torch.no_grad():
        mixed = counted(lambda: vae.decode(latent, LENGTHS))
        longest = counted(lambda: vae.decode(latent, torch.tensor([12, 12, 12])))
    frames = [sum(m * k * n for c, m, k, n in each.shapes if m > 3) for each in (mixed, longest)]
    assert frames[0] / frames[1] == pytest.approx(28 / 36)
    assert mixed.attention == longest.attention


def test_dropout_is_of_each_row_and_of_attention() -> None:
    vae, features = small(dropout=0.5).train(), numbers(1, 3, 12, 263)
    one, other = (vae.encode(features, LENGTHS)[0] for _ in range(2))
    assert not torch.allclose(one, other)
    for layer in vae.encoder.layers:
        for module in layer.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
    one, other = (vae.encode(features, LENGTHS)[0] for _ in range(2))
    assert not torch.allclose(one, other)  # attention's own is left
