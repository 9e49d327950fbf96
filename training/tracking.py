# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loggers beside a run's own files: those that accelerate knows, and a user's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.extras import extra
from mgpt3_ros.model.import_path import import_class, is_import_path

if TYPE_CHECKING:
    from accelerate import Accelerator

with extra('train'):
    from accelerate.tracking import (
        LOGGER_TYPE_TO_CLASS,
        GeneralTracker,
        filter_trackers,
        get_available_trackers,
    )


def start_trackers(
    accelerator: Accelerator, names: Sequence[str], folder: Path, settings: dict[str, Any]
) -> None:
    """Begin a run of each tracker: its project is the run folder, its name that of the stage.

    Args:
        accelerator: what is logged with it goes to them, in the main process.
        names: 'wandb' and the like, or import paths of `accelerate.tracking.GeneralTracker`,
            which are made with the project's name.
        folder: of the stage; trackers that write files write them there.
        settings: of the stage, told as they stand.

    Raises:
        ConfigError: no such tracker, or its library is not installed.
    """
    if not names:
        return
    project, stage = folder.resolve().parent.name, folder.name
    known = sorted(str(name) for name in LOGGER_TYPE_TO_CLASS)
    found: list[Any] = []
    for name in names:
        if is_import_path(name):
            found.append(import_class(name, GeneralTracker, 'trackers')(project))
        elif name not in known:
            raise ConfigError(
                f'trackers: {name!r} is none; choose of {", ".join(known)}, or the import path of '
                'your own, such as my_package.my_tracker:Tracker'
            )
        elif name not in [str(each) for each in get_available_trackers()]:
            raise ConfigError(f'trackers: the library of {name!r} is not installed (pip install)')
        else:
            found.append(name)
    accelerator.log_with = filter_trackers(found, str(folder))
    accelerator.project_configuration.set_directories(str(folder))
    own = {'wandb': {'name': stage}} if 'wandb' in names else {}
    accelerator.init_trackers(project, {'stage': stage, **_flat(settings)}, init_kwargs=own)


def _flat(settings: dict[str, Any], prefix: str = '') -> dict[str, Any]:
    """Settings by their dotted names, as texts where they are no number."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            found |= _flat(value, f'{prefix}{name}.')
        else:
            found[prefix + name] = value if isinstance(value, int | float) else str(value)
    return found
