# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One training loop for every stage: resumed at any step, it gives what an unbroken run gives.

A batch is a function of the seed and the step alone, so that resuming needs no state of a loader.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from tqdm import tqdm

from mgpt3_ros.model.errors import MotionGPT3Error


class TrainingError(MotionGPT3Error):
    """Training cannot go on: a loss is not finite, or a run folder does not fit."""


@dataclass(frozen=True)
class OptimConfig:
    """Optimiser and schedule of a stage.

    steps: optimiser steps of the whole stage.
    batch_size: samples per step and process.
    learning_rate: of the backbone; ``head_learning_rate`` of the head and the holders' inputs.
    warmup_steps: linear rise at the beginning; then a cosine down to ``final_rate_share``.
    clip_norm: bound on the gradient's norm, 0 for none.
    ema_decay: of the weights that are written, 0 for the last ones.
    """

    steps: int = 1000
    batch_size: int = 64
    learning_rate: float = 1e-3
    head_learning_rate: float | None = None
    warmup_steps: int = 50
    final_rate_share: float = 0.02
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.99
    clip_norm: float = 1.0
    ema_decay: float = 0.0
    accumulate: int = 1
    precision: str = 'no'
    checkpoint_every: int = 250
    log_every: int = 10
    seed: int = 0


class Trainer:
    """Runs ``loss(step, micro_batch)`` for ``config.steps`` steps, with checkpoints and logs.

    Args:
        module: what is trained; called with the arguments that ``batch`` returns, it gives a
            dictionary of named loss terms.
        batch: ``(step, micro_step, device) -> arguments`` of the module, a function of nothing
            else.
        weights: weight of each term in the loss; a term without one is only logged.
        config: optimiser and schedule.
        folder: run folder; ``checkpoint.pt``, ``log.jsonl`` are written there.
        validate: called at each checkpoint with the averaged weights in place; its figures are
            logged.
    """

    def __init__(
        self,
        module: nn.Module,
        batch: Callable[[int, int, torch.device], tuple[Any, ...]],
        weights: dict[str, float],
        config: OptimConfig,
        folder: Path,
        validate: Callable[[], dict[str, float]] | None = None,
    ) -> None:
        self.config, self.batch, self.weights = config, batch, weights
        self.folder, self.validate = folder, validate
        # Left to itself, accelerate takes a GPU that is there even when the CPU was asked for.
        cpu = next(module.parameters()).device.type == 'cpu'
        self.accelerator = Accelerator(cpu=cpu, mixed_precision=config.precision)
        self.raw = module
        self.trained = {n: p for n, p in module.named_parameters() if p.requires_grad}
        optimizer = torch.optim.AdamW(
            self._groups(),
            betas=(config.beta1, config.beta2),
            weight_decay=config.weight_decay,
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._rate)
        self.module, self.optimizer = self.accelerator.prepare(module, optimizer)
        self.schedule = schedule
        self.average = {n: p.detach().clone() for n, p in self.trained.items()}
        self.step = 0
        self._stop = False

    def _groups(self) -> list[dict[str, Any]]:
        head = [p for n, p in self.trained.items() if not n.startswith('backbone.')]
        rest = [p for n, p in self.trained.items() if n.startswith('backbone.')]
        head_rate = self.config.head_learning_rate or self.config.learning_rate
        groups = [
            {'params': rest, 'lr': self.config.learning_rate},
            {'params': head, 'lr': head_rate},
        ]
        return [group for group in groups if group['params']]

    def _rate(self, step: int) -> float:
        config = self.config
        if step < config.warmup_steps:
            return (step + 1) / config.warmup_steps
        done = (step - config.warmup_steps) / max(config.steps - config.warmup_steps, 1)
        cosine = 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
        return config.final_rate_share + (1 - config.final_rate_share) * cosine

    def run(self) -> None:
        """Train from the last checkpoint, or from the beginning, to the last step.

        SIGINT and SIGTERM save a checkpoint and raise KeyboardInterrupt.

        Raises:
            TrainingError: a loss is not finite; the step before it has been saved.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.resume()
        bar = tqdm(
            total=self.config.steps,
            initial=self.step,
            desc=self.folder.name,
            unit='step',
            disable=not self.accelerator.is_main_process,
            mininterval=1.0,
        )
        with self._signals(), (self.folder / 'log.jsonl').open('a', encoding='utf-8') as log, bar:
            self.module.train()
            begun, begun_step = time.monotonic(), self.step
            while self.step < self.config.steps and not self._stop:
                terms = self._train_step()
                self.step += 1
                bar.update()
                if self.step % self.config.log_every == 0 or self.step == self.config.steps:
                    rate = (self.step - begun_step) / (time.monotonic() - begun)
                    record = {'step': self.step, **terms, 'samples_per_s': self._samples(rate)}
                    self._write(log, record)
                    bar.set_postfix({k: f'{v:.3g}' for k, v in terms.items()})
                if self.step % self.config.checkpoint_every == 0:
                    self.save()
                    self._validate(log)
            self.save()
        if self._stop:
            raise KeyboardInterrupt

    def _samples(self, steps_per_s: float) -> float:
        config = self.config
        per_step = config.batch_size * config.accumulate * self.accelerator.num_processes
        return round(steps_per_s * per_step, 1)

    def _train_step(self) -> dict[str, float]:
        logged: dict[str, float] = {}
        for micro in range(self.config.accumulate):
            arguments = self.batch(self.step, micro, self.accelerator.device)
            with self.accelerator.autocast():
                terms = self.module(*arguments)
            loss = sum(
                (
                    self.weights[name] * term
                    for name, term in terms.items()
                    if name in self.weights
                ),
                torch.zeros((), device=self.accelerator.device),
            )
            if not bool(torch.isfinite(loss)):
                self.save()
                named = ', '.join(f'{k} {float(v.detach()):g}' for k, v in terms.items())
                raise TrainingError(
                    f'the loss of step {self.step} is not finite ({named}); the step before is '
                    f'saved in {self.folder}. Lower learning_rate or check the data.'
                )
            self.accelerator.backward(loss / self.config.accumulate)
            for name, value in {'loss': loss, **terms}.items():
                logged[name] = (
                    logged.get(name, 0.0) + float(value.detach()) / self.config.accumulate
                )
        parameters = list(self.trained.values())
        bound = self.config.clip_norm or math.inf
        logged['gradient_norm'] = float(self.accelerator.clip_grad_norm_(parameters, bound))
        logged['rate'] = float(self.schedule.get_last_lr()[0])
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._update_average()
        return logged

    @torch.no_grad()
    def _update_average(self) -> None:
        # The average of a short run must forget its beginning: (1 + t) / (10 + t), as is usual.
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        for name, parameter in self.trained.items():
            self.average[name].lerp_(parameter, 1 - decay)

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """Put the averaged weights into the module for the time of the block."""
        own = {name: parameter.detach().clone() for name, parameter in self.trained.items()}
        self._fill(self.average)
        training = self.raw.training
        self.raw.eval()
        try:
            yield
        finally:
            self._fill(own)
            self.raw.train(training)

    @torch.no_grad()
    def _fill(self, values: dict[str, Tensor]) -> None:
        for name, parameter in self.trained.items():
            parameter.copy_(values[name])

    def _validate(self, log: Any) -> None:
        if self.validate is None or not self.accelerator.is_main_process:
            return
        with self.averaged(), torch.no_grad():
            self._write(log, {'step': self.step, 'val': self.validate()})

    def _write(self, log: Any, record: dict[str, Any]) -> None:
        if self.accelerator.is_main_process:
            log.write(json.dumps(record) + '\n')
            log.flush()

    def save(self) -> None:
        """Write ``checkpoint.pt`` whole or not at all."""
        if not self.accelerator.is_main_process:
            return
        state = {
            'step': self.step,
            'trained': {name: p.detach().cpu() for name, p in self.trained.items()},
            'average': {name: p.cpu() for name, p in self.average.items()},
            'optimizer': self.optimizer.state_dict(),
            'schedule': self.schedule.state_dict(),
        }
        partial = self.folder / 'checkpoint.pt.partial'
        torch.save(state, partial)
        os.replace(partial, self.folder / 'checkpoint.pt')

    def resume(self) -> None:
        """Take up ``checkpoint.pt`` where there is one.

        Raises:
            TrainingError: it is of a model with other parameters.
        """
        path = self.folder / 'checkpoint.pt'
        if not path.exists():
            return
        state = torch.load(path, map_location=self.accelerator.device, weights_only=True)
        odd = set(state['trained']) ^ set(self.trained)
        if odd:
            raise TrainingError(
                f'{path} does not fit: {len(odd)} parameters differ, such as {min(odd)}. '
                'Train into another folder, or remove this one.'
            )
        self._fill(state['trained'])
        self.average = {name: value.clone() for name, value in state['average'].items()}
        self.optimizer.load_state_dict(state['optimizer'])
        self.schedule.load_state_dict(state['schedule'])
        self.step = state['step']

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(number: int, frame: FrameType | None) -> None:
            self._stop = True

        before = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
