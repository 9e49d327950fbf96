# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How motions are drawn: the options of every drawing call, and noise that has a source."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict, TypeVar

import torch
from torch import Tensor

from mgpt3_ros.model.errors import Cancelled, ConfigError

ShouldStop = Callable[[], bool]
OnProgress = Callable[[float], None]
T = TypeVar('T')


@dataclass(frozen=True)
class SamplingOptions:
    """How a motion is drawn; None leaves a number to the checkpoint.

    guidance_scale: strength of classifier-free guidance; 1 is none.
    num_inference_steps: steps of the sampler, 1 to 1000.
    temperature: scales the noise; 0 draws the likeliest, as far as a head knows it.
    generator: source of the noise, of any device; the same seed gives the same motion.
    generators: one for each motion of a batch in its place, so that each is drawn as if alone;
        motions that were asked for together have the same one. Not for words and codes.
    should_stop: polled at each step; True ends the call with ``Cancelled``.
    on_progress: told the share that is done, 0 to 1, after each step.

    Raises:
        ConfigError: a number is not finite.
    """

    guidance_scale: float | None = None
    num_inference_steps: int | None = None
    temperature: float | None = None
    generator: torch.Generator | None = None
    should_stop: ShouldStop | None = None
    on_progress: OnProgress | None = None
    generators: Sequence[torch.Generator] | None = None

    def __post_init__(self) -> None:
        for name in ('guidance_scale', 'temperature'):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise ConfigError(f'{name} must be a finite number, got {value}')

    def check_stop(self, message: str) -> None:
        """End the call if that is wanted.

        Raises:
            Cancelled: ``should_stop`` says so.
        """
        if self.should_stop is not None and self.should_stop():
            raise Cancelled(message)


class SamplingKeywords(TypedDict, total=False):
    """The fields of :class:`SamplingOptions` as keywords of a call, for type checkers."""

    guidance_scale: float | None
    num_inference_steps: int | None
    temperature: float | None
    generator: torch.Generator | None
    should_stop: ShouldStop | None
    on_progress: OnProgress | None
    generators: Sequence[torch.Generator] | None


def sampling_of(sampling: SamplingOptions | None, changes: SamplingKeywords) -> SamplingOptions:
    """The options of a call: those of ``sampling``, changed by the call's keywords."""
    return replace(sampling or SamplingOptions(), **changes)


def or_default(value: T | None, default: T) -> T:
    """``value``, or the default where it is None."""
    return default if value is None else value


def noise_source(seed: int) -> torch.Generator:
    """Return a source of noise on the CPU, whose stream no device changes."""
    return torch.Generator().manual_seed(seed)


def draw_noise(
    shape: Sequence[int], generator: torch.Generator | None, device: torch.device
) -> Tensor:
    """Standard normal numbers in float32 on ``device``.

    torch draws with a generator on the generator's own device alone: there, then moved.
    """
    source = device if generator is None else generator.device
    drawn = torch.randn(*shape, generator=generator, device=source)
    return drawn if source == device else drawn.to(device)
