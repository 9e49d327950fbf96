# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Made-up bodies in motion and a small network of the stream form, for tests without data."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mgpt3_ros.model.kinematics.ground_frame import bone_lengths, with_bones
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.backbone_config import BackboneConfig
from mgpt3_ros.model.network.heads import HeadConfig
from mgpt3_ros.model.network.network import NetworkConfig
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.model.network.vae import ChunkConfig, VaeConfig
from mgpt3_ros.model.pipelines.config import MotionGPT3Config
from tests.support.tiny import rest_pose

WORDS = 20


def standing() -> Tensor:
    """A T pose (22, 3) [m] with the feet on the floor."""
    placed = rest_pose()
    placed[:, 1] -= placed[:, 1].min()
    return torch.from_numpy(placed).float()


def moving(count: int, frames: int, seed: int = 0) -> Tensor:
    """Bodies (B, T, 22, 3) [m] that sway, walk and turn, each in its own way."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames)[None, :, None, None] / 20
    phase = rng.uniform(0, 6.3, (count, 1, 22, 3))
    pace = rng.uniform(0.3, 1.2, (count, 1, 22, 3))
    sway = 0.08 * np.sin(2 * np.pi * pace * time + phase)
    joints = with_bones(
        standing() + torch.from_numpy(sway).float(), bone_lengths(standing()).expand(1, 1, -1)
    )
    yaw = torch.from_numpy(rng.uniform(-0.5, 0.5, (count, 1)) * time[..., 0, 0]).float()
    cos, sin = yaw.cos()[..., None], yaw.sin()[..., None]
    x, y, z = joints.unbind(-1)
    turned = torch.stack([x * cos + z * sin, y, z * cos - x * sin], dim=-1)
    way = torch.zeros(count, frames, 1, 3)
    way[..., 0, 2] = torch.from_numpy(rng.uniform(0, 1.2, (count, 1)) * time[..., 0, 0]).float()
    turned = turned + way
    turned[..., 1] -= turned[..., 1].amin(dim=(1, 2))[:, None, None]
    return turned


def small_network(look_back: int = 3, seed: int = 0) -> StreamNetwork:
    """A network whose codec is fitted to :func:`moving`, with random weights that speak."""
    torch.manual_seed(seed)
    head = HeadConfig(
        kind='flow', width=16, depth=1, aggregation='linear', dropout=0.0, condition_drop=0.0,
        repeats=1, regression_weight=0.5, num_inference_steps=2, guidance_scale=1.0,
        zero_init=False,
    )  # fmt: skip
    network = StreamNetwork(
        NetworkConfig(
            BackboneConfig(
                WORDS, n_positions=12, n_embd=16, n_layer=2, n_head=2, dropout=0.0, init_std=0.2,
                look_back=look_back,
            ),
            VaeConfig('chunk', chunk=ChunkConfig(latent_dim=6)),
            head,
        )
    )  # fmt: skip
    torch.nn.init.normal_(network.backbone.motion.distance)
    network.vae.fit(moving(40, 10))  # type: ignore[operator]
    network.rest.copy_(standing().expand(2, -1, -1))
    return network.eval()


def small_model() -> MotionGPT3:
    """A model of the stream form with a vocabulary of its own, untrained."""
    tokenizer = MotionTokenizer.train(['walk', 'wave', 'a person stands still.'], 300)
    small = small_network()
    backbone = dataclasses.replace(
        small.config.backbone, vocab_size=tokenizer.vocab_size, n_positions=64
    )
    config = dataclasses.replace(small.config, backbone=backbone)
    torch.manual_seed(2)
    network = StreamNetwork(config)
    network.vae.load_state_dict(small.vae.state_dict())
    network.rest.copy_(small.rest)
    return MotionGPT3(
        MotionGPT3Config(config, name='small', min_frames=8, max_frames=400),
        network,
        tokenizer,
        FeatureStats(np.zeros(263, np.float32), np.ones(263, np.float32)),
    )


def save_calm_model(folder: Path) -> Path:
    """Write :func:`small_model` as a checkpoint folder; drawn at a low temperature, it sways."""
    model = small_model()
    stream = dataclasses.replace(model.config.stream, temperature=0.1)
    config = dataclasses.replace(model.config, stream=stream)
    with torch.no_grad():
        for parameter in model.network.head.parameters():
            parameter.mul_(0.1)
    MotionGPT3(config, model.network, model.tokenizer, model.stats).save_pretrained(folder)
    return folder
