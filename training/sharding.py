# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trained weights dealt out over processes: each keeps a part of them, of gradients and moments.

PyTorch's FSDP (``fully_shard``) does it. Frozen weights stay whole everywhere: batches are made
with them, outside of the forward pass in which weights are whole.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor


class Sharded(nn.Module):
    """Calls a module, whose trained parameters are ``DTensor`` but for the time of the call.

    The module's own calls find it as it stands: use them within :meth:`whole`.
    """

    def __init__(self, module: nn.Module, processes: int) -> None:
        super().__init__()
        self.module = module
        frozen = {p for p in module.parameters() if not p.requires_grad}
        device = next(module.parameters()).device.type
        fully_shard(self, mesh=init_device_mesh(device, (processes,)), ignored_params=frozen)

    def forward(self, *arguments: Any) -> dict[str, Tensor]:
        """What the module gives."""
        return self.module(*arguments)

    def exchange(self, gradients: bool) -> None:
        """Whether the next backward pass exchanges gradients, or adds them up here."""
        cast(FSDPModule, self).set_requires_gradient_sync(gradients)

    def nothing(self) -> Tensor:
        """A zero that depends on every trained parameter; between a forward and its backward pass.

        Gradients are summed over processes by parameter, so each process needs all of them, also
        of what its rows do not use.
        """
        trained = [p.sum() for p in self.module.parameters() if p.requires_grad]
        return 0.0 * torch.stack(trained).sum()

    @contextlib.contextmanager
    def whole(self) -> Iterator[None]:
        """Put plain, whole parameters into the module. All processes do so together."""
        dealt = [
            (owner, name, parameter)
            for owner in self.module.modules()
            for name, parameter in owner.named_parameters(recurse=False)
            if isinstance(parameter, DTensor)
        ]
        made = {
            id(p): nn.Parameter(gathered(p.detach())) for _, _, p in dealt
        }  # one may be shared
        for owner, name, parameter in dealt:
            setattr(owner, name, made[id(parameter)])
        try:
            yield
        finally:
            for owner, name, parameter in dealt:
                setattr(owner, name, parameter)


def gathered(tensor: Tensor) -> Tensor:
    """A tensor that was dealt out as all processes together have it; another as it is."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def dealt_like(tensor: Tensor, other: Tensor) -> Tensor:
    """This process's part of a whole tensor, where ``other`` of the same shape is dealt out."""
    if not isinstance(other, DTensor) or tensor.shape != other.shape:
        return tensor
    # Every process has all of it already: nothing is sent.
    return distribute_tensor(tensor, other.device_mesh, other.placements, src_data_rank=None)
