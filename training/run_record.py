# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``run.json``: with which settings, data and weights a stage began, and whether it goes on alike.

A stage that goes on takes its weights from ``checkpoint.pt`` and all else from its settings. What
was changed in between would hold for some of its steps, or for none, and nothing would say so.
"""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from mgpt3_ros.model.checkpoints import checkpoint
from mgpt3_ros.model.config import to_dict
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.training.run_config import RunConfig
from mgpt3_ros.training.trainer import CHECKPOINT

FILE, TMR = 'run.json', 'tmr'
HASH_LENGTH = 64  # hexadecimal digits of SHA-256
# Keys of ``optim`` that a run may have otherwise when it goes on; the last two make a step of
# ``samples_a_step``, which stays: several processes or micro-batches read the same samples.
FREE = (
    'steps',
    'checkpoint_every',
    'log_every',
    'sharded',
    'prefetch',
    'onednn',
    'batch_size',
    'accumulate',
)
# Those that may change when it is asked for.
RATE = ('learning_rate', 'head_learning_rate', 'warmup_steps', 'final_rate_share', 'cosine_steps')


def describe(
    run: RunConfig, stage: str, data: str, start: Path | None, processes: int
) -> dict[str, Any]:
    """What decides the weights of a stage.

    Args:
        run: the preset.
        stage: name of the stage.
        data: hash of the data set.
        start: folder of the checkpoint that the stage starts from.
        processes: that train it together.
    """
    optim = run.tmr.optim if stage == TMR else run.stages[stage].optim
    return {
        **to_dict(run),
        'stage': stage,
        'data': data,
        'start_weights': start and _hash(start / checkpoint.WEIGHTS),
        'samples_a_step': optim.batch_size * optim.accumulate * processes,
        'processes': processes,
        'made_with': made_with(),
    }


def made_with() -> dict[str, Any]:
    """What else tells one run from another: commit, versions and the command line."""
    names = ('mgpt3_ros', 'torch', 'numpy', 'scipy', 'accelerate', 'transformers')
    versions = {name: _version(name) for name in names}
    return {
        'commit': _commit(),
        'versions': {'python': platform.python_version(), **versions},
        'command': sys.argv,
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Of the checkout that the code lies in, ``-changed`` where files differ; None: it is none."""
    git = ['git', '-C', str(Path(__file__).resolve().parent)]
    try:
        found = subprocess.run(
            [*git, 'rev-parse', 'HEAD'], capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run([*git, 'diff', '--quiet', 'HEAD'], capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return f'{found}-changed' if changed.returncode else found


def read(folder: Path) -> dict[str, Any] | None:
    """The record in a stage's folder; None where there is none, as beside a converted model."""
    try:
        found = json.loads((folder / FILE).read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write(folder: Path, record: dict[str, Any], done: int | None = None) -> None:
    """Write the record; ``done`` are the steps of a stage whose model has been written."""
    folder.mkdir(parents=True, exist_ok=True)
    content = record if done is None else {**record, 'done': done}
    checkpoint.write_text(folder / FILE, json.dumps(content, indent=2) + '\n')


def check(folder: Path, record: dict[str, Any], new_rate: bool = False) -> None:
    """Refuse to go on with a stage that began otherwise.

    Args:
        folder: of the stage.
        record: as it would go on.
        new_rate: whether its learning rates may be others.

    Raises:
        ConfigError: it would; the keys are named with both values. Or the folder holds a model
            that no training left there.
    """
    before = read(folder)
    if not (folder / CHECKPOINT).exists():
        if before is None and (folder / checkpoint.WEIGHTS).exists():
            raise ConfigError(
                f'{folder} holds a model that was not trained there, such as a converted one, '
                'and would be overwritten. Train the stages after it, or into another folder.'
            )
        return
    if before is None:
        raise ConfigError(
            f'{folder} holds a run, but no {FILE} that says how it began. '
            'Train into another folder, or remove this one.'
        )
    # What earlier versions did not write down cannot be compared.
    unknown = {
        key: record[key] for key in ('start_weights', 'samples_a_step') if key not in before
    }
    odd = differences(_deciding({**before, **unknown}), _deciding(record))
    rates = _optim(record, RATE) & odd.keys()
    for key in rates if new_rate else ():
        del odd[key]
    if odd:
        hint = ' Give --new-rate to go on with another rate.' if rates and not new_rate else ''
        raise ConfigError(
            f'{folder} holds a run that began otherwise: {"; ".join(odd.values())}. Set these as '
            f'they were, or train into another folder.{hint}'
        )


def finished(folder: Path, steps: int) -> bool:
    """Whether the model of a stage has been written after all of its steps."""
    before = read(folder) or {}
    return before.get('done') == steps and (folder / checkpoint.WEIGHTS).is_file()


def differences(before: dict[str, Any], now: dict[str, Any]) -> dict[str, str]:
    """Of the dotted keys in which nested dictionaries differ, what they were and are, in words."""
    old, new = _flat(before), _flat(now)
    return {
        key: f'{key} was {_shown(old.get(key))} and is {_shown(new.get(key))}'
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
        # An option that came later, and is off, was not there to be written down.
        and not (key not in old and not new[key])
    }


def _shown(value: Any) -> str:
    """A value in a message; of a hash its beginning."""
    return value[:12] if isinstance(value, str) and len(value) == HASH_LENGTH else repr(value)


def _flat(data: dict[str, Any], where: str = '') -> dict[str, Any]:
    """Nested dictionaries as one, with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in data.items():
        flat |= _flat(value, f'{where}{key}.') if isinstance(value, dict) else {where + key: value}
    return flat


def _optim(record: dict[str, Any], names: tuple[str, ...]) -> set[str]:
    """Dotted keys of the optimiser's settings of a record's stage."""
    stage = record['stage']
    where = TMR if stage == TMR else f'stages.{stage}'
    return {f'{where}.optim.{name}' for name in names}


def _deciding(record: dict[str, Any]) -> dict[str, Any]:
    """What of a record decides the weights of its stage, with dotted keys."""
    stage = record['stage']
    if stage == TMR:  # its negatives are those of a batch
        own, ignored = f'{TMR}.', _optim(record, FREE) - _optim(record, ('batch_size',))
        others: tuple[str, ...] = ('model.', 'stages.', 'text_branch', 'latent_scale')
    else:
        own, ignored, others = f'stages.{stage}.', _optim(record, FREE), ('stages.', f'{TMR}.')
    ignored |= {
        'done',
        'processes',
        'trackers',
        f'{own}start_from',
    }  # ``start_weights`` says with which weights
    return {
        key: value
        for key, value in _flat(record).items()
        if key not in ignored
        # What measures teaches nothing, and what was typed is compared by what it says.
        and not key.startswith((f'{own}validation.', 'made_with.'))
        and (key.startswith(own) or not key.startswith(others))
    }


def _hash(file: Path) -> str:
    with file.open('rb') as content:
        return hashlib.file_digest(content, 'sha256').hexdigest()
