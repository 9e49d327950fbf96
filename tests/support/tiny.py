# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small made-up motions and an untrained model that is whole, for tests that need one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from mgpt3_ros.model.config import from_dict
from mgpt3_ros.model.kinematics.features import joints_to_features
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES, PARENTS, REST_OFFSETS
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.model.network.vae.trunk import TrunkVae
from mgpt3_ros.model.pipelines.config import MotionGPT3Config

SENTENCES = [
    'a person walks forward.',
    'someone waves the left hand.',
    'the man raises both arms above the head.',
    'a figure turns to the right while walking.',
]


def rest_pose() -> np.ndarray:
    """A T pose (22, 3) [m], its pelvis at the origin."""
    pose = np.zeros((22, 3))
    for joint, parent in enumerate(PARENTS[1:], start=1):
        pose[joint] = pose[parent] + REST_OFFSETS[joint]
    return pose


def swinging_motion(seed: int, frames: int = 60, speed: float = 1.0) -> np.ndarray:
    """Joints (frames, 22, 3) of a figure whose arms swing while it glides along +Z."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames) / 20
    joints = np.zeros((frames, 22, 3))
    swing = {name: rng.uniform(0.2, 0.6) for name in ('left_elbow', 'right_elbow', 'left_knee')}
    phase = rng.uniform(0, 2 * np.pi)
    for index, name in enumerate(JOINT_NAMES):
        parent = PARENTS[index]
        offset = np.broadcast_to(REST_OFFSETS[index], (frames, 3)).copy()
        if name in swing:
            angle = swing[name] * np.sin(4 * time + phase)
            y, z = offset[:, 1].copy(), offset[:, 2].copy()
            offset[:, 1] = y * np.cos(angle) - z * np.sin(angle)
            offset[:, 2] = y * np.sin(angle) + z * np.cos(angle)
        joints[:, index] = offset if parent < 0 else joints[:, parent] + offset
    joints[..., 2] += (speed * time)[:, None]
    joints[..., 1] -= joints[..., 1].min()
    return joints.astype(np.float32)


def tiny_config(vocab_size: int, **changes: object) -> MotionGPT3Config:
    """Configuration of a model of width 16; ``changes`` replace top-level entries."""
    network = {
        'holders': 2,
        'motion_context': True,
        'backbone': {
            'vocab_size': vocab_size,
            'n_positions': 96,
            'n_embd': 16,
            'n_layer': 2,
            'n_head': 2,
            'dropout': 0.0,
        },
        'vae': {
            'kind': 'trunk',
            'trunk': {'latent_dim': 16, 'steps': 12, 'width': 16, 'layers': 1, 'heads': 2},
        },
        'head': {
            'kind': 'flow',
            'width': 16,
            'depth': 1,
            'dropout': 0.0,
            'regression_weight': 1.0,
            'num_inference_steps': 4,
            'guidance_scale': 1.5,
        },
    }
    return from_dict(
        MotionGPT3Config,
        {'name': 'tiny', 'licence': 'CC0-1.0', 'max_frames': 200, 'network': network, **changes},
    )


def tiny_model(seed: int = 0, **changes: object) -> MotionGPT3:
    """An untrained model whose VAE knows the swinging figure, so that its motions are bodies."""
    torch.manual_seed(seed)
    tokenizer = MotionTokenizer.train(SENTENCES, vocab_size=300)
    config = tiny_config(tokenizer.vocab_size, **changes)
    network = MotionGPT3Network(config.network)
    clips = [
        joints_to_features(swinging_motion(i, 40 + 8 * i, speed=0.2 * i)).astype(np.float32)
        for i in range(10)
    ]
    frames = np.concatenate(clips)
    stats = FeatureStats(
        frames.mean(axis=0).astype(np.float32), (frames.std(axis=0) + 0.05).astype(np.float32)
    )
    assert isinstance(network.vae, TrunkVae)
    network.vae.fit(clips, stats)
    return MotionGPT3(config, network, tokenizer, stats)


def save_tiny_model(folder: Path, seed: int = 0, **changes: object) -> Path:
    """Write the tiny model as a checkpoint folder."""
    tiny_model(seed, **changes).save_pretrained(folder)
    return folder
