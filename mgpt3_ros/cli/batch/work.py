# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What bulk work is made of: units, the job that does them, and what became of each.

A unit has a name and can be done again: it gives the same files with the same bytes. So whoever
does it, and however often, its results stand once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mgpt3_ros.model.errors import MotionGPT3Error

if TYPE_CHECKING:
    from mgpt3_ros.model.motiongpt3 import MotionGPT3

PARTIAL = '.partial-'  # what folders of unfinished results begin with, as atomic_files names them


class Item(NamedTuple):
    """An input: a name that no other has, with which its results begin, and what is read.

    source: the path of a file, or a sentence.
    """

    name: str
    source: str


class Failure(NamedTuple):
    """An input that gives no result, and why."""

    item: str
    reason: str


class Remark(NamedTuple):
    """What is to be known of an input that gives a result, such as where it breaks off."""

    item: str
    remark: str


@dataclass(frozen=True)
class Unit:
    """Inputs that one worker takes at once."""

    name: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Done:
    """A unit whose results stand at their places."""

    unit: Unit
    failures: tuple[Failure, ...]
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class Lost:
    """A unit that was not done, since every worker that took it died."""

    unit: Unit
    reason: str


Results = Iterator[Done | Lost]
# Writes the results of a unit into a folder; gives what is to be told of its inputs.
Do = Callable[[Unit, Path], Sequence[Failure | Remark]]


class Job(ABC):
    """One kind of bulk work on certain inputs. It goes to other processes, so it is small."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What beside the inputs decides the results, as JSON."""

    @abstractmethod
    def units(self) -> list[Unit]:
        """All units, always the same for the same inputs.

        Raises:
            MotionGPT3Error: there are no inputs.
        """

    @abstractmethod
    def load(self) -> Do:
        """Load what every unit needs, once in each process."""

    def finish(self, out: Path, units: list[Unit]) -> str:
        """Do what can be done once all units are; return what is said of it."""
        return ''


@dataclass(frozen=True)
class Task:
    """A job as workers get it. token: of this run, since a worker may serve several."""

    token: str
    job: Job
    out: Path


_LOADED: dict[str, Do] = {}  # in a worker: what the job of a run has loaded


def do_unit(task: Task, unit: Unit) -> Done:
    """Do a unit in this process; its results are at their places afterwards.

    Raises:
        MotionGPT3Error, OSError: what every unit needs cannot be loaded, or nothing written.
    """
    from mgpt3_ros.model.atomic_files import whole_files  # imports NumPy: help does without

    if task.token not in _LOADED:
        _LOADED[task.token] = task.job.load()
    with whole_files(task.out) as partial:
        told = _LOADED[task.token](unit, partial)
    failures = tuple(each for each in told if isinstance(each, Failure))
    return Done(unit, failures, tuple(each for each in told if isinstance(each, Remark)))


def load_model(checkpoint: str | None, device: str) -> MotionGPT3:
    """Load a model into a worker, with one thread: sums have one order wherever they are made."""
    import torch

    from mgpt3_ros.model.motiongpt3 import MotionGPT3

    torch.set_num_threads(1)
    return MotionGPT3.from_pretrained(checkpoint, device=device)


def reason_of(error: Exception) -> str:
    """Say in a line what was wrong with an input."""
    said = ' '.join(str(error).split())
    return said if isinstance(error, MotionGPT3Error) else f'{type(error).__name__}: {said}'


def grouped(items: list[Item], size: int) -> list[Unit]:
    """Put inputs into units of ``size``, in their order; a unit bears its first input's name."""
    parts = [tuple(items[start : start + size]) for start in range(0, len(items), size)]
    return [Unit(part[0].name, part) for part in parts]
