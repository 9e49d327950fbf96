# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures with their intervals, over clips or over replications; as a table and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from mgpt3_ros.model.checkpoints import checkpoint
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.training.evaluation.metrics.checks import MetricError, numbers, same_shape

RESAMPLES = 2000
Found = dict[str, dict[str, float]]  # of a replication, by maker, by measure
SEED = 0  # of the resampling: the same values have the same interval


@dataclass(frozen=True)
class Figure:
    """A mean over clips and its 95 % interval.

    Without ``replications`` the interval is a percentile bootstrap over the clips: what other
    clips of this kind would have given. With them it is 1.96 standard errors over the
    replications, as in the field: what other draws on the same clips would have given. NaN of a
    single one.
    """

    mean: float
    low: float
    high: float
    clips: int
    replications: int | None = None

    def __str__(self) -> str:
        if math.isnan(self.low):
            return f'{self.mean:.3g}'
        return f'{self.mean:.3g} [{self.low:.3g}, {self.high:.3g}]'


def figure(values: Sequence[float], weights: Sequence[float] | None = None) -> Figure:
    """Return the mean of a value of each clip, weighted by ``weights`` (None: all the same).

    Raises:
        MetricError: no values, values that are not finite, or weights that do not fit.
    """
    array = numbers(values, 'values of clips', ('n',))
    weight = np.ones_like(array) if weights is None else numbers(weights, 'weights', ('n',))
    same_shape(array, weight, 'values and weights')
    if not (weight > 0).all():
        raise MetricError('weights must be positive')
    mean = float((array * weight).sum() / weight.sum())
    if len(array) == 1:
        return Figure(mean, math.nan, math.nan, 1)
    drawn = np.random.default_rng(SEED).integers(len(array), size=(RESAMPLES, len(array)))
    means = (array * weight)[drawn].sum(axis=1) / weight[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Figure(mean, float(low), float(high), len(array))


def replicated(values: Sequence[float], clips: int, reference: bool = False) -> Figure:
    """Return the mean of a value of each replication on ``clips`` clips.

    Its interval is 1.96 s / sqrt(n), where s divides by n - 1, or by n as in the authors' code.

    Raises:
        MetricError: no values, or one that is not finite.
    """
    array = numbers(values, 'figures of replications', ('n',))
    mean, half = float(array.mean()), math.nan
    if len(array) > 1:
        half = float(1.96 * array.std(ddof=0 if reference else 1) / math.sqrt(len(array)))
    return Figure(mean, mean - half, mean + half, clips, len(array))


def averaged(
    done: list[Found], clips: int, reference: bool = False
) -> dict[str, dict[str, Figure]]:
    """The figure of each measure over the replications."""
    return {
        maker: {
            measure: replicated([one[maker][measure] for one in done], clips, reference)
            for measure in measures
        }
        for maker, measures in done[0].items()
    }


def replicate(
    once: Callable[[int], Found],
    count: int,
    description: str,
    settings: Mapping[str, Any],
    partial: Path | None = None,
) -> list[Found]:
    """What ``once(replication)`` finds, for each of ``count`` replications.

    Args:
        once: a function of the replication's number alone.
        count: replications.
        description: for the progress bar.
        settings: what the figures depend on; as JSON.
        partial: a JSON file that holds the replications that are done, and is removed at the end.
            An interrupted evaluation goes on from it.

    Raises:
        ConfigError: ``partial`` is of an evaluation with other settings.
    """
    done = _read(partial, settings) if partial else []
    for number in tqdm(range(len(done), count), desc=description, unit='replication'):
        done.append(once(number))
        if partial is not None:
            checkpoint.write_text(partial, json.dumps({'settings': settings, 'done': done}))
    if partial is not None:
        partial.unlink(missing_ok=True)
    return done[:count]


def _read(partial: Path, settings: Mapping[str, Any]) -> list[Found]:
    if not partial.is_file():
        return []
    try:
        found = json.loads(partial.read_text(encoding='utf-8'))
        before, done = found['settings'], found['done']
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f'{partial} holds no interrupted evaluation ({error}): remove it'
        ) from error
    if before != json.loads(json.dumps(settings)):
        raise ConfigError(
            f'{partial} is of an interrupted evaluation with other settings: go on with that one, '
            'or remove the file'
        )
    return done


@dataclass(frozen=True)
class Evaluation:
    """What a protocol found.

    figures: by what made the motions (the model, or something simple to compare it with), then
        by measure, whose name holds the unit.
    skipped: clips that the protocol could not use, and why.
    settings: what it was run with.
    notes: what a reader of the figures must know.
    """

    protocol: str
    figures: dict[str, dict[str, Figure]]
    skipped: dict[str, int] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def table(self) -> str:
        """Return a Markdown table, a row per measure."""
        made_by = list(self.figures)
        measures = list(dict.fromkeys(m for group in self.figures.values() for m in group))
        lines = [
            f'| {" | ".join([self.protocol, *made_by])} |',
            f'|---|{"---|" * len(made_by)}',
        ]
        for measure in measures:
            cells = [str(self.figures[maker].get(measure, '')) for maker in made_by]
            lines.append(f'| {" | ".join([measure, *cells])} |')
        return '\n'.join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON holds it: NaN becomes null."""
        return _plain(asdict(self))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
