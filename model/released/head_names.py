# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names of the head's weights in the authors' checkpoints, and here."""

from __future__ import annotations

import re

from mgpt3_ros.model.errors import CheckpointError

_FAKE = 'lm.fake_latent'
_PREFIX = 'lm.diffloss.net.'
_PARTS = [
    (r'time_embed\.mlp\.', 'network.time_mlp.'),
    (r'input_proj\.', 'network.input.'),
    (r'res_blocks\.(\d+)\.in_ln\.', r'network.blocks.\1.norm.'),
    (r'res_blocks\.(\d+)\.mlp\.', r'network.blocks.\1.mlp.'),
    (r'res_blocks\.(\d+)\.adaLN_modulation\.1\.', r'network.blocks.\1.modulation.'),
    (r'final_layer\.adaLN_modulation\.1\.', 'network.output_modulation.'),
    (r'final_layer\.linear\.', 'network.output.'),
    (r'cond_embed\.hidden_embedding$', 'condition.aggregate.query'),
    (r'cond_embed\.hid_pos\.pe$', 'condition.aggregate.positions'),  # (500, 1, M) there
    (r'cond_embed\.hid_encoder_layer\.self_attn\.', 'condition.aggregate.attention.'),
    (r'cond_embed\.hid_encoder_layer\.linear1\.', 'condition.aggregate.mlp.0.'),
    (r'cond_embed\.hid_encoder_layer\.linear2\.', 'condition.aggregate.mlp.3.'),
    (r'cond_embed\.hid_encoder_layer\.norm([12])\.', r'condition.aggregate.norm\1.'),
    (r'cond_embed\.cond_proj\.', 'condition.aggregate.project.'),
]


def head_key(name: str) -> str:
    """Return our name of the authors' head weight ``name``.

    Args:
        name: ``lm.fake_latent``, ``lm.diffloss.net.*``, or the latter without its prefix.
            Shapes are the same but for the position table: (500, 1, M) there, (500, M) here.

    Raises:
        CheckpointError: the authors' head has no weight of this name.
    """
    if name == _FAKE:
        return 'condition.fake'
    short = name.removeprefix(_PREFIX)
    for pattern, ours in _PARTS:
        if match := re.match(pattern, short):
            return match.expand(ours) + short[match.end() :]
    raise CheckpointError(f"{name!r} is no weight of MotionGPT3's diffusion head")
