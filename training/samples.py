# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which chance decides a sample: its own, so that a step is the same however it is split.

Every sample of a step has a number. Its seed is that of the run, the step and this number: two
processes, two micro-batches, or one batch of twice the size train on the same samples, with the
same noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Split:
    """How the samples of a step are dealt out: ``batch_size`` for each process and micro-batch.

    accumulate: micro-batches of a step, for the running number of a sample.
    """

    batch_size: int
    seed: int
    process: int = 0
    processes: int = 1
    accumulate: int = 1

    def samples(self, step: int, micro: int) -> list[tuple[np.random.Generator, int]]:
        """A source of chance for each sample of a micro-batch, and its number in the whole run."""
        before = step * self.accumulate * self.processes * self.batch_size
        first = (micro * self.processes + self.process) * self.batch_size
        return [
            (np.random.default_rng([self.seed, step, number]), before + number)
            for number in range(first, first + self.batch_size)
        ]


def draw_seed(rng: np.random.Generator) -> int:
    """Draw a seed for :func:`~mgpt3_ros.model.sampling.noise_source`."""
    return int(rng.integers(2**62))
