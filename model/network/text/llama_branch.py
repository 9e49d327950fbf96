# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A text branch of Llama's kind (Touvron et al. 2023).

RMSNorm, rotary positions, grouped keys, SwiGLU; no biases.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.network.backbone_config import BackboneConfig, LlamaConfig
from mgpt3_ros.model.network.text.branch import Rotation, TextBlock, TextTables
from mgpt3_ros.model.network.text.table import TableUse


class LlamaBlock(TextBlock):
    """Llama's layer; no part of it has a bias.

    The MLP is down(silu(gate x) * up x) (Shazeer 2020, SwiGLU).
    """

    def __init__(self, config: BackboneConfig, llama: LlamaConfig) -> None:
        super().__init__()
        width, queries = config.n_embd, config.query_width
        self.ln_1 = nn.RMSNorm(width, llama.norm_eps)
        self.qkv = nn.Linear(width, queries + 2 * config.key_width, bias=False)
        self.out = nn.Linear(queries, width, bias=False)
        self.ln_2 = nn.RMSNorm(width, llama.norm_eps)
        self.gate = nn.Linear(width, llama.mlp_width, bias=False)
        self.up = nn.Linear(width, llama.mlp_width, bias=False)
        self.down = nn.Linear(llama.mlp_width, width, bias=False)
        self.dropout = nn.Dropout(config.text_dropout)

    def queries_keys_values(self, x: Tensor) -> Tensor:
        """See :class:`TextBlock`."""
        return self.qkv(self.ln_1(x))

    def forward(self, x: Tensor, attended: Tensor) -> Tensor:
        """See :class:`TextBlock`."""
        x = x + self.dropout(self.out(attended))
        normed = self.ln_2(x)
        return x + self.dropout(self.down(F.silu(self.gate(normed)) * self.up(normed)))


class LlamaTables(TextTables):
    """Rotary positions; the logits have a table of their own unless they are tied."""

    def __init__(self, config: BackboneConfig, llama: LlamaConfig) -> None:
        super().__init__()
        self.head_width, self.llama = config.head_width, llama
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.ln_f = nn.RMSNorm(config.n_embd, llama.norm_eps)
        self.head = None if llama.tied else nn.Linear(config.n_embd, config.vocab_size, bias=False)

    def with_positions(self, text: Tensor, positions: Tensor) -> Tensor:
        """See :class:`TextTables`; positions are told by rotation alone."""
        return text

    def rotation(self, positions: Tensor) -> Rotation:
        """See :class:`TextTables`; in float32: half precision blurs angles of far positions."""
        frequencies = rotary_frequencies(self.head_width, self.llama, positions.device)
        angles = positions[:, None, :, None].float() * frequencies
        angles = torch.cat([angles, angles], dim=-1)
        return angles.cos(), angles.sin()

    @property
    def tied(self) -> bool:
        """See :class:`TextTables`."""
        return self.head is None

    def logits(self, hidden: Tensor, use: TableUse | None = None) -> Tensor:
        """See :class:`TextTables`."""
        return super().logits(hidden, use) if self.head is None else self.head(hidden)


def rotary_frequencies(
    head_width: int, llama: LlamaConfig, device: torch.device | str | None = None
) -> Tensor:
    """Radians per position (E / 2,): theta^(-2 i / E) (Su et al. 2021, section 3.2.2).

    With ``rope_scaling`` waves longer than ``original_positions / low_frequency_factor`` are
    slowed down by ``factor``, those shorter than ``original_positions / high_frequency_factor``
    are left, and those between are blended, as Llama 3.1 has it.
    """
    exponents = torch.arange(0, head_width, 2, dtype=torch.float32, device=device) / head_width
    frequencies = 1.0 / llama.rope_theta**exponents
    scaling = llama.rope_scaling
    if scaling is None:
        return frequencies
    turns = scaling.original_positions * frequencies / (2 * math.pi)
    low, high = scaling.low_frequency_factor, scaling.high_frequency_factor
    kept = ((turns - low) / (high - low)).clamp(0, 1)
    return frequencies * (kept + (1 - kept) / scaling.factor)


def rotated(heads: Tensor, rotation: Rotation) -> Tensor:
    """Turn queries or keys (B, H, N, E); number i and i + E / 2 are a plane's two coordinates."""
    cos, sin = rotation
    first, second = heads.float().chunk(2, dim=-1)
    turned = heads.float() * cos + torch.cat([-second, first], dim=-1) * sin
    return turned.to(heads.dtype)
