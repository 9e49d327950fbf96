# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reading words one by one with tensors of the same shapes at each, as a recorded GPU graph needs.

A cache that grows has other shapes at every word. Here keys and values have room for all words
from the beginning, what is not written yet is masked, and where a step writes is a tensor itself.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.backbone import BimodalBackbone
from mgpt3_ros.model.network.cache import KeyValueCache
from mgpt3_ros.model.network.layer import Attention


class WordSteps:
    """Continues B sequences that a cache has read, by a word of each at a time.

    Args:
        backbone: what has read them.
        cache: of S tokens; it stays as it is until :meth:`hand_back`.
        mask: (B, S) bool, False on padding.
        words: how many follow at most.
    """

    def __init__(
        self, backbone: BimodalBackbone, cache: KeyValueCache, mask: Tensor, words: int
    ) -> None:
        assert cache.is_motion is not None
        assert cache.order is not None
        self._backbone, self._cache, self._read = backbone, cache, 0
        past, batch = len(cache), len(mask)
        room = past + words
        self._order = torch.where(cache.is_motion, 0, cache.order + 1).amax(dim=1, keepdim=True)
        limit = backbone.config.n_positions
        # With a bounded look back words alone take up positions.
        bounded = backbone.config.look_back is not None
        self._position = self._order if bounded else (mask.cumsum(1) > 0).sum(1, keepdim=True)
        self._left = limit - int(self._position.max())  # one wait for a whole text
        self._position = self._position.clamp(max=limit - 1)
        self._at = torch.full((1,), past, device=mask.device)
        self._seen = mask.new_zeros(batch, room, dtype=torch.bool)
        self._seen[:, :past] = mask
        self._is_motion = torch.zeros_like(self._seen)
        self._is_motion[:, :past] = cache.is_motion
        self._rooms = []
        for layer in range(len(backbone.layers)):
            pair = []
            for kept in cache.kept(layer):
                pair.append(kept.new_zeros(batch, kept.shape[1], room, kept.shape[3]))
                pair[-1][:, :, :past] = kept
            self._rooms.append((pair[0], pair[1]))

    def __call__(self, ids: Tensor) -> Tensor:
        """Read the next word of each; return its hidden states (B, D).

        Args:
            ids: (B,).

        Raises:
            ConfigError: the sequence is longer than ``n_positions``.
        """
        backbone = self._backbone
        if self._read == self._left:
            raise ConfigError(f'more words than the {backbone.config.n_positions} positions')
        self._seen.index_fill_(1, self._at, True)
        text, motion, _ = backbone.embed(ids[:, None])
        text = backbone.text.with_positions(text, self._position).flatten(0, 1)
        attention = Attention(
            text_at=None,
            motion_at=None,
            is_motion=self._is_motion,
            allowed=self._seen[:, None, None],
            allowed_within=(self._seen & ~self._is_motion)[:, None, None],
            rotation=backbone.text.rotation(self._position),
        )
        nothing = motion.flatten(0, 1)[:0]
        for index, layer in enumerate(backbone.layers):
            remember = functools.partial(self._remember, index)
            text, _ = layer(text, nothing, (len(ids), 1), attention, remember)
        self._at += 1
        self._position = (self._position + 1).clamp(max=backbone.config.n_positions - 1)
        self._read += 1
        return backbone.text.ln_f(text)

    def hand_back(self) -> None:
        """Let the cache have all words that were read."""
        past = len(self._cache)
        for layer, pair in enumerate(self._rooms):
            keys, values = (kept[:, :, past : past + self._read] for kept in pair)
            self._cache.extend(layer, keys, values)
        order = self._order + torch.arange(self._read, device=self._order.device)
        self._cache.advance(torch.zeros_like(order, dtype=torch.bool), order)

    def _remember(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write keys and values (B, H, 1, D / H); return those of the whole room."""
        for kept, new in zip(self._rooms[layer], (keys, values), strict=True):
            kept.index_copy_(2, self._at, new)
        return self._rooms[layer]
