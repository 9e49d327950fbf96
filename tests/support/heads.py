# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small motion heads with weights that depend on nothing but their names."""

from __future__ import annotations

import dataclasses
import zlib

import numpy as np
import torch

from mgpt3_ros.model.network.heads import HeadConfig, MotionHead, build_head

B, K, M, L, C = 3, 4, 16, 2, 5
SMALL = HeadConfig(width=24, depth=2, num_inference_steps=8, regression_weight=0.5)


def numbers(seed: int, *shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.RandomState(seed).standard_normal(shape).astype('float32'))


def small_head(**changes) -> MotionHead:
    """A head whose weights depend on nothing but their names and shapes."""
    head = build_head(dataclasses.replace(SMALL, **changes), (L, C), K, M).eval()
    with torch.no_grad():
        for name, weight in head.named_parameters():
            weight.copy_(0.2 * numbers(zlib.crc32(name.encode()), *weight.shape))
    return head


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
