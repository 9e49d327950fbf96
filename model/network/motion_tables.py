# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the motion branch has beside its layers: embeddings, positions and the last norm."""

from __future__ import annotations

import torch
from torch import nn

from mgpt3_ros.model.language.vocabulary import MOTION_TOKENS
from mgpt3_ros.model.network.backbone_config import BackboneConfig


class MotionTables(nn.Module):
    """Embeddings and last norm of the motion branch.

    A motion branch of the text's width reads the text's positions, as the authors' does; one of
    another width has a table of its own; beside a Llama the attention turns queries and keys
    instead. With a bounded look back motion takes up no positions: a score is added to the
    attention that depends on the distance of two motion tokens.
    """

    def __init__(self, config: BackboneConfig, width: int, codes: int) -> None:
        super().__init__()
        self.wte = nn.Embedding(MOTION_TOKENS + codes, width)
        own = width != config.n_embd and config.look_back is None and config.llama is None
        self.wpe = nn.Embedding(config.n_positions, width) if own else None
        self.ln_f: nn.Module = nn.LayerNorm(width)
        if config.look_back is not None:
            self.distance = nn.Parameter(torch.zeros(config.n_head, config.look_back))
