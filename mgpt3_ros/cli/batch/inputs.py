# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Inputs of bulk work: files of folder trees, each with a name of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mgpt3_ros.cli.batch.work import Item, Unit, grouped
from mgpt3_ros.model.errors import ConfigError


def named(inputs: Sequence[Path], of_folder: Callable[[Path], list[Path]]) -> list[Item]:
    """Name each input: of a folder by its path within it, else by the name of the file.

    Args:
        inputs: files, and folders in which ``of_folder`` finds files.
        of_folder: see there.

    Raises:
        ConfigError: two have one name.
    """
    found: dict[str, str] = {}
    for given in inputs:
        files = of_folder(given) if given.is_dir() else [given]
        for file in files:
            name = file.relative_to(given).as_posix() if file != given else given.name
            path = str(file.absolute())
            if found.setdefault(name, path) != path:
                raise ConfigError(
                    f'{found[name]} and {path} would both give {name}: give a folder above both'
                )
    return [Item(name, path) for name, path in found.items()]


def is_bag(item: Item) -> bool:
    """Whether an input is a rosbag2, as its folder or its file."""
    return Path(item.source).is_dir() or item.source.lower().endswith(('.mcap', '.db3'))


def by_weight(items: list[Item], size: int) -> list[Unit]:
    """Units of motion files, ``size`` each, and of one bag each: a bag may take hours."""
    motions = grouped([item for item in items if not is_bag(item)], size)
    return [*motions, *grouped([item for item in items if is_bag(item)], 1)]
