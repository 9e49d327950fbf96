#!/usr/bin/env python3
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion head of one's own, named in the configuration by its import path: a Gaussian.

PYTHONPATH=examples python examples/11_own_head.py PACK runs/own_head --steps 200
"""

import argparse

from torch import Tensor, nn

from mgpt3_ros.model.network.heads.base import Guidance, MotionHead, Noise
from mgpt3_ros.model.sampling import SamplingOptions, draw_noise, or_default
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.stages import run_stage


class GaussianHead(MotionHead):
    """Mean and log-deviation of each latent, from the condition; term 'likelihood' is learned."""

    loss_terms = ('likelihood',)

    def __init__(self, config, latent_shape, holders, hidden_width):
        super().__init__(config, latent_shape, holders, hidden_width)
        self.out = nn.Linear(config.width, 2 * self.channels)
        self.least = config.options.get('least_deviation', 0.1)

    def gaussian(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation (B, L, C) for the hidden states (B, K, M) at the holders."""
        mean, log = self.out(self.condition(hidden)).chunk(2, dim=1)
        deviation = self.least + log.exp()
        return mean.unflatten(1, self.latent_shape), deviation.unflatten(1, self.latent_shape)

    def loss(self, target: Tensor, hidden: Tensor, generator: Noise = None) -> dict[str, Tensor]:
        """The negative log-likelihood of latents (B, L, C), per channel."""
        mean, deviation = self.gaussian(hidden)
        error = (target - mean) / deviation
        return {'likelihood': (0.5 * error.square() + deviation.log()).mean()}

    def draw_latents(
        self, hidden: Tensor, sampling: SamplingOptions, guidance: Guidance, source: Noise
    ) -> Tensor:
        """Draw latents (B, L, C)."""
        mean, deviation = self.gaussian(hidden)
        drawn = draw_noise(mean.shape, source, mean.device)
        return mean + or_default(sampling.temperature, self.config.temperature) * deviation * drawn


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='Train a model with this head.')
    parser.add_argument('data', help='folder of a pack, or in the layout of HumanML3D')
    parser.add_argument('output', help='run folder')
    parser.add_argument('--steps', type=int, default=600)
    parser.add_argument('overrides', nargs='*', metavar='key=value', help='as of mgpt3 train')
    arguments = parser.parse_intermixed_args()
    run = load_run_config(
        'small',
        (
            'model.network.head.kind=11_own_head:GaussianHead',
            'model.network.head.options={least_deviation: 0.05}',
            f'stages.text.optim.steps={arguments.steps}',
            'stages.vae.optim.steps=1',
            *arguments.overrides,
        ),
    )
    for stage in ('vae', 'text'):
        folder = run_stage(stage, run, arguments.data, arguments.output)
    print(f'mgpt3 generate "..." --checkpoint {folder} -o motion.bvh')
