# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the backbone asks of a text branch: a block for each layer, and what stands around them.

P tokens of a batch are gathered, whatever row they are of. H query heads and G key heads are all
of the width E; where G < H, each key head serves H / G query heads (grouped keys).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.network.text.table import TableUse, looked_up, multiplied

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
    """Embeddings, positions, last norm and logits.

    ``product`` multiplies hidden states with the table of the embedding.
    """

    wte: nn.Embedding
    ln_f: nn.Module
    product: Callable[[Tensor, Tensor], Tensor] = staticmethod(F.linear)

    @property
    def tied(self) -> bool:
        """Whether the logits are made with the table of the embedding."""
        return True

    @abstractmethod
    def with_positions(self, text: Tensor, positions: Tensor) -> Tensor:
        """Embedded words (B, N, D) with positions (B, N) added, where the branch adds any."""

    def rotation(self, positions: Tensor) -> Rotation | None:
        """By what queries and keys at positions (B, N) are turned; None: they are not."""
        return None

    def embed(self, ids: Tensor, use: TableUse | None = None) -> Tensor:
        """Words (B, N, D) of ids (B, N)."""
        return self.wte(ids) if use is None else looked_up(self.wte.weight, ids, use)

    def logits(self, hidden: Tensor, use: TableUse | None = None) -> Tensor:
        """Logits (..., V) of normed hidden states (..., D); by the embedding's table if tied.

        ``use``: that of the words from which the hidden states come.
        """
        table = self.wte.weight  # in half precision, perhaps
        if use is not None:
            return multiplied(hidden, table, use)
        return self.product(hidden.to(table.dtype), table).to(hidden.dtype)
