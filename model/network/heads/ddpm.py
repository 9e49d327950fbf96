# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's head: denoising diffusion (DDPM) of the latent, with its samplers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mgpt3_ros.model.network.heads.base import Denoising, DenoisingHead
from mgpt3_ros.model.network.heads.config import HeadConfig

TRAIN_STEPS = 1000
BETA_START, BETA_END = 0.00085, 0.012  # linear in beta, in spite of the name "scaled linear"


@dataclass(frozen=True)
class Schedule:
    """A diffusion schedule, possibly over a part of the training steps; arrays are float64.

    Attributes:
        times: (S,) training step of each entry, rising, not always whole.
        betas: (S,) noise variances between neighbouring entries.
        alphas_cumprod: (S,) variance share of the clean latent.
    """

    times: np.ndarray
    betas: np.ndarray
    alphas_cumprod: np.ndarray

    @classmethod
    def linear(cls) -> Schedule:
        """Return the schedule that the head is trained with."""
        betas = np.linspace(BETA_START, BETA_END, TRAIN_STEPS)
        return cls(np.arange(TRAIN_STEPS), betas, np.cumprod(1.0 - betas))

    def respace(self, steps: int) -> Schedule:
        """Return the schedule over ``steps`` entries, evenly spaced from the first to the last.

        One step alone starts where sampling must start: from the noisiest entry.
        """
        last = len(self.times) - 1
        picked = np.round(np.linspace(last if steps == 1 else 0, last, steps)).astype(np.int64)
        return Schedule._of(self.times[picked], self.alphas_cumprod[picked])

    def respace_by_ratio(self, steps: int) -> Schedule:
        """Return the schedule over ``steps`` entries, evenly spaced in the signal's log ratio.

        Their times lie between training steps. One step alone is as in `respace`.
        """
        ratio = self.log_ratio
        picked = np.linspace(ratio[0], ratio[-1], steps) if steps > 1 else ratio[-1:]
        times = np.interp(-picked, -ratio, self.times)  # the ratio falls with time
        return Schedule._of(times, 1.0 / (1.0 + np.exp(-2.0 * picked)))

    @classmethod
    def _of(cls, times: np.ndarray, kept: np.ndarray) -> Schedule:
        return cls(times, 1.0 - kept / np.append(1.0, kept[:-1]), kept)

    @property
    def log_ratio(self) -> np.ndarray:
        """(S,) log of signal over noise, as amplitudes."""
        return 0.5 * np.log(self.alphas_cumprod / (1.0 - self.alphas_cumprod))

    @property
    def alphas_cumprod_before(self) -> np.ndarray:
        """(S,) alphas_cumprod one entry less noisy, 1 before the first."""
        return np.append(1.0, self.alphas_cumprod[:-1])

    @property
    def posterior_mean_coefficients(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights (S,) of the clean and of the noisy latent in the mean of one step back."""
        before, share = self.alphas_cumprod_before, 1.0 - self.alphas_cumprod
        clean = self.betas * np.sqrt(before) / share
        noisy = (1.0 - before) * np.sqrt(1.0 - self.betas) / share
        return clean, noisy

    @property
    def posterior_log_variance(self) -> np.ndarray:
        """(S,) log variance of one step back ("fixed small"), the first as the second.

        The first would be log 0; it is never used, for the last step adds no noise.
        """
        variance = self.betas * (1.0 - self.alphas_cumprod_before) / (1.0 - self.alphas_cumprod)
        variance[0] = variance[1] if len(variance) > 1 else self.betas[0]
        return np.log(variance)


class DdpmHead(DenoisingHead):
    """Predicts the noise in a latent; samples by ancestral DDPM, DDIM (eta 0) or DPM-Solver++."""

    loss_terms = ('diffusion', 'regression')

    def __init__(
        self, config: HeadConfig, latent_shape: tuple[int, int], holders: int, hidden_width: int
    ) -> None:
        super().__init__(config, latent_shape, holders, hidden_width)
        self.schedule = Schedule.linear()
        kept = torch.from_numpy(self.schedule.alphas_cumprod)
        self.register_buffer('signal', kept.sqrt().float(), persistent=False)
        self.register_buffer('noisiness', (1.0 - kept).sqrt().float(), persistent=False)

    def mix(self, target: Tensor, noise: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return the noisy latent at training steps time (B,) int64, and the noise."""
        signal = self.get_buffer('signal')[time, None, None]
        noisiness = self.get_buffer('noisiness')[time, None, None]
        return signal * target + noisiness * noise, noise

    def _draw_time(
        self, count: int, device: torch.device, generator: torch.Generator | None
    ) -> Tensor:
        return torch.randint(TRAIN_STEPS, (count,), device=device, generator=generator)

    def _noises(self, steps: int) -> int:
        return steps if self.config.sampler == 'ddpm' else 1

    def _inference_times(self, steps: int) -> Tensor:
        return torch.from_numpy(self._inference_schedule(steps).times[::-1].copy())

    def _inference_schedule(self, steps: int) -> Schedule:
        by_ratio = self.config.sampler == 'dpm-solver++'
        return self.schedule.respace_by_ratio(steps) if by_ratio else self.schedule.respace(steps)

    def _integrate(self, run: Denoising) -> Tensor:
        schedule = self._inference_schedule(run.num_steps)
        if self.config.sampler == 'dpm-solver++':
            return _solve(run, schedule)
        ancestral = self.config.sampler == 'ddpm'
        kept, before = schedule.alphas_cumprod, schedule.alphas_cumprod_before
        clean_weight, noisy_weight = schedule.posterior_mean_coefficients
        deviation = run.temperature * np.exp(0.5 * schedule.posterior_log_variance)
        x = run.draw_noise()
        if not ancestral:
            x = run.temperature * x
        for step in range(run.num_steps):
            run.begin_step(step)
            i = run.num_steps - 1 - step  # from the noisiest entry to the first
            noise = run.predict(x, step)
            clean = (x - float(np.sqrt(1.0 - kept[i])) * noise) / float(np.sqrt(kept[i]))
            if not ancestral:
                x = float(np.sqrt(before[i])) * clean + float(np.sqrt(1.0 - before[i])) * noise
                continue
            x = float(clean_weight[i]) * clean + float(noisy_weight[i]) * x
            if i > 0:
                x = x + float(deviation[i]) * run.draw_noise()
        return x


def _solve(run: Denoising, schedule: Schedule) -> Tensor:
    """DPM-Solver++ 2M (Lu et al. 2022, arXiv 2211.01095, algorithm 2), from noise to latents.

    With signal a, noisiness s and l = log(a / s), a step from entry i to i - 1 of width
    h = l[i - 1] - l[i] is  x <- s[i - 1] / s[i] x - a[i - 1] (exp(-h) - 1) d, where d is the
    predicted clean latent, led on along its change since the step before. The last x is d itself.
    """
    signal, noisiness = np.sqrt(schedule.alphas_cumprod), np.sqrt(1.0 - schedule.alphas_cumprod)
    log_ratio = schedule.log_ratio
    x = run.temperature * run.draw_noise()
    last: Tensor | None = None
    for step in range(run.num_steps):
        run.begin_step(step)
        i = run.num_steps - 1 - step
        clean = (x - float(noisiness[i]) * run.predict(x, step)) / float(signal[i])
        if i == 0:
            return clean
        width, led = log_ratio[i - 1] - log_ratio[i], clean
        if last is not None:
            led = clean + float(0.5 * width / (log_ratio[i] - log_ratio[i + 1])) * (clean - last)
        x = float(noisiness[i - 1] / noisiness[i]) * x
        x = x - float(signal[i - 1] * np.expm1(-width)) * led
        last = clean
    return x
