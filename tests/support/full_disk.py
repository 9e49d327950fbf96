# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A full disk: the kernel refuses writes beyond a file size (RLIMIT_FSIZE), as it does there."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator

FULL = r'File too large|No space left'


@contextlib.contextmanager
def full_after(size: int) -> Iterator[None]:
    """Let no file grow beyond ``size`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
