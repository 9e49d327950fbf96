# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the stages of the stream form minimise: the next chunk after every chunk of a window."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.kinematics.ground_frame import lead_over
from mgpt3_ros.model.network.network import DURATION_UNIT
from mgpt3_ros.model.network.stream_network import MotionTokens, StreamNetwork, goal_features
from mgpt3_ros.model.network.vae.chunk import POSE_CHANNELS
from mgpt3_ros.model.sampling import SamplingOptions
from mgpt3_ros.training.stream_batches import NO_GOAL, StreamBatch, StreamOptions
from mgpt3_ros.training.text_cache import TextCache

OWN_DRAW_STEPS = 3  # of the head, where the model draws its own history
OWN_DRAW_FADE = 12  # frames over which the truth is led over from where the model's draws ended


class StreamTask(nn.Module):
    """Loss terms of a batch: the head's, ``duration``, ``marker``, ``caption`` and ``text``.

    ``texts``: what a frozen text branch says of prompts; None computes it at every step.
    """

    def __init__(
        self, network: StreamNetwork, options: StreamOptions, texts: TextCache | None = None
    ) -> None:
        super().__init__()
        self.network, self.options, self.texts = network, options, texts

    def head_parameters(self) -> list[nn.Parameter]:
        """Those that a stage's ``head_learning_rate`` is for."""
        return self.network.parameter_groups()['head']

    def counts(self, batch: StreamBatch) -> dict[str, int]:
        """Over how many chunks, motions or words each term is the mean."""
        network, chunks = self.network, (batch.frames.shape[1] - 2) // self.network.vae.frames
        learned = int(self._learned(batch, chunks).sum())
        found = dict.fromkeys(network.head.loss_terms, learned)
        found |= {'duration': int((batch.left > 0).sum()), 'marker': int(batch.asked.sum())}
        found['caption'] = 0 if batch.captions is None else int(batch.captions[4][:, 1:].sum())
        found['text'] = 0 if batch.texts is None else int(batch.texts[2][:, 1:].sum())
        return found

    def forward(self, batch: StreamBatch) -> dict[str, Tensor]:
        """Named terms, each the mean over what it counts."""
        noise = torch.Generator().manual_seed(batch.seed)
        frames = batch.frames
        if batch.own_draws and len(frames):
            frames = self._with_own_draws(batch, noise)
        terms = self._next_chunks(batch, frames, noise) if len(frames) else {}
        if batch.captions is not None:
            terms['caption'] = self._captions(*batch.captions)
        if batch.texts is not None:
            terms['text'] = self._texts(*batch.texts)
        return terms

    def _next_chunks(
        self, batch: StreamBatch, frames: Tensor, noise: torch.Generator
    ) -> dict[str, Tensor]:
        network, codec = self.network, self.network.vae
        latents, states = window_tokens(network, frames)
        chunks = latents.shape[1]
        at = torch.arange(chunks, device=frames.device)
        now = 1 + codec.frames * at  # frame at which each token stands
        goals, has_goal = self._goals(batch, frames, now)
        learned = self._learned(batch, chunks)
        tokens = self._noisy(
            MotionTokens(
                F.pad(latents[:, :-1], (0, 0, 1, 0)),
                (at > 0).expand(len(frames), -1),
                states,
                (at == batch.told[:, None]) & batch.show_told[:, None],
                goals,
                has_goal,
            ),
            noise,
        )
        motion = network.embed_motion(tokens)
        mask = torch.cat([batch.mask, torch.ones_like(learned)], dim=1)
        if self.texts is None or bool(batch.asked.any()):  # the words' own logits are needed
            read = network.read(batch.ids, mask, motion)
            summary = network.summary(read.text, batch.mask)
        else:
            cache, summary = self.texts.read(batch.ids, batch.mask, chunks)
            read = network.read(None, mask, motion, cache)
        hidden = read.motion[:, -chunks:]
        words = summary[:, None].expand(-1, chunks, -1)
        told = network.head_input(hidden[learned], motion[learned], words[learned])
        terms = network.head.loss(latents[learned][:, None], told, noise)
        known = batch.left > 0
        first = hidden[torch.arange(len(hidden)), batch.told][known]
        wanted = torch.log(batch.left[known].float() / DURATION_UNIT)
        error = network.log_duration(first) - wanted
        error = F.smooth_l1_loss(error, torch.zeros_like(error), beta=0.1, reduction='sum')
        terms['duration'] = error / known.sum().clamp(min=1)
        if bool(batch.asked.any()):
            # The words are padded on the left: the marker that begins motion is the last of them.
            logits = network.backbone.text_logits(read.text[batch.asked, batch.ids.shape[1] - 2])
            terms['marker'] = F.cross_entropy(logits.float(), batch.ids[batch.asked, -1])
        return terms

    def _learned(self, batch: StreamBatch, chunks: int) -> Tensor:
        """Which of the chunks (B, K) are learned."""
        codec = self.network.vae
        at = torch.arange(chunks, device=batch.frames.device)
        learned = (at >= batch.told[:, None]) & (at >= batch.own_draws)
        learned &= at < ((batch.count - 2) // codec.frames)[:, None]
        before_goal = batch.goal[:, None] > 1 + codec.frames * at
        return learned & (before_goal | (batch.goal == NO_GOAL)[:, None])

    def _goals(self, batch: StreamBatch, frames: Tensor, now: Tensor) -> tuple[Tensor, Tensor]:
        """Goals (B, K, G) as they are seen at frames ``now`` (K,), and where there is one."""
        rows = torch.arange(len(frames), device=frames.device)
        goal = batch.goal.clamp(min=0)
        wanted = torch.stack([frames[rows, goal], frames[rows, goal + 1]], dim=1)
        previous = torch.stack([frames[:, now - 1], frames[:, now]], dim=2)
        left = goal[:, None] - now
        wanted = wanted[:, None].expand(-1, len(now), -1, -1, -1)
        return goal_features(previous, wanted, left), (left > 0) & (batch.goal[:, None] >= 0)

    def _noisy(self, tokens: MotionTokens, noise: torch.Generator) -> MotionTokens:
        """The same tokens as a model that has drawn them itself would see them."""

        def randn(like: Tensor) -> Tensor:
            return torch.randn(like.shape, generator=noise).to(like)

        size = torch.rand(len(tokens.latents), 1, 1, generator=noise).to(tokens.latents)
        size = size * self.options.noise
        pose = tokens.states[..., :POSE_CHANNELS]
        pose = pose + self.options.state_noise * size * randn(pose)
        return MotionTokens(
            tokens.latents + size * randn(tokens.latents),
            tokens.begun,
            torch.cat([pose, tokens.states[..., POSE_CHANNELS:]], dim=-1),
            tokens.told,
            tokens.goals,
            tokens.has_goal,
        )

    @torch.no_grad()
    def _with_own_draws(self, batch: StreamBatch, noise: torch.Generator) -> Tensor:
        """Frames (B, W, 22, 3) that begin with the model's draws; the truth is led over to them.

        Exposure to what it draws itself is what a causal model lacks otherwise.
        """
        network, frames = self.network, batch.frames
        sampling = SamplingOptions(1.0, OWN_DRAW_STEPS, generator=noise)
        own, mask, words = [frames[:, :2]], batch.mask, None
        if self.texts is None:
            cache = network.backbone.new_cache(mask.shape[1] + batch.own_draws)
        else:
            cache, words = self.texts.read(batch.ids, mask, batch.own_draws)
        latent = frames.new_zeros(len(frames), *network.vae.latent_shape)
        for step in range(batch.own_draws):
            previous = own[-1][:, -2:]
            at_first = torch.full((len(frames), 1), step == 0, device=frames.device)
            motion = network.embed_motion(
                MotionTokens(
                    latent,
                    ~at_first,
                    network.vae.state(previous)[:, None],
                    at_first & batch.show_told[:, None],
                )
            )
            mask = torch.cat([mask, torch.ones_like(at_first)], dim=1)
            unread = step == 0 and self.texts is None
            read = network.read(batch.ids if unread else None, mask, motion, cache)
            if unread:
                words = network.summary(read.text, batch.mask)
            told = network.head_input(read.motion[:, -1], motion[:, -1], words)
            latent = network.head.sample(told, sampling)
            with in_full_precision(latent):
                own.append(network.vae.decode(latent.float(), previous))
        done = network.vae.frames * batch.own_draws
        fade = torch.full((len(frames),), OWN_DRAW_FADE, device=frames.device)
        led = lead_over(own[-1][:, -2:], frames[:, 1 + done :], fade)
        return torch.cat([*own, led[:, 1:]], dim=1)

    def _texts(self, ids: Tensor, mask: Tensor, learned: Tensor) -> Tensor:
        """Mean cross-entropy of the learned words of sentences, or of conversations."""
        if self.texts is None:
            return self._next_words(self.network.read(ids, mask).text, ids, learned)
        # The words' logits are the same at every step: only the markers' are computed.
        said, ids = self.texts.before(ids, mask, learned), ids[:, 1:][learned[:, 1:]]
        markers = self.network.backbone.marker_scores(said.hidden).float()
        whole = torch.logsumexp(torch.cat([said.words[:, None], markers], dim=1), dim=1)
        own = markers.gather(1, (ids - self.network.vocabulary.vocab_size).clamp(min=0)[:, None])
        is_marker = ids >= self.network.vocabulary.vocab_size
        return (whole - torch.where(is_marker, own[:, 0], said.chosen)).mean()

    def _captions(
        self, frames: Tensor, count: Tensor, ids: Tensor, mask: Tensor, learned: Tensor
    ) -> Tensor:
        """Mean cross-entropy of the words that follow on windows of motion."""
        latents, states = window_tokens(self.network, frames)
        # A token at each chunk's end: one more than chunks, since the last is described too.
        last = self.network.vae.state(frames[:, -2:])[:, None]
        states = torch.cat([states, last], dim=1)
        at = torch.arange(states.shape[1], device=frames.device)
        shown = at <= ((count - 2) // self.network.vae.frames)[:, None]
        motion = self.network.embed_motion(
            MotionTokens(
                F.pad(latents, (0, 0, 1, 0)),
                (at > 0).expand(len(frames), -1),
                states,
                torch.zeros_like(shown),
            )
        )
        both = torch.cat([shown, mask], dim=1)
        hidden = self.network.read(ids, both, motion, motion_first=True).text
        return self._next_words(hidden[:, shown.shape[1] :], ids, learned)

    def _next_words(self, hidden: Tensor, ids: Tensor, learned: Tensor) -> Tensor:
        """Mean cross-entropy of the learned words (B, N), of hidden states (B, N, D) before."""
        learned = learned[:, 1:]
        logits = self.network.backbone.text_logits(hidden[:, :-1][learned])
        return F.cross_entropy(logits.float(), ids[:, 1:][learned])


@torch.no_grad()
def window_tokens(network: StreamNetwork, frames: Tensor) -> tuple[Tensor, Tensor]:
    """Latents (B, K, C) of the K chunks of windows (B, 2 + F K, 22, 3) and states before them."""
    codec = network.vae
    count = (frames.shape[1] - 2) // codec.frames
    begin = codec.frames * torch.arange(count, device=frames.device)
    at = begin[:, None] + torch.arange(2 + codec.frames, device=frames.device)
    chunks = frames[:, at].flatten(0, 1)  # (B * K, 2 + F, 22, 3)
    with in_full_precision(frames):
        latents = codec.encode(chunks[:, 2:], chunks[:, :2])[:, 0]
        states = codec.state(chunks[:, :2])
    return latents.unflatten(0, (-1, count)), states.unflatten(0, (-1, count))


def in_full_precision(like: Tensor) -> torch.autocast:
    """No automatic casts: half precision is too coarse for places in the world."""
    return torch.autocast(like.device.type, enabled=False)
