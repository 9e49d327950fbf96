# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 batch generate``: lists of sentences become motion files."""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgpt3_ros.cli import options
from mgpt3_ros.cli.batch.inputs import named
from mgpt3_ros.cli.batch.work import Do, Failure, Item, Job, Unit, grouped, load_model, reason_of
from mgpt3_ros.model.errors import ConfigError, MotionGPT3Error

if TYPE_CHECKING:
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.model.motiongpt3 import MotionGPT3
    from mgpt3_ros.model.sampling import SamplingOptions

_IN_FOLDER = 1000  # files of results in one folder

SUMMARY = 'draw a motion for each line of a list'
DESCRIPTION = """\
Draw a motion for each line of the lists (.txt, or folders of them), as
`mgpt3 generate --as-is --one-clip` does, many in one batch. Line 12 of sentences.txt gives
OUT/sentences/00000/0000012.npz.
"""
EXAMPLES = """\
  mgpt3 batch generate sentences.txt -o motions
  mgpt3 batch generate sentences.txt -o motions --format bvh --duration 4 --seed 7
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what beside inputs and workers can be said."""
    formats = 'npz', 'npy', 'bvh', 'glb', 'vrma'
    parser.add_argument('--format', choices=formats, default='npz', help='default: npz')
    options.add_seconds_option(parser, '--duration', None, 'length of all', 'what each line says')
    options.add_model_options(parser, seed=0)


@dataclass(frozen=True)
class GenerateJob(Job):
    """Motions of sentences. inputs: lists, and folders of them. size: sentences in a batch."""

    inputs: tuple[Path, ...]
    size: int
    arguments: argparse.Namespace

    def settings(self) -> dict[str, Any]:
        """Which model, and how it draws; noise belongs to a unit, so its size counts too."""
        names = 'checkpoint', 'seed', 'guidance', 'steps', 'duration', 'format'
        return {**{name: getattr(self.arguments, name) for name in names}, 'unit': self.size}

    def units(self) -> list[Unit]:
        """Lines together, as they follow each other."""
        lists = named(self.inputs, lambda folder: sorted(folder.rglob('*.txt')))
        lines = []
        for name, path in lists:
            stem = name.removesuffix('.txt')
            for number, line in enumerate(_lines(Path(path)), 1):
                if text := line.strip():
                    lines.append(Item(f'{stem}/{number // _IN_FOLDER:05}/{number:07}', text))
        if not lines:
            raise ConfigError(f'no sentence in {", ".join(map(str, self.inputs))}')
        return grouped(lines, self.size)

    def load(self) -> Do:
        """Load the model."""
        given = self.arguments
        model = load_model(given.checkpoint, given.device)

        def do(unit: Unit, folder: Path) -> list[Failure]:
            found, failures = _drawn(model, unit, given)
            for name, motion in found.items():
                path = folder / f'{name}.{given.format}'
                path.parent.mkdir(parents=True, exist_ok=True)
                motion.save(path)
            return failures

        return do


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding='utf-8-sig').split('\n')
    except UnicodeDecodeError as error:
        raise ConfigError(f'{path} is no text in UTF-8: {error}') from error


def _drawn(
    model: MotionGPT3, unit: Unit, given: argparse.Namespace
) -> tuple[dict[str, Motion], list[Failure]]:
    """Motions by name. A sentence that cannot be drawn spoils no batch."""
    good, failures = [], []
    for item in unit.items:
        try:
            model.pipeline.known_durations([item.source], given.duration)
            good.append(item)
        except Exception as error:
            failures.append(Failure(item.name, reason_of(error)))
    try:
        return _batch(model, good, given), failures
    except (MotionGPT3Error, RuntimeError):  # PyTorch's: too little memory for so many
        # Which sentence it was, each alone tells.
        found: dict[str, Motion] = {}
        for item in good:
            try:
                found |= _batch(model, [item], given)
            except Exception as error:
                failures.append(Failure(item.name, reason_of(error)))
        return found, failures


def _batch(
    model: MotionGPT3, items: Sequence[Item], given: argparse.Namespace
) -> dict[str, Motion]:
    """Motions of a batch; their noise follows from the seed and the name of the first."""
    if not items:
        return {}
    texts = [item.source for item in items]
    motions = model.generate(texts, given.duration, sampling=_sampling(items[0].name, given))
    return dict(zip((item.name for item in items), motions, strict=True))


def _sampling(name: str, given: argparse.Namespace) -> SamplingOptions:
    from mgpt3_ros.model.sampling import SamplingOptions, noise_source

    generator = noise_source(zlib.crc32(f'{given.seed} {name}'.encode()))
    return SamplingOptions(given.guidance, given.steps, generator=generator)
