# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network of the stream form: words, then one motion token for every chunk of 0.4 s.

A motion token says which latent was drawn last and the state of the body that it led to; from the
hidden state at it the head draws the next latent. Backbone and heads are those of the clip form;
``model/stream.py`` says how the two forms differ.

Dimensions: N words of a prompt, K chunks, G channels of a goal; see ``model/`` for the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mgpt3_ros.model.kinematics.ground_frame import GroundFrame
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.vocabulary import Vocabulary
from mgpt3_ros.model.network.backbone import BimodalBackbone, Hidden
from mgpt3_ros.model.network.cache import KeyValueCache
from mgpt3_ros.model.network.heads import build_head
from mgpt3_ros.model.network.network import DURATION_UNIT, NetworkConfig
from mgpt3_ros.model.network.vae import build_codec

GOAL_CHANNELS = 2 * 22 * 3 + 2  # pose [m], velocity [m/s], time left [s] and its inverse
HEAD_TOKENS = 2  # what the head is told: the hidden state, and the motion token itself


@dataclass(frozen=True)
class MotionTokens:
    """What K motion tokens of a batch say.

    latents: (B, K, C), the latent that was drawn before each token.
    begun: (B, K) bool, False where none was drawn before: motion begins there.
    states: (B, K, S), of the body at each token, as the codec says it.
    told: (B, K) bool, True at the token at which the text was told; tokens before it are what
        the body did before.
    goals: (B, K, G), where the body shall be and when (:func:`goal_features`); None for no goal.
    has_goal: (B, K) bool; None for no goal.
    """

    latents: Tensor
    begun: Tensor
    states: Tensor
    told: Tensor
    goals: Tensor | None = None
    has_goal: Tensor | None = None


