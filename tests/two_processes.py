# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trains some steps and keeps the gradients: run by torchrun and, to compare, in one process.

Usage: python -m tests.two_processes PRESET PACK OUTPUT BATCH_SIZE
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mgpt3_ros.training import stages
from mgpt3_ros.training.trainer import Trainer

EVERYTHING = '[text, motion, markers, holders, duration, head]'
MLD = '{latent_dim: 16, ff_width: 32, layers: 3, heads: 2, dropout: 0}'
OVERRIDES = (
    'model.network.vae.kind=mld',
    f'model.network.vae.mld={MLD}',
    'stages.align.start_from=vae',
    f'stages.align.trained={EVERYTHING}',
    'stages.align.tasks={text: 1, generate: 1, caption: 1, predict: 1, inbetween: 1}',
    'stages.vae.losses.kl=0.01',
)
STAGES = ('vae', 'align')
STEPS = 4


class RecordingTrainer(Trainer):
    """Keeps the gradients of its steps in ``gradients.pt``."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.seen: list[dict[str, Tensor]] = []
        self.optimizer.optimizer.register_step_pre_hook(self.keep)

    def keep(self, *_: object) -> None:
        """Keep the gradients that the optimiser is about to use."""
        self.seen.append(
            {n: p.grad.clone() for n, p in self.trained.items() if p.grad is not None}
        )

    def run(self) -> None:
        """Train, then write the gradients."""
        super().run()
        if self.accelerator.is_main_process:
            torch.save(self.seen, self.folder / 'gradients.pt')


def train(preset: str, pack: str, output: str, batch_size: str) -> None:
    """Train the VAE and a stage with all tasks, with a batch of this size in each process."""
    sizes = [f'stages.{stage}.optim.batch_size={batch_size}' for stage in STAGES]
    # Without clipping and with a small rate: Adam's first steps enlarge rounding errors.
    sizes += [f'stages.{stage}.optim.steps={STEPS}' for stage in STAGES]
    sizes += [f'stages.{stage}.optim.clip_norm=0' for stage in STAGES]
    sizes += [f'stages.{stage}.optim.learning_rate=1e-5' for stage in STAGES]
    config = stages.load_run_config(Path(preset), (*OVERRIDES, *sizes))
    stages.Trainer = RecordingTrainer  # type: ignore[misc]
    try:
        for stage in STAGES:
            stages.run_stage(stage, config, pack, output, 'cpu')
    finally:
        stages.Trainer = Trainer  # type: ignore[misc]


if __name__ == '__main__':
    torch.set_num_threads(1)
    train(*sys.argv[1:])
