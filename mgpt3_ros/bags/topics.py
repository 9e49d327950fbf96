# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a bag is to the rest of this room, however it is stored."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from mgpt3_ros.model.errors import MotionGPT3Error


class BagError(MotionGPT3Error):
    """A bag cannot be read or written; the message says what to try."""


@dataclass(frozen=True)
class Topic:
    """A topic of a bag.

    definition, digest, qos: the type's text, its hash and the publishers' quality of service, as
    far as the bag knows them; they are carried into copies.
    """

    name: str
    type: str
    count: int
    definition: str = field(default='', repr=False)
    digest: str = field(default='', repr=False)
    qos: tuple[Any, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Recorded:
    """A message as it was recorded: CDR bytes, and when the recorder got it [ns]."""

    topic: str
    type: str
    recorded_ns: int
    data: bytes


class Bag(Protocol):
    """An open bag; a context manager that closes it."""

    path: Path
    storage: str  # sqlite3 or mcap
    compression: str  # of the recorder: none, message or file; mcap's own chunks are not meant
    topics: tuple[Topic, ...]
    start_ns: int  # of the first message; 0 in an empty bag
    end_ns: int  # of the last one
    broken: list[str]  # where files break off, a line each; reading may add to it

    def messages(self, topics: Collection[str] | None = None) -> Iterator[Recorded]:
        """Read the messages of ``topics`` (names; None for all) in the order of recording.

        Raises:
            BagError: the bag cannot be read on.
        """

    def __enter__(self) -> Bag: ...

    def __exit__(self, *error: object) -> None: ...
