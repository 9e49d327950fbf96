# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One training loop for every stage: resumed at any step, it gives what an unbroken run gives.

A batch is a function of the seed and the step alone, so that resuming needs no state of a loader.
"""

from __future__ import annotations

import contextlib
import math
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from tqdm import tqdm

from mgpt3_ros.model.extras import extra
from mgpt3_ros.training import saved_state
from mgpt3_ros.training.optim import OptimConfig, parameter_groups
from mgpt3_ros.training.prefetching import Prefetched
from mgpt3_ros.training.run_log import RunLog
from mgpt3_ros.training.saved_state import TrainingError
from mgpt3_ros.training.sharding import Sharded, dealt_like, gathered
from mgpt3_ros.training.step_losses import StepLosses, shares

with extra('train'):
    from accelerate import Accelerator, DistributedDataParallelKwargs

CHECKPOINT = 'checkpoint.pt'


class Trainer:
    """Runs ``loss(step, micro_batch)`` for ``config.steps`` steps, with checkpoints and logs.

    The gradient of a step is that of the mean over all of its micro-batches and processes: a term
    that counts tokens is divided by all tokens of the step, wherever they were read.

    Args:
        module: what is trained; called with the arguments that ``batch`` returns, it gives a
            dictionary of named loss terms. If it has a method ``counts`` that takes the same
            arguments, this says over how many items each term is the mean. What its method
            ``head_parameters`` returns learns at ``head_learning_rate``.
        batch: ``(step, micro_step, device) -> arguments`` of the module, a function of nothing
            else. If it has a method ``clip_ids(step, micro_step)``, errors name these clips.
        weights: weight of each term in the loss; a term without one is only logged.
        config: optimiser and schedule.
        folder: run folder; ``checkpoint.pt`` and the log are written there, by the main
            process.
        validate: called every ``validate_every`` steps (None: at each checkpoint) with the
            averaged weights in place; its figures are logged.
        keep: called then with the step and these figures, to write the model.
    """

    def __init__(
        self,
        module: nn.Module,
        batch: Callable[[int, int, torch.device], tuple[Any, ...]],
        weights: dict[str, float],
        config: OptimConfig,
        folder: Path,
        validate: Callable[[], dict[str, float]] | None = None,
        validate_every: int | None = None,
        keep: Callable[[int, dict[str, float]], None] | None = None,
    ) -> None:
        self.config, self.batch, self.weights = config, batch, weights
        self.folder, self.validate, self.keep = folder, validate, keep
        self.validate_every = validate_every or config.checkpoint_every
        # Left to itself, accelerate takes a GPU that is there even when the CPU was asked for.
        device = next(module.parameters()).device.type
        # A batch of captions alone has nothing for the head to learn.
        parallel = DistributedDataParallelKwargs(
            find_unused_parameters=True, broadcast_buffers=False
        )
        # Precision is set in each step: accelerate keeps one for all stages of a process.
        self.accelerator = Accelerator(
            cpu=device == 'cpu', mixed_precision='no', kwargs_handlers=[parallel]
        )
        self.raw = module
        self.sharded: Sharded | None = None
        if config.sharded and self.accelerator.num_processes > 1:
            self.sharded = Sharded(module, self.accelerator.num_processes)
        self.trained = {n: p for n, p in module.named_parameters() if p.requires_grad}
        groups = parameter_groups(module, self.trained, config)
        self.rates = [group['lr'] for group in groups]
        optimizer = torch.optim.AdamW(
            groups,
            betas=(config.beta1, config.beta2),
            weight_decay=config.weight_decay,
            fused=True,  # one pass over the weights in place of a dozen
        )
        self.optimizer = self.accelerator.prepare(optimizer)
        self.module = self.sharded or self.accelerator.prepare(module)
        self.average = {n: p.detach().clone() for n, p in self.trained.items()}
        self.step = 0
        self._stop = False
        thread = config.prefetches(device)
        self.prefetched = Prefetched(self._batches, config.steps) if thread else None

    def run(self) -> None:
        """Train from the last checkpoint, or from the beginning, to the last step.

        SIGINT and SIGTERM save a checkpoint and raise KeyboardInterrupt.

        Raises:
            TrainingError: a loss is not finite; the step before it has been saved.
        """
        self.resume()
        main = self.accelerator.is_main_process
        bar = tqdm(
            total=self.config.steps,
            initial=self.step,
            desc=self.folder.name,
            unit='step',
            disable=not main,
            mininterval=1.0,
        )
        track = self.accelerator.log if self.accelerator.trackers else None
        ahead = (
            contextlib.closing(self.prefetched) if self.prefetched else contextlib.nullcontext()
        )
        with ahead, self._signals(), RunLog(self.folder, self.step, main, track) as log, bar:
            self.module.train()
            begun, begun_step = time.monotonic(), self.step
            while self.step < self.config.steps and not self._stopped():
                terms = self.train_step()
                bar.update()
                if self.step % self.config.log_every == 0 or self.step == self.config.steps:
                    rate = (self.step - begun_step) / (time.monotonic() - begun)
                    log.write({'step': self.step, **terms, 'samples_per_s': self._samples(rate)})
                    shown = {**terms, 'samples/s': self._samples(rate)}
                    bar.set_postfix({k: f'{v:.3g}' for k, v in shown.items()})
                if self.step % self.config.checkpoint_every == 0:
                    self.save()
                if self.step % self.validate_every == 0:
                    self._validate(log)
            self.save()
        for tracker in self.accelerator.trackers:  # end_training() would part the processes, too
            tracker.finish()
        if self._stopped():
            raise KeyboardInterrupt

    def _stopped(self) -> bool:
        """Whether any process was asked to stop: all end at the same step, or one would wait."""
        return self._summed([float(self._stop)])[0] > 0

    def _summed(self, values: list[float]) -> list[float]:
        """Sum over all processes."""
        if self.accelerator.num_processes == 1:
            return values
        own = torch.tensor(values, dtype=torch.float64, device=self.accelerator.device)
        return self.accelerator.reduce(own, 'sum').tolist()

    def _samples(self, steps_per_s: float) -> float:
        config = self.config
        per_step = config.batch_size * config.accumulate * self.accelerator.num_processes
        return round(steps_per_s * per_step, 1)

    def train_step(self) -> dict[str, float]:
        """Do a step; return the loss, its terms and what else is logged."""
        terms = self._train_step()
        self.step += 1
        return terms

    def _train_step(self) -> dict[str, float]:
        batches = self.prefetched(self.step) if self.prefetched else self._batches(self.step)
        each_share = self._shares(batches)
        losses = StepLosses()
        for micro, (arguments, share) in enumerate(zip(batches, each_share, strict=True)):
            last = micro == len(batches) - 1
            # Gradients are exchanged once a step.
            with self._exchanging(last):
                self._seed_dropout(micro)
                with self._autocast():
                    terms = self.module(*arguments)
                if share and terms.keys() - share.keys():
                    odd = min(terms.keys() - share.keys())
                    raise TrainingError(f'the loss term {odd!r} is in no count of the module')
                even = 1 / self.config.accumulate
                weighted = {name: share.get(name, even) * term for name, term in terms.items()}
                loss = sum(
                    (
                        self.weights[name] * t
                        for name, t in weighted.items()
                        if name in self.weights
                    ),
                    self._zero(),
                )
                losses.add(loss, weighted, list(share))
                self.accelerator.backward(loss)
        parameters = list(self.trained.values())
        bound = self.config.clip_norm or math.inf
        norm = gathered(torch.as_tensor(self.accelerator.clip_grad_norm_(parameters, bound)))
        logged = self._looked_at(losses, norm)
        # A function of the step, like all else: a run that goes on has the rate of its settings.
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group['lr'] = rate * self.config.rate_share(self.step)
        logged['rate'] = self.optimizer.param_groups[0]['lr']
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._update_average()
        return logged

    @contextlib.contextmanager
    def _exchanging(self, last: bool) -> Iterator[None]:
        """Let processes exchange gradients in the last micro-batch of a step alone."""
        if self.sharded is not None:
            self.sharded.exchange(last)
            yield
        else:
            with contextlib.nullcontext() if last else self.accelerator.no_sync(self.module):
                yield

    def _batches(self, step: int) -> list[tuple[Any, ...]]:
        """The arguments of each micro-batch of a step."""
        device = self.accelerator.device
        return [self.batch(step, micro, device) for micro in range(self.config.accumulate)]

    def _zero(self) -> Tensor:
        """What a loss begins with."""
        zero = torch.zeros((), device=self.accelerator.device)
        return zero if self.sharded is None else self.sharded.nothing()

    def _seed_dropout(self, micro: int) -> None:
        """Make dropout, too, a function of the step: torch's own chance serves nothing else."""
        numbers = (self.config.seed, self.step, micro, self.accelerator.process_index)
        torch.manual_seed(int(np.random.default_rng(numbers).integers(2**62)))

    def _autocast(self) -> torch.autocast:
        half = self.config.precision == 'bf16'
        return torch.autocast(self.accelerator.device.type, torch.bfloat16, enabled=half)

    def _shares(self, batches: list[tuple[Any, ...]]) -> list[dict[str, float]]:
        """What to multiply each term of each micro-batch with; see :func:`shares`."""
        count = getattr(self.raw, 'counts', None)
        if count is None:
            return [{} for _ in batches]
        counts = [count(*arguments) for arguments in batches]
        return shares(counts, self.accelerator.num_processes, self._summed)

    def _looked_at(self, losses: StepLosses, norm: Tensor) -> dict[str, float]:
        """What is logged of a step: its one wait for a GPU, before weights change.

        Raises:
            TrainingError: a loss is not finite.
        """
        processes = self.accelerator.num_processes

        def mean(values: Tensor) -> Tensor:
            return self.accelerator.reduce(values, 'mean') if processes > 1 else values

        found, gradient_norm = losses.look(norm, mean)
        logged: dict[str, float] = {}
        for micro, terms in enumerate(found):
            if not math.isfinite(terms['loss']):
                self._refuse(micro, terms)
            for name, value in terms.items():
                logged[name] = logged.get(name, 0.0) + value
        return {**logged, 'gradient_norm': gradient_norm}

    def _refuse(self, micro: int, found: dict[str, float]) -> None:
        self.save()
        named = ', '.join(f'{name} {value:g}' for name, value in found.items())
        clips = getattr(self.batch, 'clip_ids', None)
        drawn = f' Its clips: {", ".join(clips(self.step, micro))}.' if clips is not None else ''
        raise TrainingError(
            f'the loss of step {self.step} is not finite ({named}); the step before is '
            f'saved in {self.folder}. Lower learning_rate or check the data.{drawn}'
        )

    @torch.no_grad()
    def _update_average(self) -> None:
        # The average of a short run must forget its beginning: (1 + t) / (10 + t), as is usual.
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        # All weights at once: a GPU takes one call, not one for each of some hundred tensors.
        averaged = get_ema_multi_avg_fn(decay)
        averaged(list(self.average.values()), list(self.trained.values()), 0)

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """Put the averaged weights, whole, into the module for the time of the block.

        Where they are dealt out, all processes do so together.
        """
        own = {name: parameter.detach().clone() for name, parameter in self.trained.items()}
        self._fill(self.average)
        training = self.raw.training
        self.raw.eval()
        try:
            with self.sharded.whole() if self.sharded else contextlib.nullcontext():
                yield
        finally:
            self._fill(own)
            self.raw.train(training)

    @torch.no_grad()
    def _fill(self, values: dict[str, Tensor]) -> None:
        for name, parameter in self.trained.items():
            parameter.copy_(values[name])

    def _validate(self, log: RunLog) -> None:
        main = self.accelerator.is_main_process
        if self.validate is None or not (main or self.sharded):
            return
        with self.averaged(), torch.no_grad():
            if not main:
                return
            figures = self.validate()
            if self.keep is not None:
                self.keep(self.step, figures)
            log.write({'step': self.step, 'val': figures})

    def save(self) -> None:
        """Write ``checkpoint.pt`` whole or not at all.

        Raises:
            TrainingError: it cannot be written; the one before stays.
        """
        main = self.accelerator.is_main_process
        if not (main or self.sharded):
            return
        state = {
            'step': self.step,
            'trained': {name: gathered(p.detach()).cpu() for name, p in self.trained.items()},
            'average': {name: gathered(p).cpu() for name, p in self.average.items()},
            'optimizer': saved_state.whole_moments(self.optimizer),
            'buffers': {name: b.cpu() for name, b in self._buffers().items()},
        }
        if main:
            saved_state.write(self.folder / CHECKPOINT, state)

    def resume(self) -> None:
        """Take up ``checkpoint.pt`` where there is one.

        Raises:
            TrainingError: it is of a model with other parameters, or of other sizes, or more
                steps have been done than are asked for.
        """
        path = self.folder / CHECKPOINT
        if self.step or not path.exists():
            return
        state = saved_state.read(path, self.accelerator.device)
        kept = state['trained']
        saved_state.check(path, state, self.trained, self.config.steps, self.optimizer)
        dealt = {name: dealt_like(kept[name], p) for name, p in self.trained.items()}
        self._fill(dealt)
        self.average = {
            name: dealt_like(value, self.trained[name]).clone()
            for name, value in state['average'].items()
        }
        saved_state.take_up_moments(self.optimizer, state['optimizer'])
        # What was fitted to the data before the first step: another machine fits otherwise.
        buffers = self._buffers()
        for name, value in state.get('buffers', {}).items():
            buffers[name].copy_(value)
        self.step = state['step']

    def _buffers(self) -> dict[str, Tensor]:
        """What the module keeps beside its parameters."""
        kept = self.raw.state_dict().keys()
        return {name: buffer for name, buffer in self.raw.named_buffers() if name in kept}

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
