# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rectified flow: the network learns the straight velocity from noise to latent."""

from __future__ import annotations

import torch
from torch import Tensor

from mgpt3_ros.model.network.heads.base import Denoising, DenoisingHead


class FlowHead(DenoisingHead):
    """Predicts the velocity latent - noise at time t, 0 (noise) to 1; samples as an ODE."""

    loss_terms = ('flow', 'regression')

    def mix(self, target: Tensor, noise: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return the point at time (B,) on the line from noise to target, and its velocity."""
        t = time[:, None, None]
        return torch.lerp(noise, target, t.to(target)), target - noise

    def _draw_time(
        self, count: int, device: torch.device, generator: torch.Generator | None
    ) -> Tensor:
        return torch.rand(count, device=device, generator=generator)

    def _time_scale(self) -> float:
        return 1000.0  # the sinusoids of the time embedding are made for diffusion steps

    def _inference_times(self, steps: int) -> Tensor:
        ends = self.config.sampler == 'heun'  # it looks at the end of the last step, too
        return torch.arange(steps + ends) / steps

    def _integrate(self, run: Denoising) -> Tensor:
        x = run.temperature * run.draw_noise()
        for step in range(run.num_steps):
            run.begin_step(step)
            velocity = run.predict(x, step)
            if self.config.sampler == 'heun':
                ahead = run.predict(x + velocity / run.num_steps, step + 1)
                velocity = 0.5 * (velocity + ahead)
            x = x + velocity / run.num_steps
        return x
