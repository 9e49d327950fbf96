# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The baseline without a generative head: the latent is regressed (paper Tab. 14 H)."""

from __future__ import annotations

from torch import Tensor, nn

from mgpt3_ros.model.network.heads.base import Guidance, MotionHead, Noise
from mgpt3_ros.model.network.heads.config import HeadConfig
from mgpt3_ros.model.sampling import SamplingOptions


class RegressionHead(MotionHead):
    """A linear map from the condition to the latent, trained with the squared error.

    It has nothing to draw: one text gives one motion, the mean of all that fit. Its only term is
    'regression', with weight 1.
    """

    loss_terms = ('regression',)

    def __init__(
        self, config: HeadConfig, latent_shape: tuple[int, int], holders: int, hidden_width: int
    ) -> None:
        super().__init__(config, latent_shape, holders, hidden_width)
        self.regressor = nn.Linear(config.width, self.channels)

    def loss(self, target: Tensor, hidden: Tensor, generator: Noise = None) -> dict[str, Tensor]:
        """Return the mean squared error of the latents (B, L, C) as the term 'regression'."""
        self._check_target(target)
        error = self.regressor(self.condition(hidden)).float() - target.flatten(1).float()
        return {'regression': error.square().mean()}

    def draw_latents(
        self, hidden: Tensor, sampling: SamplingOptions, guidance: Guidance, source: Noise
    ) -> Tensor:
        """Return the latents (B, L, C); nothing that concerns noise has an effect."""
        sampling.check_stop('sampling stopped before it began')
        latent = self.regressor(self.condition(hidden)).view(-1, *self.latent_shape)
        if sampling.on_progress is not None:
            sampling.on_progress(1.0)
        return latent
