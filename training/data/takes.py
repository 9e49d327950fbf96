# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What own files give, and how they are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mgpt3_ros.model.formats.bvh_names import Skeleton
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.training.data.caption_lines import CaptionLine

if TYPE_CHECKING:
    from mgpt3_ros.bags import Robots


@dataclass(frozen=True)
class OtherFiles:
    """A further kind of motion files.

    name: for people. suffixes: that no other format has. read: a motion of a file, None where it
    is none of this kind.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Path], Motion | None]


@dataclass(frozen=True)
class ReadOptions:
    """How own files are read.

    fps: rate of .npy files, which do not say; None for 20.
    up: the axis that points up; None for Y, and in a .bvh for that along which the body stands;
        .glb and .vrma always have Y up.
    skeletons: mappings of the bones of .bvh, .glb and .vrma, tried before the known ones.
    topic, odometry, profile, body_id, robots: which body of a bag; see ``bags.find_body``.
    others: files of a kind that only the caller knows, such as a robot's motion.
    """

    fps: float | None = None
    up: str | None = None
    skeletons: tuple[Skeleton, ...] = ()
    topic: str | None = None
    odometry: str | None = None
    profile: str = 'auto'
    body_id: str = ''
    robots: Robots | None = None
    others: OtherFiles | None = None


class Take(NamedTuple):
    """A motion and what is said of it.

    suffix: of its name; a bag whose stream breaks off gives several takes.
    """

    suffix: str
    motion: Motion
    lines: list[CaptionLine]


@dataclass
class Takes:
    """What a file gives, and remarks on what in it was left out or had to be assumed."""

    takes: list[Take] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
