# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How near the samplers of heads come to the exact way of a noise."""

from __future__ import annotations

import math

import pytest
import torch

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.heads import HeadConfig
from mgpt3_ros.model.network.heads.base import Denoising
from tests.support.heads import B, C, K, L, M, numbers, small_head

MEAN, SPREAD = 0.7, 0.3  # of made-up latents, normal, for which the best prediction is known


def error_on_normal(kind: str, sampler: str, steps: int) -> float:
    """How far a sampler ends from where the exact way of its noise ends."""
    head, hidden = small_head(kind=kind, sampler=sampler), numbers(1, B, K, M)
    times = head._inference_times(steps)
    start = numbers(2, B, L * C)

    def predict(x: torch.Tensor, step: int) -> torch.Tensor:
        if kind == 'flow':
            t = float(times[step])
            deviation = math.sqrt((1 - t) ** 2 + (t * SPREAD) ** 2)
            z = (x - t * MEAN) / deviation
            return MEAN + (t * SPREAD**2 - (1 - t)) / deviation * z
        schedule = head._inference_schedule(steps)  # type: ignore[union-attr]
        kept = float(schedule.alphas_cumprod[::-1][step])
        variance = kept * SPREAD**2 + 1 - kept
        return math.sqrt(1 - kept) * (x - math.sqrt(kept) * MEAN) / variance

    run = Denoising(predict, lambda: start, steps, lambda step: None, 1.0)
    z = start
    if kind == 'ddpm':
        kept = float(head.schedule.alphas_cumprod[-1])  # type: ignore[union-attr]
        z = (start - math.sqrt(kept) * MEAN) / math.sqrt(kept * SPREAD**2 + 1 - kept)
    assert len(hidden) == B
    return float((head._integrate(run) - (MEAN + SPREAD * z)).abs().max())


@pytest.mark.parametrize(
    ('kind', 'plain', 'better'), [('ddpm', 'ddim', 'dpm-solver++'), ('flow', 'euler', 'heun')]
)
def test_samplers_near_the_exact_way_by_their_order(kind: str, plain: str, better: str) -> None:
    first, second = ([error_on_normal(kind, s, n) for n in (5, 20)] for s in (plain, better))
    assert 2 < first[0] / first[1] < 6
    assert second[0] / second[1] > 8
    assert second[1] < 0.1 * first[1]


@pytest.mark.parametrize(('kind', 'sampler'), [('ddpm', 'heun'), ('flow', 'dpm-solver++')])
def test_a_sampler_of_the_other_kind_is_refused(kind: str, sampler: str) -> None:
    with pytest.raises(ConfigError, match=f"kind '{kind}' has"):
        HeadConfig(kind=kind, sampler=sampler)
