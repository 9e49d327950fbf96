# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stages of training: each a configuration over one trainer, each from folder to folder.

``vae`` learns motion alone; ``text`` gives the text branch its language where no pretrained GPT-2
is at hand; ``t2m``, ``align`` and ``instruct`` are the paper's three (section 3.4). ``tmr`` trains
an evaluator (`evaluation.tmr`): it is no part of the model, so no preset's list of stages has it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mgpt3_ros.model import checkpoint
from mgpt3_ros.model.config import from_dict, load_yaml, to_dict
from mgpt3_ros.model.devices import resolve_device
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.extras import extra
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.motiongpt3 import MotionGPT3, MotionGPT3Config
from mgpt3_ros.model.network.heads import KINDS
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.training.data.captions import CaptionOptions
from mgpt3_ros.training.data.dataset import MotionDataset, load_dataset
from mgpt3_ros.training.data.humanml3d import HumanML3DOptions
from mgpt3_ros.training.data.packs import PackOptions
from mgpt3_ros.training.latent_cache import clip_latents
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.tasks import TaskBatcher, TaskMix, TaskOptions
from mgpt3_ros.training.tmr_training import TmrStageConfig, fresh_encoder, tmr_trainer
from mgpt3_ros.training.trainer import OptimConfig, Trainer
from mgpt3_ros.training.vae_training import VaeBatcher, VaeTask

with extra('train'):
    from accelerate import PartialState

TMR = 'tmr'

# What a stage may have otherwise than the one before it: no weight has its shape or sense by it.
MAY_CHANGE = (
    *('dropout', 'text_dropout', 'repeats', 'temperature', 'sampler'),
    *('num_inference_steps', 'guidance_scale'),
)


@dataclass(frozen=True)
class StageConfig:
    """One stage: what it starts from, what it trains, on which tasks, with which losses.

    start_from: the stage before it in the same run folder, or None for fresh weights.
    trained: names of the network's parameter groups; everything else is frozen.
    losses: weight of each loss term; terms without one are only logged. ``head`` stands for all
        terms of the head, of whatever kind, that are not named.
    condition_drop: share of the samples that see the head's fake condition; None leaves it as
        the model has it. The authors drop none after stage 1.
    optional: trained by its name alone, not by ``all``.
    """

    start_from: str | None = None
    trained: tuple[str, ...] = ()
    tasks: TaskMix = field(default_factory=TaskMix)
    options: TaskOptions = field(default_factory=TaskOptions)
    losses: dict[str, float] = field(default_factory=dict)
    optim: OptimConfig = field(default_factory=OptimConfig)
    condition_drop: float | None = None
    optional: bool = False


@dataclass(frozen=True)
class TokenizerConfig:
    """A folder with GPT-2's files, or the size of a vocabulary that is learned from the data."""

    folder: str | None = None
    vocab_size: int = 1024


