# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The next word of a text, in as few operations as there are.

In a small model a word costs less by its arithmetic than by what is looked up and called around
it: where motion stands, what is padding, who sees whom, some hundred modules. A word that follows
on words needs none of that. The numbers are those of the backbone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.network.backbone import BimodalBackbone
from mgpt3_ros.model.network.cache import KeyValueCache
from mgpt3_ros.model.network.text.gpt2_branch import Block, Gpt2Tables

_Affine = tuple[Tensor, Tensor]  # weight and bias


class _Layer(NamedTuple):
    """The weights of a block of the text, in the order in which they are used."""

    ln_1: _Affine
    qkv: _Affine
    out: _Affine
    ln_2: _Affine
    up: _Affine
    down: _Affine


class NextWord:
    """Reads one word after the other, behind what a cache holds."""

    def __init__(self, backbone: BimodalBackbone, tables: Gpt2Tables, blocks: list[Block]) -> None:
        self._heads, self._tables = backbone.config.n_head, tables
        self._limit = backbone.config.n_positions
        last: Any = tables.ln_f
        self._ln_f: _Affine = last.weight, last.bias
        self._epsilon: float = last.eps
        self._layers = [
            _Layer(*((getattr(block, n).weight, getattr(block, n).bias) for n in _Layer._fields))
            for block in blocks
        ]

    @classmethod
    def of(cls, backbone: BimodalBackbone) -> NextWord | None:
        """That of a backbone; None where the plain way is the only one, or as fast.

        That is: beside a Llama, where motion has its own positions or layers of its own, where
        oneDNN multiplies, in training, and on an accelerator.
        """
        config, tables = backbone.config, backbone.text
        layers: list[Any] = list(backbone.layers)  # ModuleList knows nothing of their type
        blocks = [layer.text for layer in layers]
        plain = not (config.text_rank or config.reference_masking or config.look_back is not None)
        if not plain or backbone.training or torch.is_grad_enabled():
            return None
        if not isinstance(tables, Gpt2Tables) or tables.wte.weight.device.type != 'cpu':
            return None
        if not all(isinstance(block, Block) and _is_plain(block) for block in blocks):
            return None
        if not all(layer.shared for layer in layers):
            return None
        return cls(backbone, tables, blocks)

    def fits(self, mask: Tensor) -> bool:
        """Whether there are positions for so many tokens as a mask (B, S + 1) has."""
        return mask.shape[1] <= self._limit

    def __call__(self, ids: Tensor, mask: Tensor, cache: KeyValueCache) -> Tensor:
        """Hidden states (B, D), after the last norm, of words.

        Args:
            ids: (B,) of words; a marker is none.
            mask: (B, S + 1) bool, False on padding, of the S tokens in the cache and these.
            cache: what was read before; these words are added to it.
        """
        padded = not bool(mask.all())
        position = ids.new_full(ids.shape, mask.shape[1] - 1)
        if padded:  # positions count from the first token that is none
            position = (mask.cumsum(1) > 0).sum(1) - 1
        seen = mask[:, None, None] if padded else None
        x = F.embedding(ids, self._tables.wte.weight)
        x = x + F.embedding(position, self._tables.wpe.weight)
        for index, layer in enumerate(self._layers):
            mixed = F.linear(self._normed(x, layer.ln_1), *layer.qkv)
            queries, keys, values = mixed.view(len(x), 3, self._heads, 1, -1).unbind(1)
            keys, values = cache.extend(index, keys, values)
            read = F.scaled_dot_product_attention(queries, keys, values, attn_mask=seen)
            x = x + F.linear(read.reshape(x.shape), *layer.out)
            inner = F.gelu(F.linear(self._normed(x, layer.ln_2), *layer.up), approximate='tanh')
            x = x + F.linear(inner, *layer.down)
        self._count(cache)
        return self._normed(x, self._ln_f)

    def _normed(self, x: Tensor, by: _Affine) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], *by, self._epsilon)

    @staticmethod
    def _count(cache: KeyValueCache) -> None:
        """Tell the cache that a word more was read in all layers."""
        assert cache.is_motion is not None
        assert cache.order is not None
        words = cache.order.masked_fill(cache.is_motion, -1).amax(dim=1, keepdim=True) + 1
        cache.advance(torch.zeros_like(words, dtype=torch.bool), words)


def _is_plain(block: Block) -> bool:
    linear = (block.qkv, block.out, block.up, block.down)
    return all(type(one) is nn.Linear for one in linear)
