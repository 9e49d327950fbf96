# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the backbone asks of a text branch: a block for each layer, and what stands around them.

P tokens of a batch are gathered, whatever row they are of. H query heads and G key heads are all
of the width E; where G < H, each key head serves H / G query heads (grouped keys).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

Rotation = tuple[Tensor, Tensor]  # cosines and sines (B, 1, N, E) of the positions


class TextBlock(nn.Module, ABC):
    """One layer's parameters; the attention itself is the backbone's."""

    ln_1: nn.Module  # the norm before the attention
    down: nn.Linear  # the MLP's last

    @abstractmethod
    def queries_keys_values(self, x: Tensor) -> Tensor:
        """Normed and projected: (P, D) -> (P, (H + 2 G) E)."""

    @abstractmethod
    def forward(self, x: Tensor, attended: Tensor) -> Tensor:
        """Add what was attended to (P, H E) and the MLP to the stream x (P, D)."""


class LowRank(nn.Module):
    """An addition to a linear map, of a low rank (Hu et al. 2021, LoRA): x -> up(down(x)).

    ``up`` begins with zeros: what it is added to is what it was until it is trained.
    """

    def __init__(self, width: int, rank: int, outputs: int) -> None:
        super().__init__()
        self.down = nn.Linear(width, rank, bias=False)
        self.up = nn.Linear(rank, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(P, width) -> (P, outputs)."""
        return self.up(self.down(x))


class TextTables(nn.Module, ABC):
    """Embeddings, positions, last norm and logits."""

    wte: nn.Embedding
    ln_f: nn.Module

    @abstractmethod
    def with_positions(self, text: Tensor, positions: Tensor) -> Tensor:
        """Embedded words (B, N, D) with positions (B, N) added, where the branch adds any."""

    def rotation(self, positions: Tensor) -> Rotation | None:
        """By what queries and keys at positions (B, N) are turned; None: they are not."""
        return None

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits (..., V) of normed hidden states (..., D); by the embedding's table if tied."""
        return F.linear(hidden, self.wte.weight)
