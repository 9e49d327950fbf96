# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trains some steps and keeps the gradients: in two processes and, to compare, in one."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from torch import Tensor

from mgpt3_ros.training import stages
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.sharding import gathered
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
    'stages.t2m.start_from=align',
)
STAGES = ('vae', 'align')
STOPPED = 't2m'  # this stage is ended by a signal to the second process
STEPS = 4


class RecordingTrainer(Trainer):
    """Keeps the gradients of its steps in ``gradients.pt``."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.seen: list[dict[str, Tensor]] = []
        self.optimizer.optimizer.register_step_pre_hook(self.record)

    def record(self, *_: object) -> None:
        """Keep the gradients that the optimiser is about to use."""
        grads = {n: p.grad for n, p in self.trained.items() if p.grad is not None}
        self.seen.append({name: gathered(grad).clone() for name, grad in grads.items()})

    def _train_step(self) -> dict[str, float]:
        rank, name = self.accelerator.process_index, self.folder.name
        if os.environ.get('DIES') == f'{name} {self.step} {rank}':
            os.kill(os.getpid(), signal.SIGKILL)
        if self.folder.name == STOPPED and self.accelerator.process_index == 1 and self.step == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return super()._train_step()

    def run(self) -> None:
        """Train, then write the gradients."""
        super().run()
        if self.accelerator.is_main_process:
            torch.save(self.seen, self.folder / 'gradients.pt')


def train(
    preset: Path, pack: Path, output: Path, batch_size: int, *settings: str, signals: bool = True
) -> None:
    """Train the VAE and a stage with all tasks, with a batch of this size in each process.

    ``DIES="align 3 1"`` in the environment: rank 1 kills itself in step 3 of that stage. With
    ``signals`` several processes go on to a stage that a signal ends. ``settings`` are of optim.
    """
    # Without clipping and with a small rate: Adam's first steps enlarge rounding errors. Where the
    # gradients of a batch nearly cancel out, rounding alone is more than 1e-6 of the largest that
    # is left; with this seed they do in none.
    options = (
        f'batch_size={batch_size}',
        f'steps={STEPS}',
        'clip_norm=0',
        'seed=3',
        'learning_rate=1e-5',
        *settings,
    )
    sizes = [f'stages.{stage}.optim.{o}' for stage in (*STAGES, STOPPED) for o in options]
    config = load_run_config(preset, (*OVERRIDES, *sizes))
    stages.Trainer = RecordingTrainer  # type: ignore[misc]
    try:
        for stage in STAGES:
            stages.run_stage(stage, config, pack, output, 'cpu')
        if signals and PartialState().num_processes > 1:
            with contextlib.suppress(KeyboardInterrupt):
                stages.run_stage(STOPPED, config, pack, output, 'cpu')
    finally:
        stages.Trainer = Trainer  # type: ignore[misc]


if __name__ == '__main__':  # as `accelerate launch -m` starts it
    given, size, *more = sys.argv[1:4], sys.argv[4], *sys.argv[5:]
    train(*map(Path, given), int(size), *more, signals=False)
