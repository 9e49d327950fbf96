# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A text-motion encoder at tiny size, and the overrides that train one."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from mgpt3_ros.model.kinematics.features import joints_to_features
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.training.evaluation.tmr import TextMotionEncoder, TmrConfig, TmrNetwork
from tests.support.tiny import SENTENCES, swinging_motion

SIZES: dict[str, Any] = {
    'latent': 8, 'width': 16, 'heads': 2, 'text_layers': 1, 'motion_layers': 1,
}  # fmt: skip
TMR_OVERRIDES = (
    *(f'tmr.network.{name}={value}' for name, value in SIZES.items()),
    'tmr.optim={steps: 80, batch_size: 12, learning_rate: 0.01, warmup_steps: 5,'
    ' checkpoint_every: 30, log_every: 1}',
)


def tiny_encoder(seed: int = 0, **changes: Any) -> TextMotionEncoder:
    """An untrained encoder of width 16; ``changes`` replace sizes."""
    tokenizer = MotionTokenizer.train(SENTENCES, vocab_size=300)
    config = TmrConfig(tokenizer.vocab_size, **{**SIZES, **changes})
    torch.manual_seed(seed)
    rows = [
        joints_to_features(swinging_motion(i, 40).astype(np.float64)).astype(np.float32)
        for i in range(3)
    ]
    return TextMotionEncoder(
        config, TmrNetwork(config), tokenizer, FeatureStats.of_clips(rows), 'tiny-tmr'
    )
