# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drawing chunk after chunk: what B bodies do next, under their words, without an end.

What is kept of the past are the last frames and, in a cache of a fixed size, the keys and values
of the words and of the last motion tokens. New words, and frames that were observed, are read anew
with the last chunks: a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mgpt3_ros.model.network.cache import KeyValueCache
from mgpt3_ros.model.network.heads.base import Guidance
from mgpt3_ros.model.network.stream_network import MotionTokens, StreamNetwork, goal_features
from mgpt3_ros.model.sampling import SamplingOptions

# What sets drawn frames (B, F, 22, 3) right, given the two before them (B, 2, 22, 3).
Finish = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class ChunkDrawing:
    """How each chunk is drawn.

    guidance_scale: how far a draw is led away from one without words; 1 is no guidance.
    guidance_rescale: 0 to 1, how far it is scaled back to the spread of one with words alone.
    temperature: of the noise. num_inference_steps: of the head.
    """

    guidance_scale: float = 2.0
    guidance_rescale: float = 0.5
    temperature: float = 1.0
    num_inference_steps: int = 6


@dataclass
class Goal:
    """What bodies shall run into: two frames (B, 2, 22, 3) [m], the first in ``frames_left``."""

    frames: Tensor
    frames_left: int


class ChunkDrawer:
    """B bodies that move on together, each under its own words.

    Args:
        network: in evaluation mode.
        drawing: how chunks are drawn.
        finish: sets drawn frames right before they become the past; None leaves them.
    """

    def __init__(
        self, network: StreamNetwork, drawing: ChunkDrawing, finish: Finish | None = None
    ) -> None:
        self.network, self.drawing, self.finish = network, drawing, finish
        self.look_back = network.config.backbone.look_back or 1
        self.goal: Goal | None = None
        self._frames = network.rest[None]
        self._words: tuple[Tensor, Tensor] | None = None
        self._told = 0  # the token at which the words were told; below 0: it is out of sight
        self._show_told = True
        self._cache: KeyValueCache | None = None
        self._hidden: Tensor | None = None
        self._token: Tensor | None = None
        self._summary: Tensor | None = None  # of the words

    @property
    def frames(self) -> Tensor:
        """The past that is kept (B, 2 + F k, 22, 3) [m], the last frame last."""
        return self._frames

    def start(self, frames: Tensor, ids: Tensor, mask: Tensor, told: bool = True) -> None:
        """Go on from frames (B, T, 22, 3) [m], two at least, under words (B, N) and their mask.

        ``told`` says whether the words were told just now; False where there are none, or where
        the body has been under them all the time.
        """
        chunk = self.network.vae.frames
        kept = min((frames.shape[1] - 2) // chunk, self.look_back - 1)
        self._frames = frames[:, -(2 + chunk * kept) :]
        self._words, self._show_told = (ids, mask), told
        self._told = kept
        self._read_anew()

    def tell(self, ids: Tensor, mask: Tensor) -> None:
        """From now on, other words (B, N); what the bodies do goes on from where they are."""
        self._words, self._show_told = (ids, mask), True
        self._told = (self._frames.shape[1] - 2) // self.network.vae.frames
        self._read_anew()

    def observe(self, frames: Tensor) -> None:
        """The bodies really went through frames (B, T, 22, 3): they are the past from now on.

        They end where the body is; of older frames nothing is kept.
        """
        chunk = self.network.vae.frames
        kept = min((frames.shape[1] - 2) // chunk, self.look_back - 1)
        self._told += kept - (self._frames.shape[1] - 2) // chunk
        self._frames = frames[:, -(2 + chunk * kept) :]
        self._read_anew()

    def predicted_frames(self) -> Tensor:
        """Frames (B,), not rounded, that what was just told is expected to take."""
        if self._hidden is None:
            self._read_anew()
        assert self._hidden is not None
        return self.network.predicted_frames(self._hidden[: len(self._frames)])

    @torch.no_grad()
    def draw(self, noise: Sequence[torch.Generator] | None = None) -> Tensor:
        """Draw the next chunk (B, F, 22, 3) [m] and make it the past.

        Args:
            noise: a source for each body; None for torch's own.
        """
        network, drawing = self.network, self.drawing
        if self._hidden is None or self._token is None or self.goal is not None:
            self._read_anew()
        assert self._hidden is not None
        assert self._token is not None
        count = len(self._frames)
        told = network.head_input(self._hidden[:count], self._token, self._summary)
        guidance = Guidance(rescale=drawing.guidance_rescale)
        if drawing.guidance_scale != 1:
            without = network.head_input(self._hidden[count:], self._token)
            guidance = Guidance(without, drawing.guidance_rescale)
        sampling = SamplingOptions(
            drawing.guidance_scale, drawing.num_inference_steps, drawing.temperature
        )
        latent = network.head.sample(told, sampling, guidance, noise)
        previous = self._frames[:, -2:]
        drawn = network.vae.decode(latent.float(), previous)
        if self.finish is not None:
            drawn = self.finish(drawn, previous)
        self._advance(drawn)
        return drawn

    def _advance(self, drawn: Tensor) -> None:
        """Make drawn frames the past, and read the token at their end."""
        chunk = self.network.vae.frames
        longest = 2 + chunk * (self.look_back - 1)
        frames = torch.cat([self._frames, drawn], dim=1)
        if frames.shape[1] > longest:
            self._told -= 1
        self._frames = frames[:, -longest:]
        if self.goal is not None:
            self.goal = Goal(self.goal.frames, self.goal.frames_left - chunk)
            self._hidden = None  # what is left of the way is told to every token anew
            return
        self._read_last(drawn)

    @torch.no_grad()
    def _read_anew(self) -> None:
        """Read words and all motion tokens that are in sight."""
        assert self._words is not None
        tokens = self._tokens()
        motion = self.network.embed_motion(tokens)
        self._token = motion[:, -1]
        ids, mask = self._words
        guided = self.drawing.guidance_scale != 1
        if guided:
            # The same bodies without words, in the same batch.
            ids, motion = torch.cat([ids, ids]), torch.cat([motion, motion])
            mask = torch.cat([mask, torch.zeros_like(mask)])
        room = ids.shape[1] + self.look_back + 1
        self._cache = self.network.backbone.new_cache(room)
        seen = torch.cat([mask, mask.new_ones(len(mask), motion.shape[1])], dim=1)
        read = self.network.read(ids, seen, motion, self._cache)
        self._hidden = read.motion[:, -1]
        count = len(self._frames)
        self._summary = self.network.summary(read.text[:count], self._words[1])

    @torch.no_grad()
    def _read_last(self, drawn: Tensor) -> None:
        """Read the token at the end of a chunk; the oldest one in the cache goes if it is full."""
        assert self._words is not None
        assert self._cache is not None
        chunk = self.network.vae.frames
        before = self._frames[:, -(chunk + 2) : -chunk]
        latent = self.network.vae.encode(drawn, before)
        state = self.network.vae.state(self._frames[:, -2:])[:, None]
        here = torch.ones(len(drawn), 1, dtype=torch.bool, device=drawn.device)
        motion = self.network.embed_motion(MotionTokens(latent, here, state, ~here))
        self._token = motion[:, -1]
        mask = self._words[1]
        if self.drawing.guidance_scale != 1:
            motion = torch.cat([motion, motion])
            mask = torch.cat([mask, torch.zeros_like(mask)])
        words = mask.shape[1]
        if len(self._cache) - words >= self.look_back:
            self._cache.drop(words, len(self._cache) - self.look_back + 1)
        seen = torch.cat([mask, mask.new_ones(len(mask), len(self._cache) - words + 1)], dim=1)
        self._hidden = self.network.read(None, seen, motion, self._cache).motion[:, -1]

    def _tokens(self) -> MotionTokens:
        """The motion tokens of the past that is kept."""
        frames = self._frames
        tokens = motion_tokens(self.network, frames)
        count = tokens.begun.shape[1]
        at = torch.arange(count, device=frames.device).expand(len(frames), -1)
        told = (at == self._told) & self._show_told
        if self.goal is None:
            return replace(tokens, told=told)
        chunk = self.network.vae.frames
        left = self.goal.frames_left + chunk * (count - 1 - at)
        ends = 1 + chunk * at[0]
        pairs = torch.stack([frames[:, ends - 1], frames[:, ends]], dim=2)
        wanted = self.goal.frames[:, None].expand(-1, count, -1, -1, -1)
        goals = goal_features(pairs, wanted, left)
        return replace(tokens, told=told, goals=goals, has_goal=torch.ones_like(told))


def motion_tokens(network: StreamNetwork, frames: Tensor) -> MotionTokens:
    """The tokens of motions (B, 2 + F k, 22, 3) [m]: one at their beginning, one a chunk."""
    codec = network.vae
    count = (frames.shape[1] - 2) // codec.frames + 1
    ends = 1 + codec.frames * torch.arange(count, device=frames.device)
    pairs = torch.stack([frames[:, ends - 1], frames[:, ends]], dim=2)  # (B, k, 2, 22, 3)
    states = codec.state(pairs.flatten(0, 1)).unflatten(0, (-1, count))
    latents = frames.new_zeros(len(frames), count, codec.latent_shape[1])
    if count > 1:
        at = ends[:-1, None] + 1 + torch.arange(codec.frames, device=frames.device)
        chunks = frames[:, at].flatten(0, 1)
        drawn = codec.encode(chunks, pairs[:, :-1].flatten(0, 1))[:, 0]
        latents[:, 1:] = drawn.unflatten(0, (-1, count - 1))
    begun = (torch.arange(count, device=frames.device) > 0).expand(len(frames), -1)
    return MotionTokens(latents, begun, states, torch.zeros_like(begun))
