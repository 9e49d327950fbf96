# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers and weights that are the same everywhere, for golden values."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import Tensor, nn


def numbers(seed: int, *shape: int) -> Tensor:
    """Standard normal float32 numbers."""
    return torch.from_numpy(np.random.RandomState(seed).standard_normal(shape).astype('float32'))


def fill_by_name(module: nn.Module, scale: float = 0.2) -> None:
    """Give each parameter values that depend on nothing but its name and shape."""
    with torch.no_grad():
        for name, weight in module.named_parameters():
            weight.copy_(scale * numbers(zlib.crc32(name.encode()), *weight.shape))
            if weight.dim() == 1 and name.endswith('weight'):  # of a norm
                weight += 1
