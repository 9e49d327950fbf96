# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small model of the stream form beside a tiny Llama whose vocabulary has the marks of turns."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.stream_network import StreamNetwork
from tests.support.seeded import fill_by_name
from tests.support.streams import small_model
from tests.support.tiny import SENTENCES
from tests.support.tiny_llama import LLAMA, SIZES, save_talking_words


def talking_model(folder: Path) -> MotionGPT3:
    """Untrained; its tokenizer is saved in ``folder``. It was not taught to begin motions."""
    base = small_model()
    sizes = {**SIZES, 'llama': LLAMA, 'motion_width': 8, 'n_positions': 300}
    backbone = dataclasses.replace(base.config.network.backbone, vocab_size=302, **sizes)  # type: ignore[arg-type]
    network = StreamNetwork(dataclasses.replace(base.config.network, backbone=backbone))
    fill_by_name(network.backbone, 0.4)
    network.vae.load_state_dict(base.network.vae.state_dict())
    network.rest.copy_(base.network.rest)
    assert network.backbone.marker_logits is not None
    torch.nn.init.zeros_(network.backbone.marker_logits)
    config = dataclasses.replace(base.config, network=network.config, redraws=None)
    return MotionGPT3(config, network, save_talking_words(folder, SENTENCES), base.stats)
