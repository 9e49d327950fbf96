# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The text branch's weights out of a GPT-2 checkpoint of transformers."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import Tensor

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.extras import extra
from mgpt3_ros.model.language.pretrained import check_at_hand
from mgpt3_ros.model.network.backbone_config import BackboneConfig

# What no shape tells. The text branch computes what every GPT-2 of OpenAI does, small to xl; a
# checkpoint that means something else would load without a word and speak nonsense.
_SETTINGS: dict[str, Any] = {
    'model_type': 'gpt2',
    'activation_function': 'gelu_new',
    'layer_norm_epsilon': 1e-5,
    'scale_attn_weights': True,
    'scale_attn_by_inverse_layer_idx': False,
    'add_cross_attention': False,
    'tie_word_embeddings': True,
}
_PARTS = {'qkv': 'attn.c_attn', 'out': 'attn.c_proj', 'up': 'mlp.c_fc', 'down': 'mlp.c_proj'}


def text_weights(
    folder_or_name: str | Path, config: BackboneConfig, own: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Weights of the text branch by the names and shapes of ``own``, from GPT-2's checkpoint.

    Args:
        folder_or_name: a local folder, or a name on the hub.
        config: of the backbone that they are for.
        own: the text branch's own weights.

    Raises:
        CheckpointError: the checkpoint cannot be loaded, is no GPT-2, or has other sizes or
            settings (both are named).
        MissingExtraError: the extra ``train`` is not installed.
    """
    source = _read(folder_or_name, config)
    filled = {}
    for name, value in own.items():
        wanted = source.get(gpt2_key(name))
        if wanted is not None and name.endswith('.weight') and '.ln_' not in name:
            wanted = wanted if name.startswith('text.') else wanted.T  # Conv1D is (in, out)
        if wanted is None or wanted.shape != value.shape:
            found = 'missing' if wanted is None else f'of shape {tuple(wanted.shape)}'
            raise CheckpointError(
                f'{folder_or_name} does not fit: {gpt2_key(name)} is {found}, '
                f'{tuple(value.shape)} is needed'
            )
        filled[name] = wanted
    return filled


def _read(folder_or_name: str | Path, config: BackboneConfig) -> dict[str, Tensor]:
    with extra('train'):  # 2 s to import, and only this needs it
        from transformers import AutoConfig, GPT2LMHeadModel

    name = str(folder_or_name)
    check_at_hand(name, 'GPT-2')
    try:
        settings = AutoConfig.from_pretrained(name)
        needed = {**_SETTINGS, 'n_layer': config.n_layer, 'n_head': config.n_head}
        for key, value in needed.items():
            found = getattr(settings, key, None)
            if found != value:
                raise CheckpointError(f'{name} does not fit: {key} is {found!r}, not {value!r}')
        model, report = GPT2LMHeadModel.from_pretrained(name, output_loading_info=True)
    except (OSError, ValueError, RuntimeError, SafetensorError, pickle.UnpicklingError) as error:
        raise CheckpointError(f'no GPT-2 checkpoint can be loaded from {name}: {error}') from error
    if report['missing_keys']:  # transformers fills them with random numbers
        raise CheckpointError(f'{name} lacks {sorted(report["missing_keys"])[0]}')
    return model.state_dict()


def gpt2_key(name: str) -> str:
    """Name in GPT-2's state of a text parameter: layers.3.text.qkv.bias -> transformer.h.3...."""
    parts = name.split('.')
    if parts[0] == 'text':
        return '.'.join(['transformer', *parts[1:]])
    _, index, _, part, kind = parts
    return f'transformer.h.{index}.{_PARTS.get(part, part)}.{kind}'
