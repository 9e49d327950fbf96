# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's VAE: MLD's transformer with U-Net skips (Chen et al. 2023, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.vae.base import MotionVae, frame_mask


@dataclass(frozen=True)
class MldConfig:
    """Sizes of the VAE; the defaults are MLD's for HumanML3D."""

    latent_tokens: int = 1
    latent_dim: int = 256
    ff_width: int = 1024
    layers: int = 9
    heads: int = 4
    dropout: float = 0.1
    features: int = 263
    max_positions: int = 500  # distribution tokens and frames together

    def __post_init__(self) -> None:
        if self.layers < 1 or self.layers % 2 == 0:
            raise ConfigError(
                f'vae.mld.layers is {self.layers}: give an odd number, for a middle layer and '
                'pairs around it'
            )
        if self.latent_dim % self.heads:
            raise ConfigError(
                f'vae.mld.latent_dim {self.latent_dim} must be a multiple of heads {self.heads}'
            )


class MldVae(MotionVae):
    """Distribution tokens read the frames; frame queries read the latent tokens."""

    def __init__(self, config: MldConfig) -> None:
        super().__init__()
        self.config = config
        width = config.latent_dim
        self.latent_shape = (config.latent_tokens, width)
        self.max_frames = config.max_positions - 2 * config.latent_tokens
        self.frame_in = nn.Linear(config.features, width)
        self.distribution_tokens = nn.Parameter(torch.randn(2 * config.latent_tokens, width))
        self.encoder_positions = nn.Parameter(torch.rand(config.max_positions, width))
        self.decoder_positions = nn.Parameter(torch.rand(config.max_positions, width))
        options: dict[str, Any] = {
            'd_model': width,
            'nhead': config.heads,
            'dim_feedforward': config.ff_width,
            'dropout': config.dropout,
            'activation': 'gelu',
            'batch_first': True,
        }
        self.encoder = SkipStack([EncoderLayer(**options) for _ in range(config.layers)], width)
        self.decoder = SkipStack([DecoderLayer(**options) for _ in range(config.layers)], width)
        for stack in (self.encoder, self.decoder):
            for parameter in stack.parameters():
                if parameter.dim() > 1:
                    nn.init.xavier_uniform_(parameter)
        self.frame_out = nn.Linear(width, config.features)

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, each (B, L, C), of normalised features (B, T, 263)."""
        tokens = len(self.distribution_tokens)
        frames = self.frame_in(features)
        x = torch.cat([self.distribution_tokens.expand(len(frames), -1, -1), frames], dim=1)
        x = x + self.encoder_positions[: x.shape[1]]
        mask = frame_mask(lengths, features.shape[1])
        mask = torch.cat([mask.new_ones(len(mask), tokens), mask], dim=1)
        x = self.encoder(x, src_key_padding_mask=_padding(mask, x.device))
        mean, logvar = x[:, :tokens].chunk(2, dim=1)
        return mean, logvar

    def decode(self, latent: Tensor, lengths: Tensor) -> Tensor:
        """Normalised features (B, T, 263) of latents (B, L, C), zero after each length."""
        frames = int(lengths.max())
        queries = self.decoder_positions[:frames].expand(len(latent), -1, -1)
        mask = frame_mask(lengths, frames)
        x = self.decoder(
            queries, memory=latent, tgt_key_padding_mask=_padding(mask, latent.device)
        )
        return self.frame_out(x) * mask[..., None].to(latent.device)


def _padding(mask: Tensor, device: torch.device) -> Tensor | None:
    """Padding of frames (B, T); None where there is none, if looking does not wait for a GPU."""
    return None if mask.device.type == 'cpu' and bool(mask.all()) else ~mask.to(device)


def _attended(x: Tensor, attention: nn.MultiheadAttention, padding: Tensor | None) -> Tensor:
    """Self-attention of (B, N, D) in evaluation, its products as large as they can be.

    PyTorch's own fast path computes scores, softmax and sums one after the other.
    """
    mixed = F.linear(x, attention.in_proj_weight, attention.in_proj_bias)
    parts = mixed.unflatten(-1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
    seen = None if padding is None else ~padding[:, None, None]
    query, key, value = parts
    read = F.scaled_dot_product_attention(query, key, value, attn_mask=seen)
    return attention.out_proj(read.transpose(1, 2).flatten(2))


class EncoderLayer(nn.TransformerEncoderLayer):
    """An encoder layer that evaluates by fewer and larger operations."""

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """As :class:`torch.nn.TransformerEncoderLayer`."""
        if self.training:
            return super().forward(src, src_mask, src_key_padding_mask, is_causal)
        x = self.norm1(src + _attended(src, self.self_attn, src_key_padding_mask))
        return self.norm2(x + self._ff_block(x))


class DecoderLayer(nn.TransformerDecoderLayer):
    """A decoder layer that reads a memory of one token as what it is: that token's value.

    The softmax over one key is 1, whatever the query, so that queries and scores are left out.
    """

    def _sa_block(
        self,
        x: Tensor,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        is_causal: bool = False,
    ) -> Tensor:
        if self.training:
            return super()._sa_block(x, attn_mask, key_padding_mask, is_causal)
        return _attended(x, self.self_attn, key_padding_mask)

    def _mha_block(
        self,
        x: Tensor,
        mem: Tensor,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        is_causal: bool = False,
    ) -> Tensor:
        if mem.shape[1] != 1 or self.training:
            return super()._mha_block(x, mem, attn_mask, key_padding_mask, is_causal)
        attention = self.multihead_attn
        width = attention.embed_dim
        value = F.linear(
            mem, attention.in_proj_weight[2 * width :], attention.in_proj_bias[2 * width :]
        )
        return attention.out_proj(value)  # (B, 1, D), added to each frame


class SkipStack(nn.Module):
    """Layers with U-Net skips: the second half also reads what the first half gave, mirrored."""

    def __init__(self, layers: Sequence[nn.Module], width: int) -> None:
        super().__init__()
        half = (len(layers) - 1) // 2
        self.layers = nn.ModuleList(layers)
        self.joins = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(half))
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, **options: Tensor | None) -> Tensor:
        """Run the layers on x (B, N, D); options go to each."""
        half = len(self.joins)
        skips: list[Tensor] = []
        for index, layer in enumerate(self.layers):
            if index > half:
                x = self.joins[index - half - 1](torch.cat([x, skips.pop()], dim=-1))
            x = layer(x, **options)
            if index < half:
                skips.append(x)
        return self.norm(x)
