# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The losses of a step, looked at once: on a GPU each look waits for all that was asked before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor


def shares(
    counts: Sequence[Mapping[str, int | Tensor]],
    processes: int,
    summed: Callable[[list[float]], list[float]],
) -> list[dict[str, float]]:
    """What to multiply each term of each micro-batch with before processes are averaged.

    With n items here and N in all, of P processes: P n / N.

    Args:
        counts: over how many items each term is the mean, of each micro-batch.
        processes: P.
        summed: the sums of numbers over processes.
    """
    names = sorted(counts[0])
    if processes == len(counts) == 1:  # whatever the numbers are: no look at them
        return [dict.fromkeys(names, 1.0)]
    totals = summed([float(sum(each[name] for each in counts)) for name in names])
    whole = dict(zip(names, totals, strict=True))
    return [{n: processes * float(each[n]) / max(whole[n], 1.0) for n in names} for each in counts]


class StepLosses:
    """Losses and terms of the micro-batches of a step, kept where they are until the look."""

    def __init__(self) -> None:
        self._names: list[list[str]] = []
        self._own: list[set[str]] = []
        self._values: list[Tensor] = []

    def add(self, loss: Tensor, terms: dict[str, Tensor], counted: list[str]) -> None:
        """Keep those of a micro-batch.

        Args:
            loss: what is minimised.
            terms: named terms as they are logged.
            counted: names that all processes have, where they count; a term may be missing here.
        """
        names = counted or list(terms)
        own = [loss, *(terms.get(name, loss.new_zeros(())) for name in names)]
        self._names.append(['loss', *names])
        self._own.append({'loss', *terms})
        self._values.append(torch.stack([value.detach().double() for value in own]))

    def look(
        self, norm: Tensor, mean: Callable[[Tensor], Tensor]
    ) -> tuple[list[dict[str, float]], float]:
        """Losses and terms of each micro-batch, and the norm of the gradient.

        ``mean`` is that over processes, of all values at once.
        """
        values = mean(torch.cat(self._values))
        *numbers, norm_of_all = torch.cat([values, norm.detach().to(values)[None]]).tolist()
        found = []
        for names, own in zip(self._names, self._own, strict=True):
            told = dict(zip(names, numbers, strict=False))
            found.append({name: value for name, value in told.items() if name in own})
            numbers = numbers[len(names) :]
        return found, norm_of_all
