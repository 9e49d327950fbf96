# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Saying what a motion shows, chunk by chunk: each is read once, words are read and forgotten."""

from __future__ import annotations

import torch
from torch import Tensor

from mgpt3_ros.model.network.decoding import DecodingConfig, write_text
from mgpt3_ros.model.network.stream_drawing import motion_tokens
from mgpt3_ros.model.network.stream_network import MotionTokens, StreamNetwork
from mgpt3_ros.model.sampling import SamplingOptions

LONGEST_CHUNKS = 16  # that are in sight of a caption: 6.4 s, as in training


class ChunkReader:
    """Reads one body's motion as it comes.

    Args:
        network: in evaluation mode.
        eos_id: the token that ends a text.
        chunks: how many of the last chunks a caption tells of.
    """

    def __init__(self, network: StreamNetwork, eos_id: int, chunks: int = LONGEST_CHUNKS) -> None:
        self.network, self.eos_id, self.chunks = network, eos_id, chunks
        self._frames: Tensor | None = None  # (1, T, 22, 3): the last two read, and unread ones
        self._cache = network.backbone.new_cache(chunks + 48)

    @torch.inference_mode()
    def read(self, frames: Tensor) -> int:
        """Read on in frames (T, 22, 3) [m]; return how many whole chunks are known by now."""
        frames = frames[None]
        known = self._frames
        frames = frames if known is None else torch.cat([known, frames], dim=1)
        chunk = self.network.vae.frames
        count = (frames.shape[1] - 2) // chunk
        if known is None and frames.shape[1] >= 2:
            count = max(count, 0)
            self._add(motion_tokens(self.network, frames[:, : 2 + chunk * count]), 0)
        elif count > 0:
            self._add(motion_tokens(self.network, frames[:, : 2 + chunk * count]), 1)
        else:
            self._frames = frames
            return max(len(self._cache) - 1, 0)
        self._frames = frames[:, chunk * count :]
        return len(self._cache) - 1

    def _add(self, tokens: MotionTokens, begin: int) -> None:
        """Read the tokens from ``begin`` on; those before have been read."""
        motion = self.network.embed_motion(tokens)[:, begin:]
        beyond = len(self._cache) + motion.shape[1] - (self.chunks + 1)
        motion = motion[:, max(beyond - len(self._cache), 0) :]
        self._cache.drop(0, min(max(beyond, 0), len(self._cache)))
        mask = torch.ones(1, len(self._cache) + motion.shape[1], dtype=torch.bool)
        self.network.read(None, mask.to(motion.device), motion, self._cache)

    @torch.inference_mode()
    def words(self, config: DecodingConfig, sampling: SamplingOptions | None = None) -> list[int]:
        """Token ids of a sentence about the chunks that are known."""
        vocabulary, known = self.network.vocabulary, len(self._cache)
        ids = torch.tensor([[vocabulary.end_of_motion]], device=self.network.rest.device)
        mask = torch.ones(1, known + 1, dtype=torch.bool, device=ids.device)
        special = (vocabulary.start_of_motion, vocabulary.end_of_motion)
        try:
            return write_text(
                self.network,
                ids,
                mask,
                None,
                config,
                special,
                self.eos_id,
                sampling,
                self._cache,
            )[0]
        finally:
            self._cache.crop(known)
