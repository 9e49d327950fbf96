# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The contract of the motion VAEs."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class MotionVae(nn.Module, ABC):
    """Turns clips of features into a few continuous latent tokens, and back.

    ``latent_shape`` is (L, C), the number and the width of the tokens. Features are normalised
    (B, T, 263); what stands beyond a clip's length has no influence.
    """

    latent_shape: tuple[int, int]
    max_frames: int | None = None  # of a clip; None: any

    def latent_importance(self) -> Tensor:
        """What a whitened unit of each channel (L, C) moves, relative to the mean channel."""
        return torch.ones(self.latent_shape)

    @abstractmethod
    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, each (B, L, C), of features (B, T, 263) with lengths (B,)."""

    @abstractmethod
    def decode(self, latent: Tensor, lengths: Tensor) -> Tensor:
        """Features (B, max(lengths), 263) of latents (B, L, C), zero after each length."""


def frame_mask(lengths: Tensor, frames: int) -> Tensor:
    """(B, frames) bool, True on the frames of each clip."""
    return torch.arange(frames, device=lengths.device)[None] < lengths[:, None]
