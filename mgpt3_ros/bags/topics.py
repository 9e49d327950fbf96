# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a bag is made of, however it is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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
