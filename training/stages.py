# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stages of training: each a configuration over one trainer, each from folder to folder.

``vae`` learns motion alone; ``text`` gives the text branch its language where no pretrained GPT-2
is at hand; ``t2m``, ``align`` and ``instruct`` are the paper's three (section 3.4). ``tmr`` trains
an evaluator (`evaluation.tmr`): it is no part of the model, so no preset's list of stages has it.
"""

from __future__ import annotations

import itertools
import logging
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from os import environ
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mgpt3_ros.model.config import to_dict
from mgpt3_ros.model.devices import resolve_device
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.extras import extra
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network import AnyNetwork
from mgpt3_ros.model.network.code_network import CodeNetwork
from mgpt3_ros.model.network.heads import KINDS, CodeHead
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.model.network.onednn import use_onednn
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.training import run_record
from mgpt3_ros.training.code_batches import CodeBatcher
from mgpt3_ros.training.data.dataset import MotionDataset, load_dataset
from mgpt3_ros.training.evaluation.tmr import TextMotionEncoder
from mgpt3_ros.training.latent_cache import clip_latents
from mgpt3_ros.training.latent_size import check_latents, whiten
from mgpt3_ros.training.run_config import RunConfig, StageConfig
from mgpt3_ros.training.run_record import TMR
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.start import find_start, load_tokenizer, start_model
from mgpt3_ros.training.stream_stages import fit_codec, stream_task
from mgpt3_ros.training.tasks import TaskBatcher
from mgpt3_ros.training.tmr_training import TmrStageConfig, fresh_encoder, tmr_trainer
from mgpt3_ros.training.tracking import start_trackers
from mgpt3_ros.training.trainer import Trainer
from mgpt3_ros.training.vae_training import COMPARED, VaeBatcher, VaeTask
from mgpt3_ros.training.validation import Keeper, Validation, figures_of, usual_clips

with extra('train'):
    from accelerate import PartialState

_LOG = logging.getLogger(__name__)


def run_stage(
    name: str,
    run: RunConfig,
    data_folder: str | Path | Sequence[str | Path],
    output: str | Path,
    device: str = 'auto',
    new_rate: bool = False,
) -> Path:
    """Train one stage, from the last checkpoint where it was interrupted.

    Args:
        name: of the stage in ``run.stages``, or ``tmr``, which starts from nothing else.
        run: the preset.
        data_folder: of the data set, or of several.
        output: run folder; the stage writes ``output/name``, a checkpoint folder.
        device: 'auto', 'cpu' or 'cuda'.
        new_rate: whether a stage that goes on may do so with another learning rate. Its steps,
            and how often it logs and saves, may always be others.

    Returns:
        The folder that was written.

    Raises:
        ConfigError: there is no such stage, what it starts from is not there, or it began
            otherwise than it would go on.
    """
    if name not in (*run.stages, TMR):
        known = ', '.join([*run.stages, TMR])
        raise ConfigError(f'no stage {name!r} in this preset; it has: {known}')
    output, folder = Path(output), Path(output) / name
    dataset = _described(run, data_folder)
    where = resolve_device(device)
    state = _processes(where)
    stage = run.tmr if name == TMR else run.stages[name]
    start = find_start(run, stage, output) if isinstance(stage, StageConfig) else None
    record = run_record.describe(run, name, dataset.digest, start, state.num_processes)
    run_record.check(folder, record, new_rate)
    optim = stage.optim
    if run_record.finished(folder, optim.steps):
        return folder
    split = Split(
        optim.batch_size, optim.seed, state.process_index, state.num_processes, optim.accumulate
    )
    model, trainer = _begun(name, run, stage, dataset, output, where, split)
    if trainer is None:
        _save(model, folder)
        run_record.write(folder, record, done=optim.steps)
        return folder
    start_trackers(trainer.accelerator, run.trackers, folder, to_dict(stage))
    trainer.resume()
    if state.is_main_process:
        run_record.write(folder, record)
    trainer.run()
    with trainer.averaged():
        network = model.network
        if name == 'vae' and isinstance(network, MotionGPT3Network) and not network.vae.whitened:
            _whiten(network, dataset, run.latent_scale)
        if state.is_main_process:
            _save(model, folder)
            run_record.write(folder, record, done=trainer.step)
    state.wait_for_everyone()  # the next stage starts from this folder
    return folder


def _described(run: RunConfig, folder: str | Path | Sequence[str | Path]) -> MotionDataset:
    """The data set as the preset would have it."""
    dataset = load_dataset(folder, None, run.humanml3d, run.mocap22, run.reader)
    dataset.describe_by(run.captions)
    dataset.balance(run.balance)
    dataset.hold_out(run.held_out)
    return dataset


def _processes(where: torch.device) -> PartialState:
    """The processes that train together; a launch that gave only one is told of."""
    state = PartialState(cpu=where.type == 'cpu')
    if (
        state.num_processes == 1
        and where.type == 'cpu'
        and 'ACCELERATE_MIXED_PRECISION' in environ
    ):
        _LOG.warning(
            'accelerate has launched one process, whatever was asked for: on a CPU start several '
            'by `torchrun --nproc-per-node=N -m mgpt3_ros.training.train ...`'
        )
    return state


def _begun(
    name: str,
    run: RunConfig,
    stage: StageConfig | TmrStageConfig,
    dataset: MotionDataset,
    output: Path,
    where: torch.device,
    split: Split,
) -> tuple[MotionGPT3 | TextMotionEncoder, Trainer | None]:
    """What a stage trains and its trainer; None where nothing is learned by gradients."""
    if not isinstance(stage, StageConfig):
        encoder = fresh_encoder(stage, dataset, load_tokenizer(run.tokenizer, dataset))
        encoder.network.to(where)
        return encoder, tmr_trainer(encoder, stage, dataset, output / name, split)
    model = start_model(run, stage, dataset, output)
    model.network.to(where).train()
    if isinstance(model.network, StreamNetwork):
        dataset.add_standing()
        if name == 'vae':  # a codec of chunks is fitted
            fit_codec(model.network, dataset)
            return model, None
    return model, make_trainer(name, stage, model, dataset, output / name, split)


def _save(model: MotionGPT3 | TextMotionEncoder, folder: Path) -> None:
    model.save_pretrained(folder) if isinstance(model, MotionGPT3) else model.save(folder)


def _whiten(network: MotionGPT3Network, dataset: MotionDataset, scale: float | None) -> None:
    """Tell the network the mean and the spread of the latents of a VAE that does not whiten."""
    if scale is not None:
        network.latent_mean.zero_()
        network.latent_std.fill_(1 / scale)
        return
    # The next stages take these latents up again.
    with PartialState().main_process_first():
        whiten(network, dataset)


def freeze_all_but(network: AnyNetwork, groups: tuple[str, ...]) -> None:
    """Leave gradients to the parameters of some groups.

    ``text[24:]`` stands for the text's layers from number 24 on, and its last norm.

    Raises:
        ConfigError: a group's name is unknown, or it shares parameters with one that is left out.
    """
    known = network.parameter_groups()
    chosen = {group: _parameters_of(group, network) for group in groups}
    for group, shared in itertools.product(groups, known):
        held = {id(p) for p in known[shared]} & {id(p) for p in chosen[group]}
        if held and shared not in (*groups, group.partition('[')[0]):
            raise ConfigError(
                f'groups {group} and {shared} have parameters in common (backbone.unified): a '
                'stage trains both or neither'
            )
    network.requires_grad_(False)
    for group in groups:
        for parameter in chosen[group]:
            parameter.requires_grad_(True)


def _parameters_of(group: str, network: AnyNetwork) -> list[nn.Parameter]:
    known, backbone = network.parameter_groups(), network.backbone
    top = re.fullmatch(r'text\[(\d+):\]', group)
    if top is not None and int(top[1]) < len(backbone.layers):
        return backbone.text_layers(int(top[1]))
    if group not in known:
        raise ConfigError(f'unknown parameter group {group!r}; known: {", ".join(known)}')
    return known[group]


def make_trainer(
    name: str,
    stage: StageConfig,
    model: MotionGPT3,
    dataset: MotionDataset,
    folder: Path,
    split: Split,
) -> Trainer:
    """The trainer of a stage, whose model is on its device.

    Whatever the data's own statistics are, features are normalised with those of the model.
    """
    dataset.stats = model.stats
    longest, limit = max(map(len, dataset.features)), model.network.vae.max_frames
    if limit is not None and longest > limit:
        raise ConfigError(
            f'the data holds a clip of {longest} frames, but the VAE takes {limit}: set '
            f'humanml3d.max_frames or mocap22.max_frames to {limit} or less'
        )
    task, batcher, weights = _parts(name, stage, model, dataset)
    if not stage.optim.sharded:  # whose weights are no tensors of oneDNN's
        use_onednn(model.network, stage.optim.onednn, learns=True)
    config, validation, keeper = stage.validation, None, None
    held_back = usual_clips(dataset) if config.every else []
    if held_back:
        batch = batcher(dataset.of_clips(held_back), replace(split, process=0, processes=1))
        figures = figures_of(config, model, dataset)
        validation = Validation(config, task, batch, weights, figures)
        keeper = Keeper(folder, model.save_pretrained, config.keep)
    return Trainer(
        *(task, batcher(dataset, split), weights, stage.optim, folder, validation),
        validate_every=config.every or None,
        keep=keeper.write if keeper is not None else None,
    )


Batchers = Callable[[MotionDataset, Split], Callable[[int, int, torch.device], tuple[Any, ...]]]


def _parts(
    name: str, stage: StageConfig, model: MotionGPT3, dataset: MotionDataset
) -> tuple[nn.Module, Batchers, dict[str, float]]:
    """What a stage minimises, what makes its batches of a data set, and its terms' weights."""
    network = model.network
    weights = check_stage(name, stage, network)
    if isinstance(network, StreamNetwork):
        return *stream_task(stage, model), weights
    if name == 'vae':
        return *_vae_parts(stage, network, dataset), weights
    if isinstance(network, CodeNetwork):
        return *_code_parts(stage, model, network), weights
    network.learns_words = weights.get('text', 0.0) > 0
    return *_task_parts(stage, model, network, dataset), weights


