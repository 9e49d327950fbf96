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
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

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

    def draw(self, noise: Sequence[torch.Generator] | None = None) -> Tensor:
        """Draw the next chunk (B, F, 22, 3) [m] and make it the past.

        Args:
            noise: a source for each body; None for torch's own.
        """
        return draw_chunks([self], noise)[0]

    def head_inputs(self) -> tuple[Tensor, Tensor | None]:
        """What the head is told of the next chunk (B, 2, M), and without words if it is led away.

        With a goal the past is read anew: what is left of the way is told to every token.
        """
        if self._hidden is None or self._token is None or self.goal is not None:
            self._read_anew()
        assert self._hidden is not None
        assert self._token is not None
        count, network = len(self._frames), self.network
        told = network.head_input(self._hidden[:count], self._token, self._summary)
        if self.drawing.guidance_scale == 1:
            return told, None
        return told, network.head_input(self._hidden[count:], self._token)

    def go_on(self, drawn: Tensor) -> bool:
        """Make drawn frames the past; whether the token at their end is still to be read."""
        chunk = self.network.vae.frames
        longest = 2 + chunk * (self.look_back - 1)
        frames = torch.cat([self._frames, drawn], dim=1)
        if frames.shape[1] > longest:
            self._told -= 1
        self._frames = frames[:, -longest:]
        if self.goal is not None:
            self.goal = Goal(self.goal.frames, self.goal.frames_left - chunk)
            self._hidden = None
        return self.goal is None

    def next_token(self) -> tuple[KeyValueCache, Tensor]:
        """The cache with room for one more token, and which of its tokens and of it are seen."""
        assert self._words is not None
        assert self._cache is not None
        mask = self._words[1]
        if self.drawing.guidance_scale != 1:
            mask = torch.cat([mask, torch.zeros_like(mask)])
        words = mask.shape[1]
        if len(self._cache) - words >= self.look_back:
            self._cache.drop(words, len(self._cache) - self.look_back + 1)
        seen = torch.cat([mask, mask.new_ones(len(mask), len(self._cache) - words + 1)], dim=1)
        return self._cache, seen

    def take_token(self, token: Tensor, hidden: Tensor) -> None:
        """Take the token (B, M) at the end of the last chunk, and its hidden states (R, M)."""
        self._token, self._hidden = token, hidden

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


@torch.no_grad()
def draw_chunks(
    drawers: Sequence[ChunkDrawer], noise: Sequence[torch.Generator] | None = None
) -> list[Tensor]:
    """Draw the next chunk (B, F, 22, 3) [m] of each drawer as one batch, and make it their past.

    Args:
        drawers: of one network, that draw in one way; each goes on from its own past, under words
            and to a goal of its own.
        noise: a source for each body of all of them; None for torch's own.
    """
    network, drawing = drawers[0].network, drawers[0].drawing
    inputs = [drawer.head_inputs() for drawer in drawers]
    guidance = Guidance(rescale=drawing.guidance_rescale)
    without = [away for _, away in inputs if away is not None]
    if without:
        guidance = Guidance(torch.cat(without), drawing.guidance_rescale)
    sampling = SamplingOptions(
        drawing.guidance_scale, drawing.num_inference_steps, drawing.temperature
    )
    told = torch.cat([told for told, _ in inputs])
    latent = network.head.sample(told, sampling, guidance, noise)
    previous = torch.cat([drawer.frames[:, -2:] for drawer in drawers])
    counts = [len(drawer.frames) for drawer in drawers]
    drawn = list(network.vae.decode(latent.float(), previous).split(counts))
    for number, drawer in enumerate(drawers):
        if drawer.finish is not None:
            drawn[number] = drawer.finish(drawn[number], drawer.frames[:, -2:])
    unread = [number for number, drawer in enumerate(drawers) if drawer.go_on(drawn[number])]
    if unread:
        _read_last([drawers[number] for number in unread], [drawn[number] for number in unread])
    return drawn


def _read_last(drawers: list[ChunkDrawer], drawn: list[Tensor]) -> None:
    """Read the token at the end of a chunk of each; the oldest in a cache goes if it is full."""
    network = drawers[0].network
    chunk, chunks = network.vae.frames, torch.cat(drawn)
    before = torch.cat([drawer.frames[:, -(chunk + 2) : -chunk] for drawer in drawers])
    last = torch.cat([drawer.frames[:, -2:] for drawer in drawers])
    latent = network.vae.encode(chunks, before)
    state = network.vae.state(last)[:, None]
    here = torch.ones(len(chunks), 1, dtype=torch.bool, device=chunks.device)
    motion = network.embed_motion(MotionTokens(latent, here, state, ~here))
    tokens = motion.split([len(rows) for rows in drawn])
    guided = drawers[0].drawing.guidance_scale != 1
    read = torch.cat([torch.cat([each, each]) if guided else each for each in tokens])
    caches, seen = zip(*(drawer.next_token() for drawer in drawers), strict=True)
    if len(drawers) == 1:
        hidden = network.read(None, seen[0], read, caches[0]).motion[:, -1]
    else:
        joined = KeyValueCache.joined(caches)
        width = len(joined) + 1
        mask = torch.cat([F.pad(rows, (width - rows.shape[1], 0)) for rows in seen])
        hidden = network.read(None, mask, read, joined).motion[:, -1]
        joined.hand_back(caches)
    rows = [len(own) for own in seen]
    for drawer, token, own in zip(drawers, tokens, hidden.split(rows), strict=True):
        drawer.take_token(token[:, -1], own)


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
