# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``checkpoint.pt``, from which a run goes on: written whole, and read where it fits.

It holds whole tensors, whether processes had parts of them or not: any number of processes takes
it up.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from mgpt3_ros.model.atomic_files import whole_file
from mgpt3_ros.model.errors import MotionGPT3Error
from mgpt3_ros.training.sharding import dealt_like, gathered


class TrainingError(MotionGPT3Error):
    """Training cannot go on: a loss is not finite, or a run folder does not fit."""


def write(path: Path, state: dict[str, Any]) -> None:
    """Write a state whole or not at all.

    Raises:
        TrainingError: it cannot be written; the one before stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with whole_file(path) as partial, partial.open('wb') as file:
            torch.save(state, file)
    except (OSError, RuntimeError) as error:  # torch hides the disk's error behind its own
        cause = error if isinstance(error, OSError) else error.__context__
        if not isinstance(cause, OSError):
            raise
        kept = 'the one of an earlier step is kept' if path.exists() else 'there is none yet'
        raise TrainingError(
            f'{path} cannot be written ({cause.strerror}); {kept}. Make room, and give the '
            'same command again.'
        ) from error


def read(path: Path, device: torch.device) -> dict[str, Any]:
    """Read a state onto a device."""
    # One of several processes on a CPU has cpu:0, which torch.load does not know.
    place = 'cpu' if device.type == 'cpu' else device
    return torch.load(path, map_location=place, weights_only=True)


def check(
    path: Path,
    state: dict[str, Any],
    trained: Mapping[str, Tensor],
    steps: int,
    optimizer: Optimizer,
) -> None:
    """Refuse a state that does not fit.

    Raises:
        TrainingError: it is of a model with other parameters, or of other sizes, or more steps
            have been done than are asked for.
    """
    kept = state['trained']
    odd = set(kept) ^ set(trained)
    odd |= {n for n, p in trained.items() if n in kept and kept[n].shape != p.shape}
    if odd:
        raise TrainingError(
            f'{path} does not fit: {len(odd)} parameters differ, such as {min(odd)}. '
            'Train into another folder, or remove this one.'
        )
    if state['step'] > steps:
        raise TrainingError(
            f'{path} is of step {state["step"]}, but optim.steps is {steps}: '
            'steps that were done cannot be undone. Train into another folder.'
        )
    if len(state['optimizer']['param_groups']) != len(optimizer.param_groups):
        raise TrainingError(
            f'{path} does not fit: weight_decay spared other parameters there. '
            'Train into another folder, or remove this one.'
        )


def whole_moments(optimizer: Optimizer) -> dict[str, Any]:
    """The optimiser's state, whole; where it is dealt out, all processes ask together."""
    state = optimizer.state_dict()
    own = state['state'].items()
    moments = {number: {name: gathered(v) for name, v in each.items()} for number, each in own}
    return {**state, 'state': moments}


def take_up_moments(optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Give the optimiser a whole state, or each process its part."""
    ordered = [p for group in optimizer.param_groups for p in group['params']]
    moments = {
        number: {name: dealt_like(value, ordered[number]) for name, value in own.items()}
        for number, own in state['state'].items()
    }
    optimizer.load_state_dict({**state, 'state': moments})
