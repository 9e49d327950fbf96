# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""On a GPU nothing waits or is sent per sample, token or step: counted by a stand-in for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import torch

from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network import decoding
from mgpt3_ros.model.network.decoding import DecodingConfig, write_text
from mgpt3_ros.model.sampling import SamplingOptions, noise_source
from tests.support.tiny import swinging_motion, tiny_model
from tests.support.waits import Waits


def waits(work: Callable[[], object]) -> Counter[str]:
    work()  # what is made once, such as a table of a length, is no matter
    with Waits() as seen:
        work()
    return seen.counts


def test_the_stand_in_sees_what_waits_and_what_is_sent() -> None:
    numbers = torch.arange(4.0)

    def work() -> None:
        if numbers.sum() > 3:
            numbers[numbers > 1].tolist()
        torch.tensor([1.0]).to('cpu')
        numbers.to(torch.float64)

    found = waits(work)
    assert found == {'__bool__': 1, '__getitem__': 1, 'tolist': 1, 'tensor': 1, 'to': 1}


@pytest.fixture
def model() -> MotionGPT3:
    return tiny_model(decoding=DecodingConfig(max_tokens=8))


def latents(model: MotionGPT3, rows: int, steps: int) -> Callable[[], object]:
    """Draw latents of some rows; each with a source of its own."""
    hidden = torch.zeros(rows, model.config.network.holders, model.network.backbone.motion_width)
    noise = [noise_source(row) for row in range(rows)]
    options = SamplingOptions(num_inference_steps=steps)
    return lambda: model.network.head.sample(hidden, options, noise=noise)


def test_no_wait_per_step_or_sample_of_the_head(model: MotionGPT3) -> None:
    one = waits(latents(model, 1, 2))
    assert waits(latents(model, 4, 2)).total() - one.total() <= 3 * 0
    assert waits(latents(model, 1, 9)) == one
