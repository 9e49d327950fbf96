# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 batch build``: a data set of a tree of own motions, read by many workers."""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mgpt3_ros.cli import data
from mgpt3_ros.cli.batch.inputs import by_weight, named
from mgpt3_ros.cli.batch.work import Do, Failure, Job, Unit
from mgpt3_ros.model.errors import ConfigError

PARTS, BUILT, DATASET = 'parts', 'built.json', 'dataset'
SPLITS = 'train', 'val', 'test'

SUMMARY = 'make a data set of a tree of own motions'
DESCRIPTION = """\
Make a data set of a folder, as `mgpt3 data build` does and with the same files, read by many
workers: OUT/dataset. What is made of each file waits in OUT/parts until all are read.
"""
EXAMPLES = '  mgpt3 batch build captures -o made --workers 8\n'


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what beside inputs and workers can be said."""
    data.add_building_options(parser)


@dataclass(frozen=True)
class BuildJob(Job):
    """A data set of one folder. size: motion files in a unit."""

    inputs: tuple[Path, ...]
    size: int
    arguments: argparse.Namespace

    def settings(self) -> dict[str, Any]:
        """How files are read."""
        from mgpt3_ros.training.data.building import recorded

        return json.loads(json.dumps(recorded(data.building_options(self.arguments))))

    def units(self) -> list[Unit]:
        """Motion files together, bags alone."""
        from mgpt3_ros.training.data.raw import motion_files

        if len(self.inputs) != 1:
            raise ConfigError('a data set is made of one folder: give one above all files')
        options = data.building_options(self.arguments)
        return by_weight(named(self.inputs, lambda f: motion_files(f, options)), self.size)

    def load(self) -> Do:
        """Find out how files are read."""
        import torch

        from mgpt3_ros.training.data.building import build_file, make_folders

        torch.set_num_threads(1)  # sums have one order wherever they are made
        options = data.building_options(self.arguments)
        top = self.inputs[0].absolute()

        def do(unit: Unit, folder: Path) -> list[Failure]:
            part = folder / PARTS / unit.name
            part.mkdir(parents=True)
            make_folders(part)
            taken: set[str] = set()
            built = []
            for item in unit.items:
                built.append(build_file(top, Path(item.source), part, options, taken))
                taken |= set(built[-1].names)
            text = json.dumps([asdict(each) for each in built])
            (part / BUILT).write_text(text, encoding='utf-8')
            return [Failure(label, reason) for each in built for label, reason in each.skipped]

        return do

    def finish(self, out: Path, units: list[Unit]) -> str:
        """Put the parts together, whole or not at all."""
        from mgpt3_ros.training.data.building import Built, assemble

        if not (out / DATASET).is_dir():
            parts = []
            for unit in units:
                place = out / PARTS / unit.name
                records = json.loads((place / BUILT).read_text(encoding='utf-8'))
                parts += [(place, Built(**record)) for record in records]
            options = data.building_options(self.arguments)
            report = assemble(self.inputs[0], parts, out / DATASET, options)
            data.say_remarks(report)
        shutil.rmtree(out / PARTS, ignore_errors=True)
        return ', '.join(f'{_count(out / DATASET / f"{split}.txt")} {split}' for split in SPLITS)


def _count(path: Path) -> int:
    return len(path.read_text(encoding='utf-8').splitlines())
