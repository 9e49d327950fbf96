# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A real walk for files of motion: the shipped model's."""

from __future__ import annotations

import pytest
import torch

from mgpt3_ros.model import MotionGPT3
from mgpt3_ros.model.motion import Motion


@pytest.fixture(scope='package')
def walk() -> Motion:
    model = MotionGPT3.from_pretrained(device='cpu')
    return model.generate(
        'a person walks forward and turns left', 5.0, generator=torch.Generator().manual_seed(1)
    )