@dataclass(frozen=True)
class RunConfig:
    """A preset: the model and its stages.

    text_branch: folder (or name on the hub) of the GPT-2 checkpoint that the text branch starts
        from; None for fresh weights, which a stage ``text`` must train.
    latent_scale: None whitens the latents of the paper's VAE per dimension; a number multiplies
        them instead, as the authors do (0.8457 for HumanML3D).
    humanml3d: what is taken of a data set in HumanML3D's layout.
    mocap22: what is taken of a pack.
    balance: 0 draws clips alike, 1 actions alike; see :func:`~mgpt3_ros.training.data.dataset.
        action_weights`.
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
    captions: CaptionOptions = field(default_factory=CaptionOptions)
    tmr: TmrStageConfig = field(default_factory=TmrStageConfig)


def load_run_config(path: str | Path, overrides: tuple[str, ...] = ()) -> RunConfig:
    """Read a preset by name (such as ``small``) or a YAML file, with ``key.key=value`` overrides.

    Raises:
        ConfigError: a file, key or value is wrong.
    """
    shipped = Path(__file__).resolve().parent / 'configs'
    file = Path(path)
    if not file.suffix:
        file = shipped / f'{path}.yaml'
        if not file.is_file():
            known = ', '.join(sorted(p.stem for p in shipped.glob('*.yaml')))
            raise ConfigError(f'no preset {str(path)!r}; presets are: {known}')
    data = load_yaml(file)
    for override in overrides:
        _override(data, override)
    return from_dict(RunConfig, data)


def _override(data: dict[str, Any], override: str) -> None:
    import yaml

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


def run_stage(
    name: str, run: RunConfig, data_folder: str | Path, output: str | Path, device: str = 'auto'
) -> Path:
    """Train one stage, from the last checkpoint where it was interrupted.

    Args:
        name: of the stage in ``run.stages``, or ``tmr``.
        run: the preset.
        data_folder: of the data set.
        output: run folder; the stage writes ``output/name``, a checkpoint folder.
        device: 'auto', 'cpu' or 'cuda'.

    Returns:
        The folder that was written.

    Raises:
        ConfigError: there is no such stage, or the stage before it has not been trained.
    """
    if name == TMR:
        return _run_tmr(run, data_folder, Path(output), device)
    if name not in run.stages:
        known = ', '.join([*run.stages, TMR])
        raise ConfigError(f'no stage {name!r} in this preset; it has: {known}')
    stage = run.stages[name]
    folder = Path(output) / name
    dataset = load_dataset(data_folder, None, run.humanml3d, run.mocap22)
    dataset.describe_by(run.captions)
    dataset.balance(run.balance)
    model = start_model(run, stage, dataset, Path(output))
    where = resolve_device(device)
    state = PartialState(cpu=where.type == 'cpu')
    optim = stage.optim
    split = Split(
        optim.batch_size, optim.seed, state.process_index, state.num_processes, optim.accumulate
    )
    network = model.network.to(where)
    network.train()
    trainer = make_trainer(name, stage, model, dataset, folder, split)
    checkpoint_config = {**to_dict(run), 'stage': name, 'data': dataset.digest}
    if state.is_main_process:
        folder.mkdir(parents=True, exist_ok=True)
        checkpoint.write_text(folder / 'run.json', _json(checkpoint_config))
    trainer.run()
    with trainer.averaged():
        if name == 'vae' and not network.vae.whitened:
            _whiten(network, dataset, run.latent_scale)
        if state.is_main_process:
            MotionGPT3(model.config, network.cpu(), model.tokenizer, model.stats).save_pretrained(
                folder
            )
    state.wait_for_everyone()  # the next stage starts from this folder
    return folder


def _run_tmr(run: RunConfig, data_folder: str | Path, output: Path, device: str) -> Path:
    """Train an evaluator, which starts from nothing that another stage made."""
    folder, config = output / TMR, run.tmr
    dataset = load_dataset(data_folder, None, run.humanml3d, run.mocap22)
    dataset.describe_by(run.captions)
    dataset.balance(run.balance)
    where = resolve_device(device)
    state = PartialState(cpu=where.type == 'cpu')
    optim = config.optim
    split = Split(optim.batch_size, optim.seed, state.process_index, state.num_processes)
    encoder = fresh_encoder(config, dataset, _tokenizer(run.tokenizer, dataset))
    encoder.network.to(where)
    trainer = tmr_trainer(encoder, config, dataset, folder, split)
    if state.is_main_process:
        folder.mkdir(parents=True, exist_ok=True)
        settings = {'tmr': to_dict(config), 'stage': TMR, 'data': dataset.digest}
        checkpoint.write_text(folder / 'run.json', _json(settings))
    trainer.run()
    with trainer.averaged():
        if state.is_main_process:
            encoder.save(folder)
    state.wait_for_everyone()
    return folder


@torch.no_grad()
def _whiten(network: MotionGPT3Network, dataset: MotionDataset, scale: float | None) -> None:
    """Tell the network the mean and the spread of the latents of a VAE that does not whiten."""
    if scale is not None:
        network.latent_mean.zero_()
        network.latent_std.fill_(1 / scale)
        return
    # The next stages take these latents up again.
    with PartialState().main_process_first():
        means = clip_latents(network, dataset)[:, 0]
    stacked = torch.from_numpy(np.array(means)).to(network.latent_mean.device)
    network.latent_mean.copy_(stacked.mean(dim=0))
    network.latent_std.copy_(stacked.std(dim=0).clamp(min=1e-6))


def _json(data: dict[str, Any]) -> str:
    import json

    return json.dumps(data, indent=2) + '\n'


def start_model(
    run: RunConfig, stage: StageConfig, dataset: MotionDataset, output: Path
) -> MotionGPT3:
    """The model that a stage begins with: the folder of the stage before it, or fresh."""
    if stage.start_from is not None:
        return _continued(run, stage.start_from, output)
    tokenizer = _tokenizer(run.tokenizer, dataset)
    config = _model_config(run, tokenizer.vocab_size)
    torch.manual_seed(stage.optim.seed)
    fresh = MotionGPT3Network(config.network)
    if run.text_branch is not None:
        fresh.backbone.load_gpt2(run.text_branch)
    return MotionGPT3(config, fresh, tokenizer, dataset.stats)


def _continued(run: RunConfig, before: str, output: Path) -> MotionGPT3:
    """The preset's model with the weights of the stage before."""
    folder = output / before
    if not (folder / checkpoint.WEIGHTS).is_file():
        raise ConfigError(
            f'this stage starts from stage {before!r}, but {folder} holds no '
            f'checkpoint: run `mgpt3 train {before}` first'
        )
    found = MotionGPT3.from_pretrained(folder, device='cpu')
    config = _model_config(run, found.tokenizer.vocab_size)
    there, here = (_flat(to_dict(each.network)) for each in (found.config, config))
    odd = [
        f'{key} is {there.get(key)!r} there and {here.get(key)!r} here'
        for key in sorted(there.keys() | here.keys())
        if there.get(key) != here.get(key) and key.split('.')[-1] not in MAY_CHANGE
    ]
    if odd:
        raise ConfigError(
            f'stage {before!r} in {folder} was trained with another model: {"; ".join(odd)} '
            f'(under model.network). Set these as they were, or train {before!r} again.'
        )
    network = MotionGPT3Network(config.network)
    network.load_state_dict(found.network.state_dict())
    return MotionGPT3(config, network, found.tokenizer, found.stats)


