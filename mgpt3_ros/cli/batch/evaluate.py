# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 batch evaluate``: figures of many checkpoints by several protocols."""

from __future__ import annotations

import argparse
import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgpt3_ros.cli import evaluate
from mgpt3_ros.cli.batch.inputs import named
from mgpt3_ros.cli.batch.work import Do, Failure, Item, Job, Unit, grouped, reason_of
from mgpt3_ros.model.errors import ConfigError

SUMMARY = 'measure every checkpoint of a tree'
DESCRIPTION = """\
Measure every checkpoint folder among the inputs and below them by each --protocol, which may be
given several times, as `mgpt3 evaluate` does: OUT/NAME/PROTOCOL.json and .md.
"""
EXAMPLES = """\
  mgpt3 batch evaluate runs -o figures --data mocap22 --protocol reconstruction
  mgpt3 batch evaluate runs -o figures --data mocap22 --protocol prediction --protocol inbetween
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what beside inputs and workers can be said."""
    evaluate.add_protocol_options(parser, several=True)


@dataclass(frozen=True)
class EvaluateJob(Job):
    """Figures of checkpoints. inputs: checkpoint folders, and folders of them."""

    inputs: tuple[Path, ...]
    arguments: argparse.Namespace

    def settings(self) -> dict[str, Any]:
        """What is measured, on what."""
        known = {'inputs', 'output', 'workers', 'ray', 'resume', 'unit', 'run', 'part', 'unread'}
        given = {k: v for k, v in vars(self.arguments).items() if k not in known}
        return {k: str(v) if isinstance(v, Path) else v for k, v in given.items()}

    def units(self) -> list[Unit]:
        """One for each checkpoint and protocol."""
        found = named(self.inputs, _checkpoints)
        if not found:
            raise ConfigError(f'no checkpoint folder in {", ".join(map(str, self.inputs))}')
        protocols = self.arguments.protocol
        return grouped([Item(f'{n}/{p}', path) for n, path in found for p in protocols], 1)

    def load(self) -> Do:
        """Take one thread; each unit has a model of its own."""
        import torch

        torch.set_num_threads(1)
        return self._measure

    def _measure(self, unit: Unit, folder: Path) -> list[Failure]:
        (item,) = unit.items
        asked = copy.copy(self.arguments)
        asked.checkpoint, asked.output = item.source, []
        asked.protocol = item.name.rpartition('/')[2]
        try:
            found, about = evaluate.measured(asked)
        except Exception as error:
            return [Failure(item.name, reason_of(error))]
        path = folder / item.name
        path.parent.mkdir(parents=True, exist_ok=True)
        for suffix in ('.json', '.md'):
            evaluate.write_evaluation(path.with_name(path.name + suffix), found, about)
        return []


def _checkpoints(folder: Path) -> list[Path]:
    files = folder.rglob('model.safetensors')
    return sorted(file.parent for file in files if (file.parent / 'config.json').is_file())
