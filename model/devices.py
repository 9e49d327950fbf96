# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Devices and number types by name, and memory that is given back."""

from __future__ import annotations

import ctypes

import torch

from mgpt3_ros.model.errors import CheckpointError


def resolve_device(device: str) -> torch.device:
    """Turn 'auto', 'cpu', 'cuda' or 'cuda:N' into a device that is there.

    Raises:
        CheckpointError: CUDA is asked for, but is not there.
    """
    if device in ('', 'auto'):
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise CheckpointError(
            f'unknown device {device!r}: use auto, cpu, cuda or cuda:N'
        ) from error
    if resolved.type == 'cuda' and (resolved.index or 0) >= torch.cuda.device_count():
        raise CheckpointError(
            f'device {device!r} is not there ({torch.cuda.device_count()} CUDA devices found): '
            "use 'auto' or 'cpu', or install a CUDA build of torch"
        )
    return resolved


def return_memory() -> None:
    """Give freed memory back to the system, where the C library can (glibc)."""
    trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)
    if trim is not None:
        trim(0)


def resolve_dtype(dtype: str) -> torch.dtype:
    """Turn 'auto' or a name into a floating-point type.

    Raises:
        CheckpointError: it is none of them.
    """
    known = {
        'auto': torch.float32,
        'float32': torch.float32,
        'bfloat16': torch.bfloat16,
        'float16': torch.float16,
    }
    if dtype not in known:
        raise CheckpointError(f'unknown dtype {dtype!r}: use one of {", ".join(known)}')
    return known[dtype]