class StreamNetwork(nn.Module):
    """Backbone, codec, motion tokens and head; knows token ids but no text and no files.

    rest: (2, 22, 3) [m], the pose in which a motion begins that goes on from nothing.
    """

    rest: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.vae = build_codec(config.vae)
        self.backbone = BimodalBackbone(config.backbone)
        self.vocabulary = Vocabulary(config.backbone.vocab_size)
        width, channels = self.backbone.motion_width, self.vae.latent_shape[1]
        self.latent_in = nn.Linear(channels, width)
        self.state_in = nn.Sequential(
            nn.Linear(self.vae.state_size, width), nn.GELU(), nn.Linear(width, width)
        )
        self.goal_in = nn.Sequential(
            nn.Linear(GOAL_CHANNELS, width), nn.GELU(), nn.Linear(width, width)
        )
        self.words_in = nn.Linear(config.backbone.n_embd, width, bias=False)
        nn.init.zeros_(self.words_in.weight)
        self.begin = nn.Parameter(0.02 * torch.randn(width))  # in place of a latent
        self.told = nn.Parameter(0.02 * torch.randn(width))
        self.head = build_head(
            config.head, self.vae.latent_shape, holders=HEAD_TOKENS, hidden_width=width
        )
        self.duration_out = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1))
        self.register_buffer('rest', torch.zeros(2, 22, 3))

    @property
    def loss_terms(self) -> tuple[str, ...]:
        """All terms that training may weigh."""
        return (*self.head.loss_terms, 'duration', 'marker', 'caption', 'text')

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """All parameters by their group."""
        tokens = [self.begin, self.told]
        for module in (self.latent_in, self.state_in, self.goal_in, self.words_in):
            tokens += module.parameters()
        return {
            **self.backbone.parameter_groups(),
            'tokens': tokens,
            'duration': list(self.duration_out.parameters()),
            'head': list(self.head.parameters()),
        }

    def embed_motion(self, tokens: MotionTokens) -> Tensor:
        """Motion tokens (B, K, M), without what attention adds."""
        dtype = self.latent_in.weight.dtype
        drawn = self.latent_in(tokens.latents.to(dtype))
        embedded = torch.where(tokens.begun[..., None], drawn, self.begin.to(dtype))
        embedded = embedded + self.state_in(tokens.states.to(dtype))
        embedded = embedded + tokens.told[..., None] * self.told.to(dtype)
        if tokens.goals is not None and tokens.has_goal is not None:
            told = self.goal_in(tokens.goals.to(dtype))
            embedded = embedded + tokens.has_goal[..., None] * told
        return embedded

    def read(
        self,
        ids: Tensor | None,
        mask: Tensor,
        motion: Tensor | None = None,
        cache: KeyValueCache | None = None,
        motion_first: bool = False,
        words_alone: bool = False,
    ) -> Hidden:
        """Hidden states of N words and K motion tokens.

        Args:
            ids: (B, N) of words and markers; None for motion alone.
            mask: (B, S + N + K) bool of the S tokens in the cache and the new ones.
            motion: (B, K, M) as :meth:`embed_motion` gives them; None for words alone.
            cache: keys and values of the S tokens before; the new ones are added.
            motion_first: the words follow on the motion, as a caption does.
            words_alone: as in :meth:`BimodalBackbone.forward`.
        """
        text, blank, is_motion = self._words(ids, mask, motion)
        if motion is not None:
            own = text.new_zeros(*motion.shape[:2], text.shape[-1])
            parts = [(text, blank, is_motion), (own, motion, torch.ones_like(own[..., 0]).bool())]
            if motion_first:
                parts.reverse()
            text, blank, is_motion = (torch.cat(each, dim=1) for each in zip(*parts, strict=True))
        return self.backbone(text, blank, is_motion, mask, cache, words_alone)

    def hidden(
        self,
        ids: Tensor,
        mask: Tensor,
        motions: Tensor | None,
        cache: KeyValueCache | None = None,
        words_alone: bool = False,
    ) -> Hidden:
        """Hidden states of words that follow on motion tokens, for :mod:`.decoding`."""
        return self.read(ids, mask, motions, cache, True, words_alone)

    def _words(
        self, ids: Tensor | None, mask: Tensor, motion: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        if ids is None:
            ids = torch.zeros(len(mask), 0, dtype=torch.long, device=mask.device)
        text, blank, is_motion = self.backbone.embed(ids)
        return text, blank, is_motion

    def head_input(self, hidden: Tensor, motion: Tensor, words: Tensor | None = None) -> Tensor:
        """What the head is told (Q, 2, M), of hidden states and motion tokens (Q, M).

        ``words``: (Q, D), the last hidden states of their words as :meth:`summary` gives them;
        None for no words. What the body does decides so much that attention alone would let the
        words be overheard: so the head hears them itself.
        """
        if words is not None:
            hidden = hidden + self.words_in(words)
        return torch.stack([hidden, motion], dim=1)

    @staticmethod
    def summary(text: Tensor, mask: Tensor) -> Tensor:
        """Sentences (B, D), of hidden states (B, N, D) of words that are padded on the left.

        Of rows without words (``mask`` (B, N) is False) zeros: of the marker that ends the others.
        """
        if not mask.shape[1]:
            return text.new_zeros(len(text), text.shape[-1])
        return text[:, mask.shape[1] - 1] * mask[:, -1:]

    def log_duration(self, hidden: Tensor) -> Tensor:
        """Log of the duration (Q,) [3 s] that hidden states (Q, M) at ``told`` expect."""
        return self.duration_out(hidden)[..., 0].float()

    def predicted_frames(self, hidden: Tensor) -> Tensor:
        """Frames (Q,), not rounded, of the motions that are about to be drawn."""
        return DURATION_UNIT * torch.exp(self.log_duration(hidden))


def goal_features(previous: Tensor, goal: Tensor, frames_left: Tensor) -> Tensor:
    """Where a body shall be, and when, as it sees it (..., G).

    Args:
        previous: (..., 2, 22, 3) [m], the last two frames.
        goal: (..., 2, 22, 3) [m], the first two frames of what it shall run into.
        frames_left: (...,) from the last frame to the first of the goal; at least 1.
    """
    local = GroundFrame.under(previous[..., 1, :, :]).into(goal)
    velocity = (local[..., 1, :, :] - local[..., 0, :, :]) * FPS
    left = frames_left.to(local.dtype).clamp(min=1)[..., None]
    parts = [local[..., 0, :, :].flatten(-2), velocity.flatten(-2), left / FPS, 8 / left]
    return torch.cat(parts, dim=-1)
