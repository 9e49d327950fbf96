# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a stage begins with: the stage before it, any other checkpoint, or fresh weights.

A model and the statistics that its features are normalised with belong together: a stage that
starts from a checkpoint keeps both. A stage of the same run must have been trained on the same
data; a checkpoint that is named by its folder is fine-tuned on whatever data there is.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mgpt3_ros.model.checkpoints import checkpoint
from mgpt3_ros.model.checkpoints.language_weights import digest_of
from mgpt3_ros.model.config import from_dict, to_dict
from mgpt3_ros.model.errors import CheckpointError, ConfigError
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.language.pretrained import LanguageModelConfig, language_folder
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network import build_network
from mgpt3_ros.model.pipelines.config import MotionGPT3Config
from mgpt3_ros.training import run_record
from mgpt3_ros.training.data.dataset import MotionDataset
from mgpt3_ros.training.run_config import RunConfig, StageConfig, TokenizerConfig

SHIPPED = 'shipped'
# What a stage may have otherwise than the one before it: no weight has its shape or sense by it.
MAY_CHANGE = (
    *('dropout', 'text_dropout', 'repeats', 'temperature', 'sampler'),
    *('num_inference_steps', 'guidance_scale'),
)
# What the first stage of a run decides for all of its stages.
SHARED = ('data', 'text_branch', 'latent_scale', 'tokenizer.folder', 'tokenizer.vocab_size')


def find_start(run: RunConfig, stage: StageConfig, output: Path) -> Path | None:
    """Folder of the checkpoint that a stage starts from; None for fresh weights.

    Raises:
        ConfigError: it is not there.
    """
    before = stage.start_from
    if before is None:
        return None
    if before == SHIPPED:
        return checkpoint.shipped_checkpoint()
    if before in run.stages:
        folder = output / before
        if not (folder / checkpoint.WEIGHTS).is_file():
            raise ConfigError(
                f'this stage starts from stage {before!r}, but {folder} holds no '
                f'checkpoint: run `mgpt3 train {before}` first'
            )
        return folder
    try:
        return checkpoint.find_checkpoint(before)
    except CheckpointError as error:
        raise ConfigError(
            f'start_from is {before!r}, which is neither a stage ({", ".join(run.stages)}) '
            f'nor a checkpoint: {error}'
        ) from error


def start_model(
    run: RunConfig, stage: StageConfig, dataset: MotionDataset, output: Path
) -> MotionGPT3:
    """The model that a stage begins with.

    Raises:
        ConfigError: what it starts from is not there, is another model, or was trained on other
            data within the same run.
    """
    folder = find_start(run, stage, output)
    if folder is not None:
        if stage.start_from in run.stages:
            _check_same_run(run, folder, dataset)
        return _continued(run, folder)
    tokenizer = load_tokenizer(run.tokenizer, dataset)
    config = model_config(run, tokenizer.vocab_size)
    torch.manual_seed(stage.optim.seed)
    fresh = build_network(config.network)
    if run.text_branch is not None:
        fresh.backbone.load_text(run.text_branch)
        if config.network.backbone.llama is not None and not Path(run.text_branch).is_dir():
            # Others can have it by that name: it need not be in every checkpoint.
            digest = digest_of(fresh.backbone.text_state())
            config = replace(config, language_model=LanguageModelConfig(run.text_branch, digest))
    return MotionGPT3(config, fresh, tokenizer, dataset.stats)


def _check_same_run(run: RunConfig, folder: Path, dataset: MotionDataset) -> None:
    """Refuse a stage of this run that was trained on other data, or made for another."""
    record = run_record.read(folder)
    if record is not None:
        now = {**to_dict(run), 'data': dataset.digest}
        found = run_record.differences(record, now)
        odd = [found[key] for key in SHARED if key in found]
    else:  # a converted model does not know its data, but has its statistics
        own = FeatureStats.load(folder / checkpoint.STATS)
        pairs = ((own.mean, dataset.stats.mean), (own.std, dataset.stats.std))
        same = all(np.allclose(*pair, rtol=1e-3, atol=1e-4) for pair in pairs)
        odd = [] if same else ['the mean and deviation of the features are those of other data']
    if odd:
        raise ConfigError(
            f'the stage before, in {folder}, was trained otherwise: {"; ".join(odd)}. All stages '
            'of a run share one data set. Train the stages before on this one too, into another '
            f'folder; or name the checkpoint, start_from={folder}, to go on from it on '
            'this data: features are then normalised with its own statistics.'
        )


def _continued(run: RunConfig, folder: Path) -> MotionGPT3:
    """The preset's model with the weights, the tokenizer and the statistics of a checkpoint."""
    found = MotionGPT3.from_pretrained(folder, device='cpu', dtype='float32')
    config = model_config(run, found.tokenizer.vocab_size)
    there, here = to_dict(found.config.network), to_dict(config.network)
    odd = [
        what
        for key, what in run_record.differences(there, here).items()
        if key.split('.')[-1] not in MAY_CHANGE
    ]
    if odd:
        raise ConfigError(
            f'the checkpoint in {folder} is of another model: {"; ".join(odd)} '
            '(under model.network). Set these as they were, or start from another checkpoint.'
        )
    network = build_network(config.network)
    network.load_state_dict(found.network.state_dict())
    config = replace(config, language_model=found.config.language_model)
    return MotionGPT3(config, network, found.tokenizer, found.stats)


def load_tokenizer(config: TokenizerConfig, dataset: MotionDataset) -> MotionTokenizer:
    """The tokenizer of a fresh model: from its folder, or learned from the data set's texts."""
    if config.folder is not None:
        return MotionTokenizer.load(language_folder(config.folder))
    return MotionTokenizer.train(dataset.all_texts(), config.vocab_size)


def model_config(run: RunConfig, vocab_size: int) -> MotionGPT3Config:
    """The configuration of the preset's model, with so many words.

    Raises:
        ConfigError: a key or a value of section ``model`` is wrong.
    """
    model = {**run.model}
    network = {**model.pop('network')}
    network['backbone'] = {**network['backbone'], 'vocab_size': vocab_size}
    return from_dict(MotionGPT3Config, {**model, 'network': network}, 'model')