def check_stage(name: str, stage: StageConfig, network: AnyNetwork) -> dict[str, float]:
    """The weight of each loss term of a stage, with gradients left to what it trains alone.

    Raises:
        ConfigError: it trains nothing, or a group or a term that the network has not.
    """
    if name == 'vae':
        if not isinstance(network, StreamNetwork):  # whose codec is fitted, without losses
            freeze_all_but(network, ('vae',))
            _check_names(stage, (*COMPARED, *network.vae.loss_terms))
        return stage.losses
    if not stage.trained:
        known = ', '.join(network.parameter_groups())
        raise ConfigError(f'`trained` of stage {name} is empty: name groups of {known}')
    freeze_all_but(network, stage.trained)
    return loss_weights(stage, network)


def _vae_parts(
    stage: StageConfig, network: MotionGPT3Network | CodeNetwork, dataset: MotionDataset
) -> tuple[nn.Module, Batchers]:
    vae, device = network.vae, next(network.parameters()).device
    if stage.start_from is None:
        vae.cpu().fit(dataset.fit_clips(), dataset.stats)
        vae.to(device)
    return VaeTask(vae, dataset.stats), VaeBatcher


def _check_names(stage: StageConfig, known: Iterable[str]) -> None:
    """Refuse weights of terms that nothing has."""
    unknown = sorted(stage.losses.keys() - set(known))
    wrong = [name for name, weight in stage.losses.items() if not 0 <= weight < math.inf]
    if wrong:
        raise ConfigError(
            f'losses.{wrong[0]} is {stage.losses[wrong[0]]}; a weight must be a number from 0 on'
        )
    if unknown:
        raise ConfigError(
            f'losses: unknown term {unknown[0]!r}; known terms: {", ".join(sorted(set(known)))}'
        )


