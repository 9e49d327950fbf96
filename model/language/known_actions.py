# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint can do: its actions, with words for each and how often a draw shows it.

The list is measured, not claimed: ``python -m benchmarks.known_actions`` draws each action and
writes ``known_actions.json`` into the checkpoint's folder.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mgpt3_ros.model.atomic_files import whole_file
from mgpt3_ros.model.errors import CheckpointError

FILE = 'known_actions.json'


@dataclass(frozen=True)
class KnownAction:
    """An action of a checkpoint.

    label: as data sets and captions' events name it. examples: texts that ask for it.
    shown: the share of ``draws`` motions, drawn from such texts, that show it.
    """

    label: str
    examples: tuple[str, ...]
    shown: float
    draws: int


def save_known_actions(folder: str | Path, actions: Sequence[KnownAction]) -> None:
    """Write the list into a checkpoint's folder.

    Raises:
        OSError: it cannot be written; what was there stays.
    """
    with whole_file(Path(folder) / FILE) as partial:
        partial.write_text(json.dumps([asdict(action) for action in actions], indent=1) + '\n')


def load_known_actions(folder: str | Path) -> tuple[KnownAction, ...]:
    """Read a checkpoint's list; empty where it has none.

    Raises:
        CheckpointError: the file is damaged.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        return ()
    try:
        rows = json.loads(path.read_text())
        return tuple(KnownAction(**{**row, 'examples': tuple(row['examples'])}) for row in rows)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f'{path} cannot be read: {error}') from error
