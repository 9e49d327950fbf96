# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The contract of the motion heads, and what those that denoise have in common.

Dimensions: B batch, K holders, M width of the hidden states, W width of the condition,
L latent tokens, C channels of each, R repeats.
"""

from __future__ import annotations

import functools
import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.heads.condition import Condition
from mgpt3_ros.model.network.heads.config import HeadConfig
from mgpt3_ros.model.network.heads.network import DenoisingNetwork, Modulations
from mgpt3_ros.model.sampling import SamplingOptions, or_default

MAX_INFERENCE_STEPS = 1000
# Rows whose modulations are computed at once: a product of more gains nothing, and asks for
# memory (46 MB at the paper's width) and for time in which nothing can be stopped.
MODULATED_ROWS = 1024
# One source of noise for a batch, or one for each of its samples, whose noise then is the same
# however the batch is split.
Noise = torch.Generator | Sequence[torch.Generator] | None


class Guidance(NamedTuple):
    """How classifier-free guidance is done.

    hidden: (B, K, M), hidden states without the condition; None for the learned fake condition.
    rescale: 0 to 1, how far a guided prediction is scaled back to the spread that it has without
        guidance (Lin et al. 2023, section 3.4): what guidance exaggerates.
    """

    hidden: Tensor | None = None
    rescale: float = 0.0


class MotionHead(nn.Module, ABC):
    """Draws the latent of a motion from the hidden states at its holders.

    ``loss_terms`` names all that `loss` may return; without the first, nothing is learned.
    A stage may set ``condition_drop``, the share of the samples that see the fake condition, and
    ``importance``, what an error of each channel weighs; a head without such leaves them be.
    """

    loss_terms: ClassVar[tuple[str, ...]]
    importance: Tensor

    def __init__(
        self, config: HeadConfig, latent_shape: tuple[int, int], holders: int, hidden_width: int
    ) -> None:
        super().__init__()
        self.config = config
        self.latent_shape = latent_shape
        self.channels = latent_shape[0] * latent_shape[1]
        self.condition = Condition(config, holders, hidden_width)
        self.condition_drop = 0.0 if self.condition.fake is None else config.condition_drop
        # Of a motion's whitened components, the first say what is done and the last are noise.
        self.register_buffer('importance', torch.ones(self.channels), persistent=False)

    def counts(self, target: Tensor) -> dict[str, int]:
        """Over how many items each of ``loss_terms`` is the mean, for targets (B, L, C)."""
        return dict.fromkeys(self.loss_terms, len(target))

    @abstractmethod
    def loss(self, target: Tensor, hidden: Tensor, generator: Noise = None) -> dict[str, Tensor]:
        """Return the named scalar loss terms, weights applied.

        Args:
            target: (B, L, C) latents to learn.
            hidden: (B, K, M) hidden states at their holders.
            generator: source of times, noise and dropped conditions, or one for each sample.
        """

    @torch.no_grad()
    def sample(
        self,
        hidden: Tensor,
        sampling: SamplingOptions | None = None,
        guidance: Guidance | None = None,
        noise: Noise = None,
    ) -> Tensor:
        """Draw latents (B, L, C), in the device and dtype of ``hidden``.

        Args:
            hidden: (B, K, M) hidden states at the holders.
            sampling: its numbers that are None are as configured.
            guidance: what the scale leads away from; None for the fake condition.
            noise: a source for each sample, in place of that of ``sampling``.

        Raises:
            Cancelled: ``should_stop`` returned True.
            ConfigError: an impossible number of steps, or guidance without a fake condition.
        """
        sampling = sampling or SamplingOptions()
        source = or_default(noise, or_default(sampling.generators, sampling.generator))
        return self.draw_latents(hidden, sampling, guidance or Guidance(), source).to(hidden.dtype)

    @abstractmethod
    def draw_latents(
        self, hidden: Tensor, sampling: SamplingOptions, guidance: Guidance, source: Noise
    ) -> Tensor:
        """What :meth:`sample` gives, with all that may be left out there filled in."""

    def _check_target(self, target: Tensor) -> None:
        if target.shape[1:] != self.latent_shape:
            raise ConfigError(
                f'latents of shape {tuple(target.shape)} do not fit a head built for '
                f'(B, {self.latent_shape[0]}, {self.latent_shape[1]})'
            )


class Draw(NamedTuple):
    """What chance decides in one training step, for R * B pairs (pair r * B + b is sample b)."""

    time: Tensor  # (R*B,)
    noise: Tensor  # (R*B, L, C)
    dropped: Tensor  # (R*B,) bool: sees the fake condition


class Denoising(NamedTuple):
    """What a sampler is given: latents and noise are (B, L*C), steps count from 0."""

    predict: Callable[[Tensor, int], Tensor]  # from a latent at a step, what `mix` wants
    draw_noise: Callable[[], Tensor]
    num_steps: int
    begin_step: Callable[[int], None]  # called before each
    temperature: float


class DenoisingHead(MotionHead):
    """A head that learns to turn noise into latents. Subclasses say how noise is mixed in.

    Its first loss term is the denoising one; the second is 'regression', if configured, in which
    ``importance`` weighs.
    """

    def __init__(
        self, config: HeadConfig, latent_shape: tuple[int, int], holders: int, hidden_width: int
    ) -> None:
        super().__init__(config, latent_shape, holders, hidden_width)
        zero_init = config.kind == 'flow' if config.zero_init is None else config.zero_init
        self.network = DenoisingNetwork(self.channels, config.width, config.depth, zero_init)
        self.regressor: nn.Linear | None = None
        if config.regression_weight > 0:
            self.regressor = nn.Linear(config.width, self.channels)

    # Training

    def loss(self, target: Tensor, hidden: Tensor, generator: Noise = None) -> dict[str, Tensor]:
        """Return the denoising term and, if configured, the term 'regression'."""
        return self.loss_of(target, hidden, self.draw(target, generator))

    def draw(self, target: Tensor, generator: Noise = None) -> Draw:
        """Draw times, noise and dropped conditions for latents (B, L, C)."""
        if isinstance(generator, Sequence):
            singles = [self._draw(1, each.device, each) for each in generator]
            drawn = Draw(
                *(torch.stack(parts, 1).flatten(0, 1) for parts in zip(*singles, strict=True))
            )
        else:
            device = target.device if generator is None else generator.device
            drawn = self._draw(len(target), device, generator)
        return Draw(
            drawn.time.to(target.device), drawn.noise.to(target), drawn.dropped.to(target.device)
        )

    def _draw(self, samples: int, device: torch.device, generator: torch.Generator | None) -> Draw:
        pairs = self.config.repeats * samples
        time = self._draw_time(pairs, device, generator)
        noise = torch.randn(pairs, *self.latent_shape, device=device, generator=generator)
        chance = torch.rand(pairs, device=device, generator=generator)
        return Draw(time, noise, chance < self.condition_drop)

    def loss_of(self, target: Tensor, hidden: Tensor, draw: Draw) -> dict[str, Tensor]:
        """Return the loss terms for given times, noise and dropped conditions.

        Args:
            target: (B, L, C).
            hidden: (B, K, M).
            draw: times, noise and drops of R * B pairs, for any R.
        """
        self._check_target(target)
        condition = self.condition(hidden)  # (B, W): once, not once per repeat
        repeats = draw.time.shape[0] // target.shape[0]
        paired = condition.repeat(repeats, 1)
        if self.condition.fake is not None:
            # Always computed, so that the fake condition is part of every graph (DDP needs that).
            paired = torch.where(draw.dropped[:, None], self.condition.unconditional(), paired)
        x, wanted = self.mix(target.repeat(repeats, 1, 1), draw.noise, draw.time)
        terms = {self.loss_terms[0]: (self.predict(x, draw.time, paired) - wanted).square().mean()}
        if self.regressor is not None:
            error = self.regressor(condition).float() - target.flatten(1).float()
            weighted = (error.square() * self.importance).mean()
            terms['regression'] = self.config.regression_weight * weighted
        return terms

    def predict(self, x: Tensor, time: Tensor, condition: Tensor) -> Tensor:
        """Predict what `mix` wants from noisy x (B, L, C), time (B,) and condition (B, W)."""
        embedding = self.network.embed_time(self._time_scale() * time)
        return self.network(x.flatten(1), embedding, condition).view_as(x)

    @abstractmethod
    def mix(self, target: Tensor, noise: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return the noisy latent at ``time`` and what the network shall predict from it."""

    @abstractmethod
    def _draw_time(
        self, count: int, device: torch.device, generator: torch.Generator | None
    ) -> Tensor: ...

    def _time_scale(self) -> float:
        """Steps of the time embedding per unit of this head's time."""
        return 1.0

    # Sampling

    def draw_latents(
        self, hidden: Tensor, sampling: SamplingOptions, guidance: Guidance, source: Noise
    ) -> Tensor:
        """Latents (B, L, C); see :meth:`MotionHead.draw_latents`."""
        shape, device = (len(hidden), *self.latent_shape), hidden.device
        sources = source if isinstance(source, Sequence) else [source]
        where = device if sources[0] is None else sources[0].device

        def drawn() -> Tensor:
            if isinstance(source, Sequence):
                return torch.cat(
                    [
                        torch.randn(len(list(rows)), *shape[1:], generator=own, device=where)
                        for own, rows in itertools.groupby(source)
                    ]
                )
            return torch.randn(*shape, generator=source, device=where)

        if where == device:
            return self.denoise(drawn, hidden, sampling, guidance)
        # Drawn elsewhere, the noise of all steps moves at once: a step would wait for its own.
        count = self._noises(self._steps(sampling))
        moved = iter(torch.stack([drawn() for _ in range(count)]).to(device))
        return self.denoise(lambda: next(moved), hidden, sampling, guidance)

    def _steps(self, sampling: SamplingOptions) -> int:
        """How many steps are asked for.

        Raises:
            ConfigError: an impossible number.
        """
        steps = or_default(sampling.num_inference_steps, self.config.num_inference_steps)
        if not 1 <= steps <= MAX_INFERENCE_STEPS:
            raise ConfigError(
                f'num_inference_steps is {steps}; it must lie in 1 to {MAX_INFERENCE_STEPS}'
            )
        return steps

    def _noises(self, steps: int) -> int:
        """How often so many steps draw noise: to start from, and what they add."""
        return 1

    @torch.no_grad()
    def denoise(
        self,
        draw_noise: Callable[[], Tensor],
        hidden: Tensor,
        sampling: SamplingOptions,
        guidance: Guidance | None = None,
    ) -> Tensor:
        """Sample with noise from ``draw_noise``: the start first, then what the steps add.

        ``draw_noise`` returns float32 (B, L, C) on the device of ``hidden``. The other arguments
        are those of `sample`; the result is float32 (B, L, C).
        """
        num_inference_steps = self._steps(sampling)
        guidance_scale = or_default(sampling.guidance_scale, self.config.guidance_scale)
        temperature = or_default(sampling.temperature, self.config.temperature)
        guided, away = guidance_scale != 1.0, guidance or Guidance()
        without = None
        if guided:
            without = self.condition.without() if away.hidden is None else away.hidden
        condition = self.condition(hidden, without)
        times = self._inference_times(num_inference_steps).to(hidden.device)
        modulations = self._modulations(times, condition, len(hidden), guided)

        def predict(x: Tensor, step: int) -> Tensor:
            out = self.network.modulated(torch.cat([x, x]) if guided else x, modulations(step))
            if not guided:
                return out
            real, unconditional = out.chunk(2)
            led = unconditional + guidance_scale * (real - unconditional)
            if away.rescale > 0:
                spread = real.std(dim=-1, keepdim=True) / led.std(dim=-1, keepdim=True)
                led = led * (1 + away.rescale * (spread - 1))
            return led

        def flat_noise() -> Tensor:
            return draw_noise().flatten(1)

        def begin_step(step: int) -> None:
            sampling.check_stop(f'sampling stopped before step {step + 1}')
            if sampling.on_progress is not None and step > 0:
                sampling.on_progress(step / num_inference_steps)

        run = Denoising(predict, flat_noise, num_inference_steps, begin_step, temperature)
        x = self._integrate(run)
        if sampling.on_progress is not None:
            sampling.on_progress(1.0)
        return x.view(-1, *self.latent_shape)

    def _modulations(
        self, times: Tensor, condition: Tensor, count: int, guided: bool
    ) -> Callable[[int], Modulations]:
        """The modulations at each of the times (S,), those of many computed at once.

        ``condition`` holds ``count`` rows and, if ``guided``, those without it: as many, or one.
        """
        together = max(MODULATED_ROWS // len(condition), 1)
        alone = guided and len(condition) != 2 * count

        @functools.lru_cache(maxsize=1)
        def many(first: int) -> Modulations:
            some = self._time_scale() * times[first : first + together]
            return self.network.modulations(self.network.embed_time(some)[:, None], condition)

        def at(step: int) -> Modulations:
            first = step - step % together
            found = many(first)
            rows = [part[:, step - first] for part in (*found.blocks, found.output)]
            if alone:
                rows = [
                    torch.cat([row[:, :count], row[:, count:].expand(-1, count, -1)], dim=1)
                    for row in rows
                ]
            return Modulations(tuple(rows[:-1]), rows[-1])

        return at

    @abstractmethod
    def _inference_times(self, steps: int) -> Tensor:
        """Return the times (steps,) in the order in which sampling visits them."""

    @abstractmethod
    def _integrate(self, run: Denoising) -> Tensor:
        """Go from noise to latents (B, L*C)."""
