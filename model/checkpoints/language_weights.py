# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A text branch that stays where it came from: a checkpoint holds the motion side alone.

As long as training leaves the language model as it was, its weights and its tokenizer are read
from the package, folder or hub that they came from, and a checkpoint says which and has a hash of
them. Once they are trained they are written as all other weights.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from mgpt3_ros.model.atomic_files import whole_file
from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.language.pretrained import LanguageModelConfig, user_cache
from mgpt3_ros.model.network.backbone import BimodalBackbone

PREFIX = 'backbone.'  # of the backbone in a network's state


def digest_of(text_state: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, shapes and values of a text branch's weights, in float32."""
    digest = hashlib.sha256()
    for name in sorted(text_state):
        value = text_state[name].detach().to('cpu', torch.float32).contiguous()
        digest.update(f'{name}{tuple(value.shape)}'.encode())
        digest.update(value.numpy().data)
    return digest.hexdigest()


def outside(backbone: BimodalBackbone, config: LanguageModelConfig | None) -> set[str]:
    """Names, in the network's state, of weights that a checkpoint need not hold.

    None of them where there is no such language model, or it has been trained since, as one in
    half precision never is.
    """
    if config is None:
        return set()
    state = backbone.text_state()
    whole = all(value.dtype == torch.float32 for value in state.values())
    trained = whole and digest_of(state) != config.digest
    return set() if trained else {PREFIX + name for name in state}


def language_weights(backbone: BimodalBackbone, config: LanguageModelConfig) -> dict[str, Tensor]:
    """The language model's weights by their names in the network's state.

    Where the backbone keeps them in half precision they are written once so into the user's cache,
    and read from there: with neither the time nor the memory of the whole ones.

    Raises:
        CheckpointError: it is not installed, or is another one than the checkpoint was made with.
        MissingExtraError: what reads it is not installed.
    """
    kinds = {name: value.dtype for name, value in backbone.text_state().items()}
    whole = set(kinds.values()) == {torch.float32}
    file = user_cache() / f'half-{config.digest[:16]}.safetensors'
    found = None if whole else _kept(file, kinds)
    if found is None:
        found = _verified(backbone, config)
        if not whole:
            found = {name: value.to(kinds[name]) for name, value in found.items()}
            with contextlib.suppress(OSError):  # a cache: it is made again the next time
                file.parent.mkdir(parents=True, exist_ok=True)
                with whole_file(file) as partial:
                    save_file(found, partial)
    return {PREFIX + name: value for name, value in found.items()}


def _kept(file: Path, kinds: Mapping[str, torch.dtype]) -> dict[str, Tensor] | None:
    """What was kept in half precision; None where it is missing, damaged or of another kind."""
    with contextlib.suppress(OSError, SafetensorError):
        found = load_file(file)
        if {name: value.dtype for name, value in found.items()} == dict(kinds):
            return found
    return None


def _verified(backbone: BimodalBackbone, config: LanguageModelConfig) -> dict[str, Tensor]:
    weights = backbone.text_weights(config.source)
    if digest_of(weights) != config.digest:
        raise CheckpointError(
            f'{config.source} is another language model than the one that this checkpoint was '
            'trained beside: install the version that its card names'
        )
    return weights
