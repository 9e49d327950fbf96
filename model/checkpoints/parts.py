# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint's parts, read from its folder and written into one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from mgpt3_ros.model.atomic_files import whole_files
from mgpt3_ros.model.checkpoints import checkpoint
from mgpt3_ros.model.checkpoints.language_weights import language_weights, outside
from mgpt3_ros.model.config import from_dict, to_dict
from mgpt3_ros.model.devices import resolve_device, resolve_dtype
from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.kinematics.recognition import ActionRecogniser
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.language.known_actions import (
    KnownAction,
    load_known_actions,
    save_known_actions,
)
from mgpt3_ros.model.language.pretrained import language_folder
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.network import AnyNetwork, build_network
from mgpt3_ros.model.pipelines.config import MotionGPT3Config


@dataclass(frozen=True)
class CheckpointParts:
    """All that a checkpoint's folder holds; the last two where it has them."""

    config: MotionGPT3Config
    network: AnyNetwork
    tokenizer: MotionTokenizer
    stats: FeatureStats
    recogniser: ActionRecogniser | None = None
    known: tuple[KnownAction, ...] = ()


def load_parts(folder: str | Path | None, device: str, dtype: str) -> CheckpointParts:
    """Read a checkpoint; see :meth:`~mgpt3_ros.model.MotionGPT3.from_pretrained`.

    Raises:
        CheckpointError: as said there.
    """
    path = checkpoint.find_checkpoint(folder)
    config = from_dict(MotionGPT3Config, checkpoint.read_config(path))
    with checkpoint.Unfilled():
        network = build_network(config.network)
    state = checkpoint.read_weights(path)
    words = path
    if config.language_model is not None:
        state |= language_weights(network.backbone, config.language_model)
        words = language_folder(config.language_model.source)
    checkpoint.load_state(network, state, str(path), assign=True)
    stats = FeatureStats.load(path / checkpoint.STATS)
    tokenizer = MotionTokenizer.load(words)
    if tokenizer.vocab_size != config.network.backbone.vocab_size:
        raise CheckpointError(
            f'{path}: the tokenizer has {tokenizer.vocab_size} tokens, '
            f'the model {config.network.backbone.vocab_size}'
        )
    network.to(resolve_device(device))
    kept = resolve_dtype(dtype)
    if kept != torch.float32:
        for name, part in network.named_children():
            if name != 'vae':
                part.to(kept)
    recogniser, known = ActionRecogniser.load(path), load_known_actions(path)
    return CheckpointParts(config, network, tokenizer, stats, recogniser, known)


def save_parts(folder: Path, parts: CheckpointParts, dtype: torch.dtype | None) -> None:
    """Write a checkpoint; see :meth:`~mgpt3_ros.model.MotionGPT3.save_pretrained`.

    Raises:
        OSError: it cannot be written; what was there stays.
    """
    language = outside(parts.network.backbone, parts.config.language_model)
    config = parts.config if language else replace(parts.config, language_model=None)
    with whole_files(folder) as partial:
        checkpoint.write_weights(partial, parts.network, dtype, language)
        parts.stats.save(partial / checkpoint.STATS)
        if not language:
            parts.tokenizer.save(partial)
        checkpoint.write_config(partial, to_dict(config))
        if parts.recogniser is not None:
            parts.recogniser.save(partial)
        if parts.known:
            save_known_actions(partial, parts.known)
