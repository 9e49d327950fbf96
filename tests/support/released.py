# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A file of the authors' training in small: names and shapes of all its weights."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from torch import Tensor

V, D, LAYERS, K = 300, 16, 2, 3

C, FF, HALF = 8, 12, 1  # of the VAE, which has 2 * HALF + 1 layers

W, DEPTH = 10, 2  # of the head


def linear(name: str, out: int, width: int) -> dict[str, tuple[int, ...]]:
    """Shapes of a linear layer."""
    return {f'{name}.weight': (out, width), f'{name}.bias': (out,)}


def conv1d(name: str, out: int, width: int) -> dict[str, tuple[int, ...]]:
    """Shapes of GPT-2's Conv1D."""
    return {f'{name}.weight': (width, out), f'{name}.bias': (out,)}


def norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    """Shapes of a layer norm."""
    return {f'{name}.weight': (width,), f'{name}.bias': (width,)}


def attention(name: str, width: int) -> dict[str, tuple[int, ...]]:
    """Shapes of an attention."""
    return {
        f'{name}.in_proj_weight': (3 * width, width),
        f'{name}.in_proj_bias': (3 * width,),
        **linear(f'{name}.out_proj', width, width),
    }


def lm_shapes() -> dict[str, tuple[int, ...]]:
    """Shapes of the language model with its motion branch and head."""
    shapes = {
        'transformer.wte.weight': (V + 2, D),
        'transformer.wpe.weight': (64, D),
        'pre_processors.1.weight': (6, D),
        'post_processors.1.weight': (6, D),
    }
    for branch in (0, 1):
        shapes |= norm(f'transformer.ln_f.fn.{branch}', D)
        for i in range(LAYERS):
            layer = f'transformer.h.{i}.'
            shapes |= norm(f'{layer}ln_1.fn.{branch}', D) | norm(f'{layer}ln_2.fn.{branch}', D)
            shapes |= conv1d(f'{layer}c_attn.fn.{branch}', 3 * D, D)
            shapes |= conv1d(f'{layer}c_proj.fn.{branch}', D, D)
            shapes |= conv1d(f'{layer}mlp.fn.{branch}.c_fc', 4 * D, D)
            shapes |= conv1d(f'{layer}mlp.fn.{branch}.c_proj', D, 4 * D)
    shapes = {f'language_model.{name}': shape for name, shape in shapes.items()}
    shapes |= linear('motion_und_head.layers', K * D, C) | {'fake_latent': (K, D)}
    layer = 'cond_embed.hid_encoder_layer.'
    head = {'cond_embed.hidden_embedding': (1, D), 'cond_embed.hid_pos.pe': (500, 1, D)}
    head |= attention(f'{layer}self_attn', D) | norm(f'{layer}norm1', D) | norm(f'{layer}norm2', D)
    head |= linear(f'{layer}linear1', 4 * D, D) | linear(f'{layer}linear2', D, 4 * D)
    head |= linear('cond_embed.cond_proj', W, D) | linear('input_proj', W, C)
    head |= linear('time_embed.mlp.0', W, 256) | linear('time_embed.mlp.2', W, W)
    for i in range(DEPTH):
        block = f'res_blocks.{i}.'
        head |= norm(f'{block}in_ln', W) | linear(f'{block}adaLN_modulation.1', 3 * W, W)
        head |= linear(f'{block}mlp.0', W, W) | linear(f'{block}mlp.2', W, W)
    head |= linear('final_layer.linear', C, W) | linear('final_layer.adaLN_modulation.1', 2 * W, W)
    return shapes | {f'diffloss.net.{name}': shape for name, shape in head.items()}


def vae_shapes() -> dict[str, tuple[int, ...]]:
    """Shapes of MLD's VAE."""
    shapes: dict[str, tuple[int, ...]] = {
        'global_motion_token': (2, C),
        'query_pos_encoder.pe': (500, 1, C),
        'query_pos_decoder.pe': (500, 1, C),
        **linear('skel_embedding', C, 263),
        **linear('final_layer', 263, C),
    }
    blocks = [f'{side}_blocks.{i}' for side in ('input', 'output') for i in range(HALF)]
    for stack, attentions, norms in (
        ('encoder', ['self_attn'], 2),
        ('decoder', ['self_attn', 'multihead_attn'], 3),
    ):
        shapes |= norm(f'{stack}.norm', C)
        for i in range(HALF):
            shapes |= linear(f'{stack}.linear_blocks.{i}', C, 2 * C)
        for block in ['middle_block', *blocks]:
            for name in attentions:
                shapes |= attention(f'{stack}.{block}.{name}', C)
            for i in range(norms):
                shapes |= norm(f'{stack}.{block}.norm{i + 1}', C)
            shapes |= linear(f'{stack}.{block}.linear1', FF, C)
            shapes |= linear(f'{stack}.{block}.linear2', C, FF)
    return shapes


def official_state() -> dict[str, Tensor]:
    """Weights as MotionGPT3's training saves them, aliases and what is not needed included."""
    shapes = {f'lm.{name}': shape for name, shape in lm_shapes().items()}
    shapes |= {f'vae.{name}': shape for name, shape in vae_shapes().items()}
    rng = np.random.default_rng(0)
    state: dict[str, Tensor] = OrderedDict(
        (name, torch.from_numpy(0.1 * rng.standard_normal(shape, dtype=np.float32)))
        for name, shape in shapes.items()
    )
    for alias in ('lm_head', 'pre_processors.0', 'post_processors.0'):
        wte = state['lm.language_model.transformer.wte.weight']
        state[f'lm.language_model.{alias}.weight'] = wte
    for name in ('t2m_moveencoder.main.0.weight', 't2m_textencoder.gru.bias_hh_l0'):
        state[f'metrics.TM2TMetrics.{name}'] = torch.zeros(7)
    state['_losses.losses_train.total'] = torch.zeros(())
    return state


def lightning(state: dict[str, Tensor], **more: Any) -> dict[str, Any]:
    """What a training saves beside its weights."""
    return {
        'epoch': 3,
        'global_step': 1200,
        'pytorch-lightning_version': '2.4.0',
        'state_dict': OrderedDict(state),
        'optimizer_states': [{'state': {0: {'exp_avg': torch.ones(4)}}, 'param_groups': []}],
        **more,
    }


SIZES = {'text_heads': 2, 'vae_heads': 2}
