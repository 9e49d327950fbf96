# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's VAE: MLD's transformer with U-Net skips (Chen et al. 2023, section 3.1)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.vae.base import MotionVae, frame_mask

Product = Callable[[Tensor, Tensor, Tensor | None], Tensor]


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
    """Distribution tokens read the frames; frame queries read the latent tokens.

    ``product`` multiplies what its layers compute (..., K) by their weights (N, K).
    """

    product: Product = staticmethod(F.linear)

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
        encoders = [nn.TransformerEncoderLayer(**options) for _ in range(config.layers)]
        decoders = [nn.TransformerDecoderLayer(**options) for _ in range(config.layers)]
        self.encoder, self.decoder = SkipStack(encoders, width), SkipStack(decoders, width)
        for stack in (self.encoder, self.decoder):
            for parameter in stack.parameters():
                if parameter.dim() > 1:
                    nn.init.xavier_uniform_(parameter)
        self.frame_out = nn.Linear(width, config.features)

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, each (B, L, C), of normalised features (B, T, 263)."""
        tokens = len(self.distribution_tokens)
        read = self.frame_in(features)
        x = torch.cat([self.distribution_tokens.expand(len(read), -1, -1), read], dim=1)
        x = x + self.encoder_positions[: x.shape[1]]
        mask = frame_mask(lengths, features.shape[1])
        rows = Rows.of(torch.cat([mask.new_ones(len(mask), tokens), mask], dim=1), x.device)
        x = self.encoder(
            rows.packed(x), functools.partial(_encoder_layer, rows=rows, product=self.product)
        )
        mean, logvar = rows.padded(x)[:, :tokens].chunk(2, dim=1)
        return mean, logvar

    def decode(self, latent: Tensor, lengths: Tensor) -> Tensor:
        """Normalised features (B, T, 263) of latents (B, L, C), zero after each length."""
        frames = int(lengths.max())
        queries = self.decoder_positions[:frames].expand(len(latent), -1, -1)
        rows = Rows.of(frame_mask(lengths, frames), latent.device)
        layer = functools.partial(_decoder_layer, rows=rows, memory=latent, product=self.product)
        decoded = rows.padded(self.frame_out(self.decoder(rows.packed(queries), layer)))
        return decoded if rows.seen is None else decoded * rows.seen[:, 0, 0, :, None]


@dataclass(frozen=True)
class Rows:
    """What is computed of a padded batch (B, N): everything but attention leaves padding out.

    shape: B and N.
    places: (P,) flat places of what is no padding. None: of all.
    seen: (B, 1, 1, N) bool, the keys that are no padding. None: all.
    """

    shape: tuple[int, int]
    places: Tensor | None
    seen: Tensor | None

    @classmethod
    def of(cls, mask: Tensor, device: torch.device) -> Rows:
        """By a mask (B, N), False on padding; on a GPU a look at it would wait."""
        shape, seen = (mask.shape[0], mask.shape[1]), mask[:, None, None].to(device)
        if mask.device.type != 'cpu':
            return cls(shape, None, seen)
        if bool(mask.all()):
            return cls(shape, None, None)
        return cls(shape, mask.flatten().nonzero()[:, 0].to(device), seen)

    def packed(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (P, D)."""
        flat = x.flatten(0, 1)
        return flat if self.places is None else flat[self.places]

    def padded(self, x: Tensor) -> Tensor:
        """(P, D) -> (B, N, D), with zeros between."""
        if self.places is not None:
            batch, count = self.shape
            x = x.new_zeros(batch * count, x.shape[-1]).index_copy(0, self.places, x)
        return x.unflatten(0, self.shape)


def _encoder_layer(
    layer: nn.TransformerEncoderLayer, x: Tensor, rows: Rows, product: Product
) -> Tensor:
    """What the layer computes of (P, D)."""
    x = layer.norm1(x + layer.dropout1(_attended(layer.self_attn, x, rows, product)))
    return layer.norm2(x + layer.dropout2(_fed_forward(layer, x, product)))


def _decoder_layer(
    layer: nn.TransformerDecoderLayer, x: Tensor, rows: Rows, memory: Tensor, product: Product
) -> Tensor:
    """What the layer computes of (P, D), and of a memory (B, L, D).

    A memory of one token is read as that token's value: the softmax over one key is 1, whatever
    the query, so that queries and scores are left out.
    """
    x = layer.norm1(x + layer.dropout1(_attended(layer.self_attn, x, rows, product)))
    other = layer.multihead_attn
    if memory.shape[1] == 1 and not layer.training:
        _, _, weight = other.in_proj_weight.chunk(3)
        _, _, bias = other.in_proj_bias.chunk(3)
        value = F.linear(memory, weight, bias)
        read = rows.packed(other.out_proj(value).expand(-1, rows.shape[1], -1))
    else:
        read = _attended(other, x, rows, product, memory)
    x = layer.norm2(x + layer.dropout2(read))
    return layer.norm3(x + layer.dropout3(_fed_forward(layer, x, product)))


def _fed_forward(
    layer: nn.TransformerEncoderLayer | nn.TransformerDecoderLayer, x: Tensor, product: Product
) -> Tensor:
    inner = product(x, layer.linear1.weight, layer.linear1.bias)
    return product(layer.dropout(F.gelu(inner)), layer.linear2.weight, layer.linear2.bias)


def _attended(
    attention: nn.MultiheadAttention,
    x: Tensor,
    rows: Rows,
    product: Product,
    memory: Tensor | None = None,
) -> Tensor:
    """Attention of (P, D) to itself or to a memory (B, L, D), by products as large as can be."""
    weight, bias, width = attention.in_proj_weight, attention.in_proj_bias, attention.embed_dim
    heads = attention.num_heads
    if memory is None:
        mixed = rows.padded(product(x, weight, bias)).unflatten(-1, (3, heads, -1))
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
    else:
        asked = rows.padded(product(x, weight[:width], bias[:width]))
        query = asked.unflatten(-1, (heads, -1)).transpose(1, 2)
        held = F.linear(memory, weight[width:], bias[width:]).unflatten(-1, (2, heads, -1))
        key, value = held.permute(2, 0, 3, 1, 4)
    dropout = attention.dropout if attention.training else 0.0
    seen = rows.seen if memory is None else None
    read = F.scaled_dot_product_attention(query, key, value, attn_mask=seen, dropout_p=dropout)
    out = attention.out_proj
    return product(rows.packed(read.transpose(1, 2).flatten(2)), out.weight, out.bias)


class SkipStack(nn.Module):
    """Layers with U-Net skips: the second half also reads what the first half gave, mirrored."""

    def __init__(self, layers: Sequence[nn.Module], width: int) -> None:
        super().__init__()
        half = (len(layers) - 1) // 2
        self.layers = nn.ModuleList(layers)
        self.joins = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(half))
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, compute: Callable[[Any, Tensor], Tensor]) -> Tensor:
        """Run the layers on x (P, D); ``compute`` gives what one makes of it."""
        half = len(self.joins)
        skips: list[Tensor] = []
        for index, layer in enumerate(self.layers):
            if index > half:
                x = self.joins[index - half - 1](torch.cat([x, skips.pop()], dim=-1))
            x = compute(layer, x)
            if index < half:
                skips.append(x)
        return self.norm(x)