def loss_weights(stage: StageConfig, network: AnyNetwork) -> dict[str, float]:
    """Weight of each loss term of the network in a stage.

    Raises:
        ConfigError: a term is unknown, or the head would be trained without its loss. Terms of
            other kinds of head are known, so that one stage serves them all.
    """
    head = network.head
    of_heads = [term for kind in KINDS.values() for term in kind.loss_terms]
    _check_names(stage, ['head', *network.loss_terms, *of_heads, *CodeHead.loss_terms])
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


def _task_parts(
    stage: StageConfig, model: MotionGPT3, network: MotionGPT3Network, dataset: MotionDataset
) -> tuple[nn.Module, Batchers]:
    network.vae.eval()
    check_latents(network, dataset)
    network.head.importance.copy_(network.vae.latent_importance().flatten())
    if stage.condition_drop is not None:
        network.head.condition_drop = stage.condition_drop
    latents = None
    if stage.options.cache_latents:
        with PartialState().main_process_first():
            latents = clip_latents(network, dataset)

    def batcher(clips: MotionDataset, split: Split) -> TaskBatcher:
        return TaskBatcher(
            clips,
            network,
            model.tokenizer,
            model.config.prompts,
            stage.tasks,
            stage.options,
            split,
            latents if clips is dataset else None,
            model.config.inbetween_whole,
        )

    return network, batcher


def _code_parts(
    stage: StageConfig, model: MotionGPT3, network: CodeNetwork
) -> tuple[nn.Module, Batchers]:
    network.vae.eval()

    def batcher(clips: MotionDataset, split: Split) -> CodeBatcher:
        config = model.config
        return CodeBatcher(
            *(clips, network, model.tokenizer, config.prompts, stage.tasks, stage.options, split),
            config.inbetween_whole,
        )

    return network, batcher
