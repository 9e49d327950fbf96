# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One layer of the bimodal backbone: two blocks, and the attention in which they meet.

Each layer has two sets of parameters. Every token goes through the set of its own modality, and
all tokens meet in one causal attention, in their original order (MotionGPT3, section 3.2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.network.backbone_config import BackboneConfig
from mgpt3_ros.model.network.text import text_block
from mgpt3_ros.model.network.text.branch import LowRank, Rotation, TextBlock
from mgpt3_ros.model.network.text.gpt2_branch import Block
from mgpt3_ros.model.network.text.llama_branch import rotated

Remember = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Attention:
    """What all layers of one call share: who stands where, and who sees whom."""

    # (P,) flat positions of the text tokens in (B * N), and of the motion tokens; None: all are
    # words, none is padding, and nothing needs a gradient, as in decoding words.
    text_at: Tensor | None
    motion_at: Tensor | None
    is_motion: Tensor  # (B, S), of the keys
    # (B, 1, N, S) bool, or (B, H, N, S) what is added to the scores; None: plain causal
    allowed: Tensor | None
    allowed_within: Tensor | None  # the same within each modality, for layers that are not shared
    rotation: Rotation | None  # of the new tokens; None: positions were added to them


class BimodalLayer(nn.Module):
    """Two blocks that meet in one attention; a unified backbone has one for both.

    Beside some layers of the text none may stand for motion, whose tokens then pass them by.
    """

    def __init__(
        self, config: BackboneConfig, motion_width: int, shared: bool, has_motion: bool
    ) -> None:
        super().__init__()
        self.heads, self.key_heads, self.shared = config.n_head, config.key_heads, shared
        self.reference_masking = config.reference_masking
        self.text = text_block(config)
        self.motion = self._motion_block(config, motion_width) if has_motion else None
        outputs = config.query_width + 2 * config.key_width
        rank = config.text_rank
        self.additions = LowRank(config.n_embd, rank, outputs) if rank else None

    def _motion_block(self, config: BackboneConfig, width: int) -> TextBlock:
        if config.unified:
            return self.text
        return Block(width, config.query_width, config.key_width, config.dropout)

    def forward(
        self,
        text: Tensor,
        motion: Tensor,
        shape: tuple[int, int],
        attention: Attention,
        remember: Remember | None,
        words_wanted: bool = True,
    ) -> tuple[Tensor, Tensor]:
        """Streams (P_text, D) and (P_motion, M) of a batch of ``shape`` (B, N).

        ``remember`` takes their keys and values and gives those of all tokens so far. Words that
        nobody wants are left as they came, once motion has seen them.
        """
        mixed = self.text.queries_keys_values(text)
        if self.additions is not None:
            mixed = mixed + self.additions(self.text.ln_1(text))
        text_at, motion_at = attention.text_at, attention.motion_at
        if text_at is not None and motion_at is not None:
            of_text = mixed
            mixed = of_text.new_zeros(shape[0] * shape[1], of_text.shape[-1])
            mixed = mixed.index_copy(0, text_at, of_text)
            if self.motion is not None:
                of_motion = self.motion.queries_keys_values(motion)
                mixed = mixed.index_copy(0, motion_at, of_motion)
        queries, keys, values = self._heads(mixed, shape)
        if attention.rotation is not None:
            queries = rotated(queries, attention.rotation)
            keys = rotated(keys, attention.rotation)
        if remember is not None:
            keys, values = remember(keys, values)
        if self.motion is None and not len(text):
            return text, motion
        if self.key_heads != self.heads:
            groups = self.heads // self.key_heads
            keys, values = (part.repeat_interleave(groups, dim=1) for part in (keys, values))
        if self.shared or not self.reference_masking:
            allowed = attention.allowed if self.shared else attention.allowed_within
            attended = _attend(queries, keys, values, allowed)
        else:
            attended = self._attend_as_reference(queries, keys, values, attention)
        flat = attended.transpose(1, 2).reshape(shape[0] * shape[1], -1)
        if text_at is None or motion_at is None:
            return self.text(text, flat), motion
        if words_wanted:
            text = self.text(text, flat[text_at])
        if self.motion is not None:
            motion = self.motion(motion, flat[motion_at])
        return text, motion

    def _heads(self, mixed: Tensor, shape: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (B, H, N, E), and keys and values (B, G, N, E)."""
        sizes = (self.heads, self.key_heads, self.key_heads)
        queries, keys, values = mixed.view(*shape, sum(sizes), -1).transpose(1, 2).split(sizes, 1)
        return queries, keys, values

    def _attend_as_reference(
        self, queries: Tensor, keys: Tensor, values: Tensor, attention: Attention
    ) -> Tensor:
        """Each modality sees its own tokens, and the bare biases at the other's positions."""
        _, heads, count, width = queries.shape
        results = []
        for block, own in ((self.text, ~attention.is_motion), (self.motion, attention.is_motion)):
            assert isinstance(block, Block)
            bias = block.qkv.bias.view(3, heads, 1, width)
            here = own[:, None, :, None]
            results.append(
                _attend(
                    queries,
                    torch.where(here, keys, bias[1]),
                    torch.where(here, values, bias[2]),
                    attention.allowed,
                )
            )
        return torch.where(attention.is_motion[:, None, -count:, None], results[1], results[0])


def _attend(queries: Tensor, keys: Tensor, values: Tensor, allowed: Tensor | None) -> Tensor:
    return F.scaled_dot_product_attention(
        queries, keys, values, attn_mask=allowed, is_causal=allowed is None
    )
