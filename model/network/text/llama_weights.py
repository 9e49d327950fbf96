# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The text branch's weights out of a Llama checkpoint of transformers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from mgpt3_ros.model.config import from_dict, to_dict
from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.language.pretrained import language_folder
from mgpt3_ros.model.network.backbone_config import BackboneConfig

# What no size tells; a checkpoint that means something else is refused.
_SETTINGS: dict[str, Any] = {
    'model_type': 'llama',
    'hidden_act': 'silu',
    'attention_bias': False,
    'mlp_bias': False,
}
_PARTS = {
    'ln_1': ('input_layernorm',),
    'qkv': ('self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'),
    'out': ('self_attn.o_proj',),
    'ln_2': ('post_attention_layernorm',),
    'gate': ('mlp.gate_proj',),
    'up': ('mlp.up_proj',),
    'down': ('mlp.down_proj',),
}
_TABLES = {
    'text.wte.weight': 'model.embed_tokens.weight',
    'text.ln_f.weight': 'model.norm.weight',
    'text.head.weight': 'lm_head.weight',
}


def text_weights(
    source: str | Path, config: BackboneConfig, own: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Weights of the text branch by the names and shapes of ``own``, from Llama's checkpoint.

    Args:
        source: see :func:`~mgpt3_ros.model.language.pretrained.language_folder`.
        config: of the backbone that they are for.
        own: the text branch's own weights.

    Raises:
        CheckpointError: the checkpoint cannot be loaded, is no Llama, or has other sizes or
            settings (both are named).
        MissingExtraError: what reads it is not installed.
    """
    folder = language_folder(source)
    _check(_settings(folder), config, str(source))
    files = sorted(folder.glob('*.safetensors'))
    if not files:
        raise CheckpointError(f'{source} holds no *.safetensors file')
    theirs: dict[str, Tensor] = {}
    try:
        for file in files:
            theirs |= load_file(file)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f'{source} cannot be read: {error}') from error
    filled = {}
    for name, value in own.items():
        names = llama_keys(name)
        missing = [key for key in names if key not in theirs]
        if missing:
            raise CheckpointError(f'{source} lacks {missing[0]}')
        found = torch.cat([theirs[key].float() for key in names])
        if found.shape != value.shape:
            raise CheckpointError(
                f'{source} does not fit: {" and ".join(names)} are {tuple(found.shape)}, '
                f'{tuple(value.shape)} is needed'
            )
        filled[name] = found
    return filled


def llama_keys(name: str) -> tuple[str, ...]:
    """Names in Llama's state of what a text parameter is stacked of."""
    if name in _TABLES:
        return (_TABLES[name],)
    _, index, _, part, kind = name.split('.')
    return tuple(f'model.layers.{index}.{key}.{kind}' for key in _PARTS[part])


def llama_sizes(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What transformers' ``config.json`` of a Llama says, in the words of a backbone's sizes.

    Raises:
        CheckpointError: it scales rotary positions in a way that is not known here.
    """
    # transformers 5 writes one mapping, older ones wrote two keys.
    rope = settings.get('rope_parameters') or {
        'rope_theta': settings.get('rope_theta', 10000.0),
        **(settings.get('rope_scaling') or {}),
    }
    kind = rope.get('rope_type', rope.get('type', 'default'))
    scaling = None
    if kind == 'llama3':
        scaling = {
            'factor': rope['factor'],
            'low_frequency_factor': rope['low_freq_factor'],
            'high_frequency_factor': rope['high_freq_factor'],
            'original_positions': rope['original_max_position_embeddings'],
        }
    elif kind != 'default':
        raise CheckpointError(f'rotary positions of the kind {kind!r} are not known')
    heads = settings['num_attention_heads']
    return {
        'n_embd': settings['hidden_size'],
        'n_layer': settings['num_hidden_layers'],
        'n_head': heads,
        'llama': {
            'n_kv_head': settings.get('num_key_value_heads') or heads,
            'mlp_width': settings['intermediate_size'],
            'head_width': settings.get('head_dim'),
            'norm_eps': settings.get('rms_norm_eps', 1e-6),
            'rope_theta': rope.get('rope_theta', 10000.0),
            'rope_scaling': scaling,
            'tied': settings.get('tie_word_embeddings', False),
        },
    }


def _settings(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / 'config.json').read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f'no Llama checkpoint can be loaded from {folder}: {error}'
        ) from error
    if not isinstance(found, dict):
        raise CheckpointError(f'{folder / "config.json"} holds no settings')
    return found


def _check(settings: Mapping[str, Any], config: BackboneConfig, name: str) -> None:
    """Refuse a checkpoint of another kind, sizes or settings, and name the first."""
    for key, value in _SETTINGS.items():
        found = settings.get(key, value)
        if found != value:
            raise CheckpointError(f'{name} does not fit: {key} is {found!r}, not {value!r}')
    try:
        sizes = llama_sizes(settings)
    except KeyError as error:
        raise CheckpointError(f'{name} is no Llama checkpoint: {error} is missing') from error
    theirs = from_dict(BackboneConfig, {'vocab_size': config.vocab_size, **sizes})
    kinds = [(one, one.llama) for one in (theirs, config)]
    found, needed = (
        {
            'n_embd': whole.n_embd,
            'n_layer': whole.n_layer,
            'n_head': whole.n_head,
            **{f'llama.{key}': value for key, value in to_dict(llama).items()},
            'llama.head_width': whole.head_width,
        }
        for whole, llama in kinds
    )
    for key, value in needed.items():
        if found[key] != value:
            raise CheckpointError(f'{name} does not fit: {key} is {found[key]!r}, not {value!r}')
