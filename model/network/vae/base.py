# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The contracts of the motion VAEs: two take a clip alone, one is told what came before.

`MotionVae` turns a whole clip into a latent and back, for the clip form. `MotionAutoencoder` is
what it has in common with one whose code is no latent of a fixed shape (`vq`). `CausalCodec` turns
a short chunk into a latent, and decodes it from the frames before it, for the stream form: what it
gives depends on nothing that is yet to come.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from mgpt3_ros.model.kinematics.stats import FeatureStats


class MotionAutoencoder(nn.Module, ABC):
    """Takes clips of features apart and puts them together again: what stage ``vae`` trains.

    Features are normalised (B, T, 263); what stands beyond a clip's length has no influence.
    Lengths (B,) may lie on the CPU while all else is on a GPU: a look at them there does not wait.

    ``loss_terms`` names its own terms in `reconstruct`, each a mean over the clips.
    """

    loss_terms: ClassVar[tuple[str, ...]] = ()
    max_frames: int | None = None  # of a clip; None: any

    def fit(self, features: Sequence[np.ndarray], stats: FeatureStats) -> float | None:
        """Take from the clips (T, 263) of a data set what no gradient learns; here: nothing."""

    @abstractmethod
    def reconstruct(
        self, features: Tensor, lengths: Tensor, noise: Sequence[torch.Generator]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Features (B, T, 263) as training sees them, with one source of noise each, and terms."""

    @abstractmethod
    def rebuild(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Features (B, T, 263) taken apart and put together, without chance."""


class MotionVae(MotionAutoencoder):
    """Turns clips of features into a few continuous latent tokens, and back.

    ``latent_shape`` is (L, C), the number and the width of the tokens. ``whitened`` says that its
    latents have mean 0 and spread 1 over the data by themselves.
    """

    latent_shape: tuple[int, int]
    loss_terms: ClassVar[tuple[str, ...]] = ('kl',)
    whitened: ClassVar[bool] = False

    def reconstruct(
        self, features: Tensor, lengths: Tensor, noise: Sequence[torch.Generator]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Features (B, T, 263) through the latent, with one source of noise each, and own terms.

        Here: a draw from the posterior, and ``kl``, its divergence from N(0, 1).
        """
        mean, logvar = self.encode(features, lengths)
        drawn = torch.stack([torch.randn(mean.shape[1:], generator=own) for own in noise])
        decoded = self.decode(mean + drawn.to(mean) * torch.exp(0.5 * logvar), lengths)
        return decoded, {'kl': 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()}

    def rebuild(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Features (B, T, 263) through the mean of the posterior."""
        return self.decode(self.encode(features, lengths)[0], lengths)

    def latent_importance(self) -> Tensor:
        """What a whitened unit of each channel (L, C) moves, relative to the mean channel."""
        return torch.ones(self.latent_shape)

    @abstractmethod
    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, each (B, L, C), of features (B, T, 263) with lengths (B,)."""

    @abstractmethod
    def decode(self, latent: Tensor, lengths: Tensor) -> Tensor:
        """Features (B, max(lengths), 263) of latents (B, L, C), zero after each length."""


class CausalCodec(nn.Module, ABC):
    """Turns chunks of motion into one continuous latent each, given the two frames before them.

    frames: F, of a chunk, at 20 fps.
    latent_shape: (1, C).
    state_size: S, channels of :meth:`state`.

    Joints are [m], Y up, in any place of the world: chunks are coded relative to the last frame.
    """

    frames: int
    latent_shape: tuple[int, int]
    state_size: int
    max_frames: int | None = None  # of a motion: any

    def latent_importance(self) -> Tensor:
        """What a whitened unit of each channel (1, C) moves, relative to the mean channel."""
        return torch.ones(self.latent_shape)

    @abstractmethod
    def encode(self, frames: Tensor, previous: Tensor) -> Tensor:
        """Whitened latents (B, 1, C) of chunks (B, F, 22, 3) after two frames (B, 2, 22, 3)."""

    @abstractmethod
    def decode(self, latent: Tensor, previous: Tensor) -> Tensor:
        """Frames (B, F, 22, 3) of latents (B, 1, C), with the bones of ``previous``."""

    @abstractmethod
    def state(self, previous: Tensor) -> Tensor:
        """What the next chunk goes on from (B, S): pose, velocity and feet of two frames."""


def frame_mask(lengths: Tensor, frames: int) -> Tensor:
    """(B, frames) bool, True on the frames of each clip."""
    return torch.arange(frames, device=lengths.device)[None] < lengths[:, None]
