# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The condition of a motion head: K hidden states become one vector.

Dimensions: B batch, K holders, M width of the hidden states, W width of the condition.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.heads.config import HeadConfig

POSITION_ROWS = 500  # as in the authors' checkpoints; a query and K holders use the first K + 1


class AttentionAggregation(nn.Module):
    """A learned query reads the holders in one post-norm transformer layer ("MHA" of the paper).

    Only the query's row of the layer is ever used, so only that row is computed.
    """

    def __init__(self, hidden_width: int, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        if hidden_width % heads:
            raise ConfigError(
                f'head.condition_heads {heads} does not divide the motion width {hidden_width}'
            )
        M = hidden_width
        self.query = nn.Parameter(torch.randn(1, M))
        self.positions = nn.Parameter(torch.rand(POSITION_ROWS, M))
        self.attention = nn.MultiheadAttention(M, heads, dropout=dropout, batch_first=True)
        self.norm1 = nn.LayerNorm(M)
        self.mlp = nn.Sequential(
            nn.Linear(M, 4 * M), nn.GELU(), nn.Dropout(dropout), nn.Linear(4 * M, M)
        )
        self.norm2 = nn.LayerNorm(M)
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(M, width)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map hidden (B, K, M) to the condition (B, W)."""
        B, K, _ = hidden.shape
        tokens = torch.cat([self.query.expand(B, 1, -1), hidden], dim=1)  # (B, 1+K, M)
        tokens = tokens + self.positions[: K + 1]
        query = tokens[:, :1]
        read, _ = self.attention(query, tokens, tokens, need_weights=False)
        x = self.norm1(query + self.dropout(read))
        x = self.norm2(x + self.dropout(self.mlp(x)))
        return self.project(x[:, 0])


class LinearAggregation(nn.Module):
    """One linear map of the concatenated holders (paper Tab. 14 F)."""

    def __init__(self, holders: int, hidden_width: int, width: int) -> None:
        super().__init__()
        self.project = nn.Linear(holders * hidden_width, width)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map hidden (B, K, M) to the condition (B, W)."""
        return self.project(hidden.flatten(1))


class Condition(nn.Module):
    """Aggregates the holders, and holds the fake ones that stand for "no condition".

    Attributes:
        fake: learned hidden states (K, M) that replace the real ones in classifier-free
            guidance, or None where the configuration drops no condition.
    """

    def __init__(self, config: HeadConfig, holders: int, hidden_width: int) -> None:
        super().__init__()
        self.holders, self.hidden_width = holders, hidden_width
        self.aggregate: nn.Module
        if config.aggregation == 'attention':
            self.aggregate = AttentionAggregation(
                hidden_width, config.width, config.condition_heads, config.dropout
            )
        else:
            self.aggregate = LinearAggregation(holders, hidden_width, config.width)
        self.fake: nn.Parameter | None = None
        if config.condition_drop > 0 and config.kind != 'regression':
            start = torch.randn if config.fake_start == 'random' else torch.zeros
            self.fake = nn.Parameter(start(holders, hidden_width))

    def forward(self, hidden: Tensor, without: Tensor | None = None) -> Tensor:
        """Map hidden (B, K, M) to the condition (B, W), in the dtype of the weights.

        ``without``: more of them (C, K, M), whose conditions come after those: (B + C, W).

        Raises:
            ConfigError: hidden is not of the shape that this head was built for.
        """
        if hidden.shape[1:] != (self.holders, self.hidden_width):
            raise ConfigError(
                f'hidden states of shape {tuple(hidden.shape)} do not fit a head built for '
                f'(B, {self.holders}, {self.hidden_width})'
            )
        weight = next(self.aggregate.parameters())
        hidden = hidden.to(weight.dtype)
        if without is not None:
            hidden = torch.cat([hidden, without.to(weight.dtype)])
        return self.aggregate(hidden)

    def unconditional(self) -> Tensor:
        """Return the condition (1, W) of the fake holders.

        Raises:
            ConfigError: the head was built without a fake condition.
        """
        return self.aggregate(self.without())

    def without(self) -> Tensor:
        """Return the fake holders (1, K, M).

        Raises:
            ConfigError: the head was built without a fake condition.
        """
        if self.fake is None:
            raise ConfigError(
                'this head has no fake condition, so guidance is not possible: '
                'use guidance_scale 1, or train with head.condition_drop above 0'
            )
        return self.fake[None]
