# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Libraries that only a part of the package needs: `setup.py` offers them as extras."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mgpt3_ros.model.errors import MissingExtraError


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Around imports: if a library is missing, say which extra (``bags``, ...) brings it.

    Raises:
        MissingExtraError: as said.
    """
    try:
        yield
    except (ModuleNotFoundError, MissingExtraError) as error:  # the outer of nested ones wins
        raise MissingExtraError(
            f'there is no module {error.name}: pip install "mgpt3_ros[{name}]"', name=error.name
        ) from error
