# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Batches that are made ahead: the same, in order, and faults come where they belong."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mgpt3_ros.training.prefetching import Prefetched
from mgpt3_ros.training.run_log import read_log
from mgpt3_ros.training.trainer import Trainer
from tests.training.test_trainer import CONFIG, Line, batch


def test_the_next_one_is_made_meanwhile() -> None:
    begun = [threading.Event() for _ in range(4)]

    def make(step: int) -> int:
        begun[step].set()
        return 10 * step

    made = Prefetched(make, 3)
    for step in range(3):
        assert made(step) == 10 * step
        if step < 2:
            assert begun[step + 1].wait(20)  # though nobody has asked for it
    assert made(1) == 10  # also out of turn
    made.close()
    assert not begun[3].is_set()


def test_a_fault_comes_with_its_own_step() -> None:
    def make(step: int) -> int:
        if step == 1:
            raise ValueError('the one of step 1')
        return step

    made = Prefetched(make, 5)
    assert made(0) == 0
    with pytest.raises(ValueError, match='step 1'):
        made(1)
    made.close()


def test_the_losses_are_the_same(tmp_path: Path) -> None:
    runs = {}
    for prefetch in (False, True):
        torch.manual_seed(0)
        module = Line()
        config = replace(CONFIG, prefetch=prefetch, accumulate=2)
        folder = tmp_path / str(prefetch)
        Trainer(module, batch, {'fit': 1.0}, config, folder).run()
        runs[prefetch] = [line['loss'] for line in read_log(folder)]
    assert len(runs[True]) > 2
    assert runs[True] == runs[False]
    assert not [thread for thread in threading.enumerate() if 'batches' in thread.name]