def _model_config(run: RunConfig, vocab_size: int) -> MotionGPT3Config:
    model = {**run.model}
    network = {**model.pop('network')}
    network['backbone'] = {**network['backbone'], 'vocab_size': vocab_size}
    return from_dict(MotionGPT3Config, {**model, 'network': network}, 'model')


def _flat(data: dict[str, Any], where: str = '') -> dict[str, Any]:
    """Nested dictionaries as one, with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in data.items():
        flat |= _flat(value, f'{where}{key}.') if isinstance(value, dict) else {where + key: value}
    return flat


def _tokenizer(config: TokenizerConfig, dataset: MotionDataset) -> MotionTokenizer:
    if config.folder is not None:
        return MotionTokenizer.load(config.folder)
    return MotionTokenizer.train(dataset.all_texts(), config.vocab_size)


def freeze_all_but(network: MotionGPT3Network, groups: tuple[str, ...]) -> None:
    """Leave gradients to the parameters of some groups.

    Raises:
        ConfigError: a group's name is unknown.
    """
    known = network.parameter_groups()
    for group in groups:
        if group not in known:
            raise ConfigError(f'unknown parameter group {group!r}; known: {", ".join(known)}')
    network.requires_grad_(False)
    for group in groups:
        for parameter in known[group]:
            parameter.requires_grad_(True)


def make_trainer(
    name: str,
    stage: StageConfig,
    model: MotionGPT3,
    dataset: MotionDataset,
    folder: Path,
    split: Split,
) -> Trainer:
    """The trainer of a stage, whose model is on its device."""
    if name == 'vae':
        return _vae_trainer(stage, model.network, dataset, folder, split)
    return _task_trainer(stage, model, dataset, folder, split)


def _vae_trainer(
    stage: StageConfig,
    network: MotionGPT3Network,
    dataset: MotionDataset,
    folder: Path,
    split: Split,
) -> Trainer:
    vae = network.vae
    vae.cpu().fit(dataset.fit_clips(), dataset.stats)
    vae.to(network.latent_mean.device)
    freeze_all_but(network, ('vae',))
    task = VaeTask(vae, dataset.stats)
    _check_names(stage, task.loss_terms)
    return Trainer(task, VaeBatcher(dataset, split), stage.losses, stage.optim, folder)


def _check_names(stage: StageConfig, known: Iterable[str]) -> None:
    """Refuse weights of terms that nothing has."""
    unknown = sorted(stage.losses.keys() - set(known))
    if unknown:
        raise ConfigError(
            f'losses: unknown term {unknown[0]!r}; known terms: {", ".join(sorted(set(known)))}'
        )


def loss_weights(stage: StageConfig, network: MotionGPT3Network) -> dict[str, float]:
    """Weight of each loss term of the network in a stage.

    Raises:
        ConfigError: a term is unknown, or the head would be trained without its loss. Terms of
            other kinds of head are known, so that one stage serves them all.
    """
    head = network.head
    of_heads = [term for kind in KINDS.values() for term in kind.loss_terms]
    _check_names(stage, ['head', *network.loss_terms, *of_heads])
    weights = {**stage.losses}
    if 'head' in weights:
        weights = dict.fromkeys(head.loss_terms, weights.pop('head')) | weights
    draws = stage.tasks.generate + stage.tasks.predict + stage.tasks.inbetween > 0
    if 'head' in stage.trained and draws and not weights.get(head.loss_terms[0]):
        raise ConfigError(
            f'this stage trains a head of kind {head.config.kind!r}, but its loss '
            f'{head.loss_terms[0]!r} has no weight: set losses.head of the stage, such as 1.0'
        )
    return weights


def _task_trainer(
    stage: StageConfig, model: MotionGPT3, dataset: MotionDataset, folder: Path, split: Split
) -> Trainer:
    network = model.network
    freeze_all_but(network, stage.trained)
    weights = loss_weights(stage, network)
    network.vae.eval()
    network.head.importance.copy_(network.vae.latent_importance().flatten())
    if stage.condition_drop is not None:
        network.head.condition_drop = stage.condition_drop
    latents = None
    if stage.options.cache_latents:
        with PartialState().main_process_first():
            latents = clip_latents(network, dataset)
    batcher = TaskBatcher(
        dataset,
        network,
        model.tokenizer,
        model.config.prompts,
        stage.tasks,
        stage.options,
        split,
        latents,
        model.config.inbetween_whole,
    )
    return Trainer(network, batcher, weights, stage.optim, folder)
