# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A text branch of GPT-2's kind; its block is that of the motion branch, too."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.network.backbone_config import BackboneConfig
from mgpt3_ros.model.network.text.branch import TextBlock, TextTables


class Block(TextBlock):
    """GPT-2's layer: norms with biases, and an MLP of four times the width with a tanh GELU.

    query_width: H E. key_width: G E, the same in GPT-2 itself.
    """

    def __init__(self, width: int, query_width: int, key_width: int, dropout: float) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, query_width + 2 * key_width)
        self.out = nn.Linear(query_width, width)
        self.ln_2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def queries_keys_values(self, x: Tensor) -> Tensor:
        """See :class:`TextBlock`."""
        return self.qkv(self.ln_1(x))

    def forward(self, x: Tensor, attended: Tensor) -> Tensor:
        """See :class:`TextBlock`."""
        x = x + self.dropout(self.out(attended))
        return x + self.dropout(self.down(F.gelu(self.up(self.ln_2(x)), approximate='tanh')))


class Gpt2Tables(TextTables):
    """Learned positions; the logits' table is the embedding's."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.n_positions, config.n_embd)
        self.ln_f = nn.LayerNorm(config.n_embd)

    def with_positions(self, text: Tensor, positions: Tensor) -> Tensor:
        """See :class:`TextTables`."""
        return text + self.wpe(positions)
