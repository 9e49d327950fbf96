# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The optimiser's settings, its learning rate, a function of the step, and what has which."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from mgpt3_ros.model.errors import ConfigError


@dataclass(frozen=True)
class OptimConfig:
    """Optimiser and schedule of a stage.

    steps: optimiser steps of the whole stage.
    batch_size: samples per step and process.
    learning_rate: of all but what the module names as ``head_parameters``, which learn at
        ``head_learning_rate``; None for the same rate.
    warmup_steps: linear rise at the beginning; then a cosine down to ``final_rate_share``, which
        is 1 for a constant rate.
    cosine_steps: steps from the beginning to the cosine's end, None for those of the stage. The
        authors stop long before it.
    weight_decay: of matrices; norms, biases and tables (tokens, positions) have none.
    clip_norm: bound on the gradient's norm, 0 for none.
    ema_decay: of the weights that are written, 0 for the last ones.
    accumulate: micro-batches whose gradients make one step.
    precision: 'no' (float32) or 'bf16', with weights in float32.
    prefetch: the batches of the next step are made, and sent, in a thread while this one is
        computed; the losses are the same. None: where a GPU would wait for them.
    onednn: large products and their gradients through oneDNN on a CPU: 'never', 'always', or
        'auto' where that is measured to be faster; results differ by rounding.
    sharded: with several processes, each keeps a part of the trained weights, their gradients,
        moments and average (FSDP); else all of them (DDP). Results are the same.
    """

    steps: int = 1000
    batch_size: int = 64
    learning_rate: float = 1e-3
    head_learning_rate: float | None = None
    warmup_steps: int = 50
    final_rate_share: float = 0.02
    cosine_steps: int | None = None
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.99
    clip_norm: float = 1.0
    ema_decay: float = 0.0
    accumulate: int = 1
    precision: str = 'no'
    prefetch: bool | None = None
    onednn: str = 'auto'
    sharded: bool = False
    checkpoint_every: int = 250
    log_every: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        if self.precision not in ('no', 'bf16'):
            raise ConfigError(f"optim.precision is {self.precision!r}; choose 'no' or 'bf16'")
        if self.onednn not in ('never', 'auto', 'always'):
            raise ConfigError(
                f"optim.onednn is {self.onednn!r}; choose 'never', 'auto' or 'always'"
            )
        for name in ('steps', 'batch_size', 'accumulate', 'checkpoint_every', 'log_every'):
            if getattr(self, name) < 1:
                raise ConfigError(f'optim.{name} is {getattr(self, name)}; it must be at least 1')
        for name in ('learning_rate', 'head_learning_rate'):
            rate = getattr(self, name)
            if rate is not None and not 0 < rate < math.inf:
                raise ConfigError(f'optim.{name} is {rate}; it must be a number above 0')
        for name in ('warmup_steps', 'weight_decay', 'clip_norm', 'final_rate_share'):
            if not 0 <= getattr(self, name) < math.inf:
                raise ConfigError(f'optim.{name} is {getattr(self, name)}; it must be 0 or more')
        for name in ('beta1', 'beta2', 'ema_decay'):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(
                    f'optim.{name} is {getattr(self, name)}; it must be 0 or more, and below 1'
                )

    def prefetches(self, device: str) -> bool:
        """Whether batches are made in a thread, on a device of this type."""
        return device != 'cpu' if self.prefetch is None else self.prefetch

    def rate_share(self, step: int) -> float:
        """The share of the learning rate that a step has, 0 to 1."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        end = self.steps if self.cosine_steps is None else self.cosine_steps
        done = (step - self.warmup_steps) / max(end - self.warmup_steps, 1)
        cosine = 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
        return self.final_rate_share + (1 - self.final_rate_share) * cosine


def parameter_groups(
    module: nn.Module, trained: Mapping[str, nn.Parameter], config: OptimConfig
) -> list[dict[str, Any]]:
    """The groups of an optimiser: what a module names as its head apart, and what decays.

    Args:
        module: what is trained; ``head_parameters``, if it has this method, are its head's.
        trained: its parameters that learn, by name.
        config: gives the rates and the decay.
    """
    of_head = {id(p) for p in getattr(module, 'head_parameters', tuple)()}
    of_tables = {id(m.weight) for m in module.modules() if isinstance(m, nn.Embedding)}
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, p in trained.items():
        # Only what multiplies decays: no norm, no bias, no table that is looked up or added.
        matrix = p.dim() > 1 and name.endswith('weight') and id(p) not in of_tables
        spared = config.weight_decay > 0 and not matrix
        groups.setdefault((id(p) in of_head, spared), []).append(p)
    rates = config.learning_rate, config.head_learning_rate or config.learning_rate
    return [
        {'params': own, 'lr': rates[head], 'weight_decay': 0 if spared else config.weight_decay}
        for (head, spared), own in sorted(groups.items())
    ]
