# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The most memory that a piece of work takes, as Linux tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

_STATUS, _RESET = Path('/proc/self/status'), Path('/proc/self/clear_refs')


def peak_gb(work: Callable[[], object]) -> float | None:
    """Resident memory of this process at its peak during the work; None where nobody tells."""
    try:
        _RESET.write_text('5')  # the peak begins anew
    except OSError:
        return None
    work()
    for line in _STATUS.read_text().splitlines():
        if line.startswith('VmHWM:'):
            return int(line.split()[1]) * 1024 / 1e9
    return None


def processor() -> str:
    """The processor's name, as Linux knows it; '' where it does not."""
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        return ''
    return next((line.split(':')[1].strip() for line in lines if 'model name' in line), '')
