# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The card of a checkpoint of a user's own, of what its folder and its figures say.

That of the shipped checkpoint measures it anew and holds it to targets (scripts/model_card.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mgpt3_ros.model.checkpoints import checkpoint
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.training import run_record

ABOUT = ('about', 'data', 'licence', 'limits')
_UNSAID = 'Nobody has said.'


def write_card(folder: Path, about: Mapping[str, Any], figures: Sequence[Path] = ()) -> str:
    """The text of a card.

    Args:
        folder: of the checkpoint; where it is a stage of a run, those before it are told too.
        about: paragraphs in Markdown by the names of ``ABOUT``.
        figures: files that ``mgpt3 evaluate`` has written.

    Raises:
        ConfigError: an unknown name in ``about``, or a file that holds no figures.
        CheckpointError: ``config.json`` is damaged.
    """
    unknown = sorted(set(about) - set(ABOUT))
    if unknown:
        raise ConfigError(f'about: unknown key {unknown[0]!r}; known keys: {", ".join(ABOUT)}')
    config = checkpoint.read_config(folder)
    weights = checkpoint.read_weights(folder)
    network = config['network']
    size = sum(value.numel() for value in weights.values()) / 1e6
    licence = about.get('licence') or config.get('licence', 'unstated')
    parts = [
        f'# {config.get("name", "untitled")}',
        str(about.get('about', _UNSAID)),
        '## What it is',
        f'{size:.1f} M numbers in `model.safetensors`; a VAE of kind `{network["vae"]["kind"]}`, '
        f'a head of kind `{network["head"]["kind"]}`, {network["backbone"]["n_layer"]} layers of '
        f'width {network["backbone"]["n_embd"]}, a vocabulary of '
        f'{network["backbone"]["vocab_size"]}. Licence of the weights: {licence}.',
        '## What it was trained on',
        str(about.get('data', _UNSAID)),
        '## How it was made',
        _stages(folder),
        '## What was measured',
        '\n\n'.join(_table(path) for path in figures) or 'Nothing.',
        '## Limits',
        str(about.get('limits', _UNSAID)),
    ]
    return '\n\n'.join(part.strip() for part in parts) + '\n'


def _stages(folder: Path) -> str:
    """A line for each stage that led to a checkpoint, the first one first."""
    lines: list[str] = []
    while (record := run_record.read(folder)) is not None:
        name = str(record['stage'])
        stage = record.get('stages', {}).get(name, {})
        optim = stage.get('optim', {})
        before = stage.get('start_from')
        commit = record.get('made_with', {}).get('commit')
        made = f'commit {commit}, ' if commit else ''
        lines.append(
            f'| {name} | {before or "nothing"} | {optim.get("steps", "?")} | '
            f'{optim.get("batch_size", "?")} x {record.get("processes", 1)} | '
            f'{optim.get("learning_rate", "?")} | {made}data {str(record.get("data"))[:12]} |'
        )
        if before is None or before not in record.get('stages', {}):
            break
        folder = folder.parent / before
    if not lines:
        return 'The folder has no `run.json`: how is not known.'
    head = '| stage | from | steps | batch | rate | made with |\n|---|---|---|---|---|---|'
    return '\n'.join([head, *reversed(lines)])


def _table(path: Path) -> str:
    """The figures of a file of ``mgpt3 evaluate``."""
    try:
        found = json.loads(path.read_text(encoding='utf-8'))
        rows = found['figures']
        names = list(dict.fromkeys(name for row in rows.values() for name in row))
        lines = [f'| {found["protocol"]} | ' + ' | '.join(names) + ' |']
        lines.append('|---' * (len(names) + 1) + '|')
        for maker, row in rows.items():
            means = [row.get(name, {}).get('mean') for name in names]
            cells = ['' if mean is None else f'{mean:.4g}' for mean in means]
            lines.append(f'| {maker} | ' + ' | '.join(cells) + ' |')
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f'{path} holds no figures of `mgpt3 evaluate -o FILE.json`: {error!r}'
        ) from error
    about = {k: found[k] for k in ('data', 'split') if k in found}
    return '\n'.join(lines) + f'\n\nOn {", ".join(f"{k} {v}" for k, v in about.items())}.'
