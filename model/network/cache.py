# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keys and values of tokens that were read, in room that is made once and can be given back."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation


class KeyValueCache:
    """What later tokens need of S earlier ones: per layer keys and values (B, H, S, D / H).

    Of grouped keys, H counts the key heads.

    Room for ``capacity`` tokens is made when the first are read, and doubles when it runs out.
    :meth:`crop` forgets the newest tokens, :meth:`drop` a span among them, so that a sequence
    without an end fits into room of a fixed size.

    is_motion: (B, S) bool.
    order: (B, S), how many tokens of its own modality stood before each, also dropped ones.
    """

    def __init__(self, capacity: int = 64) -> None:
        self.capacity, self.length = capacity, 0
        self.is_motion: Tensor | None = None
        self.order: Tensor | None = None
        self._layers: list[tuple[Tensor, Tensor]] = []

    @classmethod
    def holding(
        cls, layers: list[tuple[Tensor, Tensor]], is_motion: Tensor, order: Tensor
    ) -> KeyValueCache:
        """A cache that has read S tokens, as ``is_motion`` and ``order`` (B, S) say.

        ``layers``: keys and values (B, H, R, D / H) of each layer in room for R >= S tokens; they
        become the cache's own.
        """
        cache = cls(layers[0][0].shape[2])
        cache._layers = layers
        cache.advance(is_motion, order)
        return cache

    @classmethod
    def joined(cls, caches: Sequence[KeyValueCache]) -> KeyValueCache:
        """A cache of the sequences of several, padded in front to the longest; a copy.

        What is read must not see the padding: the mask of attention is False there.
        """
        longest = max(len(cache) for cache in caches)
        layers = []
        for layer in range(len(caches[0]._layers)):
            pairs = zip(*(cache.kept(layer) for cache in caches), strict=True)
            # One place more, for the token that is read next.
            keys, values = (
                torch.cat([F.pad(kept, (0, 0, longest - kept.shape[2], 1)) for kept in each])
                for each in pairs
            )
            layers.append((keys, values))
        marks = []
        for name in ('is_motion', 'order'):
            own = [getattr(cache, name) for cache in caches]
            marks.append(torch.cat([F.pad(rows, (longest - rows.shape[1], 0)) for rows in own]))
        return cls.holding(layers, marks[0], marks[1])

    def hand_back(self, caches: Sequence[KeyValueCache]) -> None:
        """Give the newest token of a cache that :meth:`joined` made to those it was made of."""
        assert self.is_motion is not None
        assert self.order is not None
        first = 0
        for cache in caches:
            assert cache.is_motion is not None
            rows = slice(first, first + len(cache.is_motion))
            for layer in range(len(self._layers)):
                keys, values = (kept[rows, :, -1:] for kept in self.kept(layer))
                cache.extend(layer, keys, values)
            cache.advance(self.is_motion[rows, -1:], self.order[rows, -1:])
            first = rows.stop

    def kept(self, layer: int) -> tuple[Tensor, Tensor]:
        """Keys and values (B, H, S, D / H) of a layer."""
        keys, values = self._layers[layer]
        return keys[:, :, : self.length], values[:, :, : self.length]

    def __len__(self) -> int:
        return self.length

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Keep keys and values (B, H, N, D / H) of a layer; return those of all S + N tokens."""
        needed = self.length + keys.shape[2]
        if layer == len(self._layers):
            self._layers.append((self._room(keys, needed), self._room(values, needed)))
        if needed > self._layers[layer][0].shape[2]:
            grown = [self._room(kept, needed) for kept in self._layers[layer]]
            for room, kept in zip(grown, self._layers[layer], strict=True):
                room[:, :, : self.length] = kept[:, :, : self.length]
            self._layers[layer] = grown[0], grown[1]
        kept_keys, kept_values = self._layers[layer]
        kept_keys[:, :, self.length : needed] = keys
        kept_values[:, :, self.length : needed] = values
        return kept_keys[:, :, :needed], kept_values[:, :, :needed]

    def advance(self, is_motion: Tensor, order: Tensor) -> None:
        """Count N tokens, whose modality and order (B, N) are given, as read in all layers."""
        if self.is_motion is None or self.order is None:
            self.is_motion, self.order = is_motion, order
        else:
            self.is_motion = torch.cat([self.is_motion, is_motion], dim=1)
            self.order = torch.cat([self.order, order], dim=1)
        self.length += is_motion.shape[1]

    def crop(self, length: int) -> None:
        """Forget all tokens but the first ``length``."""
        self.drop(length, self.length)

    def drop(self, begin: int, end: int) -> None:
        """Forget the tokens ``begin`` to ``end`` (not included); later ones move up."""
        if self.is_motion is None or self.order is None or end <= begin:
            return
        after = self.length - end
        for pair in self._layers:
            for kept in pair:
                kept[:, :, begin : begin + after] = kept[:, :, end : self.length].clone()
        self.is_motion = torch.cat([self.is_motion[:, :begin], self.is_motion[:, end:]], dim=1)
        self.order = torch.cat([self.order[:, :begin], self.order[:, end:]], dim=1)
        self.length = begin + after

    def keep(self, rows: Tensor) -> None:
        """Forget all sequences but those at ``rows`` (R,)."""
        self._layers = [(keys[rows], values[rows]) for keys, values in self._layers]
        if self.is_motion is not None and self.order is not None:
            self.is_motion, self.order = self.is_motion[rows], self.order[rows]

    def _room(self, like: Tensor, needed: int) -> Tensor:
        while self.capacity < needed:
            self.capacity *= 2
        return like.new_zeros(*like.shape[:2], self.capacity, like.shape[3])
