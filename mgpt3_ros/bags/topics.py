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

    definition, digest, qos: the type's definition, its hash and the publishers' quality of
    service, as far as the bag knows them; they are carried into copies, and so are encodings:
    ROS 2 has cdr and ros2msg, an mcap file may have others beside it.
    """

    name: str
    type: str
    count: int
    definition: bytes = field(default=b'', repr=False)
    digest: str = field(default='', repr=False)
    qos: tuple[Any, ...] = field(default=(), repr=False)
    encoding: str = field(default='cdr', repr=False)
    definition_encoding: str = field(default='ros2msg', repr=False)


# What mcap keeps beside messages: its records Attachment and Metadata.
Attachment = Any


@dataclass(frozen=True)
class Recorded:
    """A message as it was recorded: its bytes, and when the recorder got it [ns]."""

    topic: str
    type: str
    recorded_ns: int
    data: bytes
