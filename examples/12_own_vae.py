#!/usr/bin/env python3
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion VAE of one's own, named in the configuration by its import path: two recurrent nets.

PYTHONPATH=examples python examples/12_own_vae.py PACK runs/own_vae --steps 400
"""

import argparse

import torch
from torch import Tensor, nn

from mgpt3_ros.model.network.vae.base import MotionVae, frame_mask
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.stages import run_stage


class RecurrentVae(MotionVae):
    """A GRU reads the frames; another writes them from the latent and the share of time gone by.

    It has the loss term 'kl' of every `MotionVae`, and its latents are whitened after training.
    """

    max_frames = 200

    def __init__(self, latent_dim: int = 64, width: int = 128) -> None:
        super().__init__()
        self.latent_shape = (1, latent_dim)
        self.reader = nn.GRU(263, width, batch_first=True)
        self.moments = nn.Linear(width, 2 * latent_dim)
        self.writer = nn.GRU(latent_dim + 1, width, batch_first=True)
        self.frame = nn.Linear(width, 263)

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, each (B, 1, C), of normalised features (B, T, 263)."""
        states, _ = self.reader(features)
        last = states[torch.arange(len(states)), lengths - 1]  # what is beyond was not yet read
        mean, logvar = self.moments(last)[:, None].chunk(2, dim=-1)
        return mean, logvar.clamp(-10, 10)

    def decode(self, latent: Tensor, lengths: Tensor) -> Tensor:
        """Normalised features (B, max(lengths), 263) of latents (B, 1, C)."""
        frames = int(lengths.max())
        gone = torch.arange(frames, device=latent.device)[None] / lengths[:, None]
        told = torch.cat([latent.expand(-1, frames, -1), gone[..., None].to(latent)], dim=-1)
        states, _ = self.writer(told)
        return self.frame(states) * frame_mask(lengths, frames)[..., None]


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='Train a model with this VAE.')
    parser.add_argument('data', help='folder of a pack, or in the layout of HumanML3D')
    parser.add_argument('output', help='run folder')
    parser.add_argument('--steps', type=int, default=600)
    parser.add_argument('overrides', nargs='*', metavar='key=value', help='as of mgpt3 train')
    arguments = parser.parse_intermixed_args()
    steps = [f'stages.{stage}.optim.steps={arguments.steps}' for stage in ('vae', 'text')]
    run = load_run_config(
        'small',
        (
            'model.network.vae.kind=12_own_vae:RecurrentVae',
            'model.network.vae.options={latent_dim: 64, width: 128}',
            'stages.vae.losses.kl=1.0e-4',
            *steps,
            *arguments.overrides,
        ),
    )
    for stage in ('vae', 'text'):
        folder = run_stage(stage, run, arguments.data, arguments.output)
    print(f'mgpt3 generate "..." --checkpoint {folder} -o motion.bvh')
