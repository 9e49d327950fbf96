# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration of the motion heads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mgpt3_ros.model.errors import ConfigError

_CHOICES = {
    'aggregation': ('attention', 'linear'),
    'fake_start': ('zero', 'random'),
    'sampler': ('ddpm', 'ddim', 'dpm-solver++', 'euler', 'heun'),
}
_SAMPLERS = {'ddpm': ('ddpm', 'ddim', 'dpm-solver++'), 'flow': ('ddpm', 'ddim', 'euler', 'heun')}


@dataclass(frozen=True)
class HeadConfig:
    """A motion head and how it samples. The defaults are those of the paper.

    Attributes:
        kind: 'ddpm', 'flow' or 'regression'; 'codes' where motions are written as such; or the
            import path of a `MotionHead`, such as 'my_package.my_head:Head'.
        options: of a head that is named by its import path, which looks at them itself.
        width: W, channels of the condition and of the denoising network.
        depth: number of residual blocks of the denoising network.
        aggregation: how the K holders become one condition, 'attention' or 'linear'.
        condition_heads: attention heads of that aggregation; must divide the hidden width.
        dropout: dropout inside that aggregation.
        condition_drop: probability that a training sample sees the fake condition instead, which
            classifier-free guidance needs; 0 builds no fake condition.
        fake_start: start of the learned fake condition, 'zero' or 'random' (paper Tab. 14 A, B).
        repeats: time and noise draws per training sample.
        regression_weight: weight of the auxiliary squared error of a linear map from the
            condition to the latent; 0 builds none. (The regression head has no other loss.)
        zero_init: start the network's gates and output at zero. None: only for 'flow', since
            the authors' code does not do it for 'ddpm'.
        sampler: of kind 'ddpm' 'ddpm' (ancestral), 'ddim' (eta 0) or 'dpm-solver++' (second order
            in the predicted latent, multistep); of kind 'flow' 'heun' (second order, the network
            asked twice a step) or 'euler', which 'ddpm' and 'ddim' mean there too.
        num_inference_steps: default number of denoising steps.
        guidance_scale: default classifier-free guidance; 1 is none.
        temperature: scales the noise that is added while sampling ('ddpm' ancestral) or that
            sampling starts from (the others); of 'codes' that of their distribution.
    """

    kind: str = 'ddpm'
    options: dict[str, Any] = field(default_factory=dict)
    width: int = 1024
    depth: int = 3
    aggregation: str = 'attention'
    condition_heads: int = 4
    dropout: float = 0.1
    condition_drop: float = 0.1
    fake_start: str = 'zero'
    repeats: int = 4
    regression_weight: float = 0.0
    zero_init: bool | None = None
    sampler: str = 'ddpm'
    num_inference_steps: int = 100
    guidance_scale: float = 3.0
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigError(
                    f'head.{name} is {getattr(self, name)!r}; choose one of {", ".join(choices)}'
                )
        samplers = _SAMPLERS.get(self.kind, (self.sampler,))
        if self.sampler not in samplers:
            raise ConfigError(
                f'head.sampler is {self.sampler!r}; a head of kind {self.kind!r} has '
                f'{", ".join(samplers)}'
            )
        for name in ('width', 'depth', 'condition_heads', 'repeats', 'num_inference_steps'):
            if getattr(self, name) < 1:
                raise ConfigError(f'head.{name} is {getattr(self, name)}; it must be at least 1')
        for name in ('condition_drop', 'dropout'):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ConfigError(f'head.{name} is {getattr(self, name)}; it must lie in [0, 1)')
        for name in ('regression_weight', 'temperature'):
            if getattr(self, name) < 0.0:
                raise ConfigError(f'head.{name} is {getattr(self, name)}; it must not be negative')
        guided = self.kind in ('ddpm', 'flow')
        if guided and self.condition_drop == 0 and self.guidance_scale != 1:
            raise ConfigError(
                f'head.guidance_scale {self.guidance_scale} needs a fake condition: '
                'set head.condition_drop above 0, or head.guidance_scale to 1'
            )
