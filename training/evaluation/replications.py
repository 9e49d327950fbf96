# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Replications of a protocol: drawn with other seeds, averaged, and taken up after a stop."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from mgpt3_ros.model import checkpoint
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.training.evaluation.results import Figure, replicated

Found = dict[str, dict[str, float]]  # by maker, by measure


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
