# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The denoising network: an MLP whose layers are modulated by time and condition (AdaLN).

It is MAR's diffusion MLP as MotionGPT3 uses it. Several latent tokens (L > 1) are its input
channels side by side (L * C): one motion is one small vector, and the tokens of a VAE latent are
not exchangeable, so a full mixing of them is what a first linear layer gives for free.

Dimensions: B batch, W width, C channels of the flattened latent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

TIME_CHANNELS = 256
MAX_PERIOD = 10_000.0


def sinusoid(time: Tensor, channels: int = TIME_CHANNELS) -> Tensor:
    """Embed times (B,) as (B, channels): cosines first, then sines, as the authors do."""
    half = channels // 2
    steps = torch.arange(half, device=time.device, dtype=torch.float32)
    angles = time.float()[:, None] * torch.exp(-math.log(MAX_PERIOD) * steps / half)
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class Modulations(NamedTuple):
    """What time and condition do to the layers.

    They depend on nothing that is drawn, so those of many steps are one product.

    blocks: (3, ..., W) each: shift and scale of what is normalised, and gate. output: (2, ..., W),
    shift and scale.
    """

    blocks: tuple[Tensor, ...]
    output: Tensor


class ModulatedBlock(nn.Module):
    """A residual MLP whose normalised input is shifted and scaled, and whose output is gated."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.modulation = nn.Linear(width, 3 * width)

    def modulations(self, y: Tensor) -> Tensor:
        """Shift, scale and gate (3, ..., W) of time and condition (..., W).

        Of n = (x - mean) / deviation, ``norm(x) (1 + scale) + shift`` is, with the norm's own
        weight w and bias b, n w (1 + scale) + b (1 + scale) + shift: a step need not do both.
        """
        shift, scale, gate = self.modulation(y).chunk(3, dim=-1)
        scale = 1 + scale
        return torch.stack([shift + self.norm.bias * scale, self.norm.weight * scale, gate])

    def forward(self, x: Tensor, by: Tensor) -> Tensor:
        """Map x (B, W) under its modulations (3, B, W) to (B, W)."""
        shift, scale, gate = by
        return torch.addcmul(x, gate, self.mlp(_shifted(x, shift, scale, self.norm.eps)))


def _shifted(x: Tensor, shift: Tensor, scale: Tensor, eps: float) -> Tensor:
    """Normalised x, scaled and shifted, all (B, W)."""
    return torch.addcmul(shift, nn.functional.layer_norm(x, x.shape[-1:], eps=eps), scale)


class DenoisingNetwork(nn.Module):
    """Predicts noise or velocity from a noisy latent, its time and the condition."""

    def __init__(self, channels: int, width: int, depth: int, zero_init: bool) -> None:
        super().__init__()
        self.time_mlp = nn.Sequential(
            nn.Linear(TIME_CHANNELS, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.input = nn.Linear(channels, width)
        blocks = [ModulatedBlock(width) for _ in range(depth)]
        self.blocks = nn.ModuleList(blocks)
        self.output_norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.output_modulation = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, channels)
        if zero_init:  # each block starts as the identity and the whole as zero
            modulations = [block.modulation for block in blocks]
            for layer in (*modulations, self.output_modulation, self.output):
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)

    def embed_time(self, time: Tensor) -> Tensor:
        """Embed times (B,), in diffusion steps from 0 to 1000, as (B, W)."""
        return self.time_mlp(sinusoid(time).to(self.input.weight.dtype))

    def forward(self, x: Tensor, time_embedding: Tensor, condition: Tensor) -> Tensor:
        """Map x (B, C) with time_embedding and condition (each (B, W) or (1, W)) to (B, C).

        The network runs in the dtype of its weights; the result has the dtype of x.
        """
        return self.modulated(x, self.modulations(time_embedding, condition))

    def modulations(self, time_embedding: Tensor, condition: Tensor) -> Modulations:
        """What times and conditions (each (..., W), broadcast) do to the layers."""
        y = nn.functional.silu(time_embedding + condition)
        shift, scale = self.output_modulation(y).chunk(2, dim=-1)
        return Modulations(
            tuple(block.modulations(y) for block in cast(Iterable[ModulatedBlock], self.blocks)),
            torch.stack([shift, 1 + scale]),
        )

    def modulated(self, x: Tensor, by: Modulations) -> Tensor:
        """Map x (B, C) under modulations of B rows, or of one, to (B, C)."""
        h = self.input(x.to(self.input.weight.dtype))
        for block, modulation in zip(self.blocks, by.blocks, strict=True):
            h = block(h, modulation)
        shift, scale = by.output
        return self.output(_shifted(h, shift, scale, self.output_norm.eps)).to(x.dtype)
