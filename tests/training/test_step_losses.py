# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A step looks at its losses once, whatever is in its batches and however much."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import torch
from torch import Tensor

from mgpt3_ros.training.optim import OptimConfig
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.step_losses import StepLosses, shares
from mgpt3_ros.training.tasks import TaskBatcher, TaskMix
from mgpt3_ros.training.trainer import Trainer
from tests.support.batches import CPU, changed
from tests.support.waits import Waits


def waits(batcher: TaskBatcher, folder: Path, rows: int) -> Counter[str]:
    """Of a step with so many rows of all tasks, whose batch was made before."""
    mix = TaskMix(text=1, generate=3, caption=3, predict=3, inbetween=3)
    made = changed(batcher, mix=mix, split=Split(rows, 3))
    weights = {'text': 1.0, 'duration': 1.0, made.network.head.loss_terms[0]: 1.0}
    batches = [made(step, 0, CPU) for step in range(4)]
    trainer = Trainer(
        *(made.network, lambda step, micro, device: batches[step], weights),
        *(OptimConfig(steps=4), folder),
    )
    trainer.module.train()
    for _ in range(2):
        trainer.train_step()
    with Waits() as seen:
        terms = trainer.train_step()
    assert terms['gradient_norm'] > 0
    return seen.counts


def test_a_step_waits_for_a_gpu_once(batcher: TaskBatcher, tmp_path: Path) -> None:
    few = waits(batcher, tmp_path / 'few', 3)
    many = waits(batcher, tmp_path / 'many', 12)
    assert few == many
    assert few['tolist'] == 1
    # What else is seen are moves of what is there already, such as norms of gradients.
    assert few.keys() <= {'tolist', 'to'}


def test_terms_come_back_by_name_of_each_micro_batch() -> None:
    losses = StepLosses()
    losses.add(torch.tensor(3.0), {'a': torch.tensor(1.0), 'b': torch.tensor(2.0)}, ['a', 'b'])
    losses.add(torch.tensor(5.0), {'b': torch.tensor(5.0)}, ['a', 'b'])
    seen: list[Tensor] = []

    def halved(values: Tensor) -> Tensor:
        seen.append(values)
        return values / 2

    found, norm = losses.look(torch.tensor(7.0), halved)
    assert found == [{'loss': 1.5, 'a': 0.5, 'b': 1.0}, {'loss': 2.5, 'b': 2.5}]
    assert norm == 7.0
    assert len(seen) == 1


def test_shares_are_of_all_items_of_all_processes() -> None:
    counts = [{'words': 3, 'motions': torch.tensor(1)}, {'words': 1, 'motions': torch.tensor(0)}]
    found = shares(counts, 2, lambda own: [2 * value for value in own])
    assert found == [{'motions': 1.0, 'words': 0.75}, {'motions': 0.0, 'words': 0.25}]


def test_a_single_micro_batch_is_its_own_mean_whatever_it_counts() -> None:
    nothing_to_look_at = torch.zeros((), device='meta')
    found = shares([{'words': nothing_to_look_at}], 1, lambda own: own)
    assert found == [{'words': 1.0}]
