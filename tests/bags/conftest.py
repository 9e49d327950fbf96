# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests about bags: motions of the shipped checkpoint, and messages of them."""

from __future__ import annotations

import pytest
import torch

from mgpt3_ros.cli import options
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from tests.support.bag_maker import BEGAN_NS, SECOND, Messages, remark, stream


@pytest.fixture(scope='session')
def model() -> MotionGPT3:
    """The shipped checkpoint."""
    return MotionGPT3.from_pretrained(device='cpu')


@pytest.fixture(autouse=True)
def loaded_once(model: MotionGPT3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, 'load_model', lambda _: model)


@pytest.fixture(scope='session')
def motions(model: MotionGPT3) -> tuple[Motion, Motion]:
    """A person who waves, and one who runs: 6 s each, drawn by the shipped checkpoint."""
    texts = ['a person waves with both hands', 'a person runs fast']
    drawn = model.generate(texts, [6.0, 6.0], generator=torch.Generator().manual_seed(0))
    return drawn[0], drawn[1]


@pytest.fixture(scope='session')
def messages(motions: tuple[Motion, Motion]) -> Messages:
    """The one at 50 Hz, four seconds of silence, the other at 100 Hz and in another order."""
    wave, run = motions
    later = BEGAN_NS + 10 * SECOND
    return [
        *(remark(BEGAN_NS, 'hello'), *stream(wave)),
        *stream(run, later, rate=100.0, shuffled=True),
    ]
