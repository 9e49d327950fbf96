# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names and layout of the weights in the authors' checkpoints, and here.

Each group of tensors is translated as a whole, its names without the group's prefix (but for the
head's). Layouts differ in two ways: GPT-2's Conv1D weights are [in, out] there and [out, in] here,
position tables (500, 1, width) there and (500, width) here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from torch import Tensor

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.language.vocabulary import MARKERS
from mgpt3_ros.model.network.vae.mld import MldConfig

# The embedding's table under its other three names.
WTE = 'transformer.wte.weight'
TIED_TO_WTE = ('lm_head.weight', 'pre_processors.0.weight', 'post_processors.0.weight')
# Logits of motion tokens: the authors compute them, but skip their loss and read them nowhere.
UNUSED_IN_BACKBONE = ('post_processors.1.weight',)

# Tables of names: a pattern of the authors' and what it becomes; what stands behind it stays.
Table = Iterable[tuple[str, str]]

_BACKBONE = [
    (r'transformer\.wpe\.', 'text.wpe.'),
    (r'pre_processors\.1\.', 'motion.wte.'),
]
for _index, _branch in enumerate(('text', 'motion')):
    _BACKBONE.append((rf'transformer\.ln_f\.fn\.{_index}\.', f'{_branch}.ln_f.'))
    for _part, _linear, _ours in (
        ('ln_1', '', 'ln_1'),
        ('ln_2', '', 'ln_2'),
        ('c_attn', '', 'qkv'),
        ('c_proj', '', 'out'),
        ('mlp', r'c_fc\.', 'up'),
        ('mlp', r'c_proj\.', 'down'),
    ):
        _layer = rf'transformer\.h\.(\d+)\.{_part}\.fn\.{_index}\.{_linear}'
        _BACKBONE.append((_layer, rf'layers.\1.{_branch}.{_ours}.'))
_VAE = [
    (r'global_motion_token$', 'distribution_tokens'),
    (r'query_pos_(encoder|decoder)\.pe$', r'\1_positions'),  # (500, 1, C) there
    (r'skel_embedding\.', 'frame_in.'),
    (r'final_layer\.', 'frame_out.'),
    (r'(encoder|decoder)\.norm\.', r'\1.norm.'),
    (r'(encoder|decoder)\.linear_blocks\.', r'\1.joins.'),
    (r'(encoder|decoder)\.input_blocks\.', r'\1.layers.'),
]
_HEAD = [
    (r'lm\.fake_latent$', 'condition.fake'),
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


class Weight(NamedTuple):
    """A weight by the authors' name and by ours; its value in our layout."""

    theirs: str
    ours: str
    value: Tensor


def as_state(weights: Iterable[Weight]) -> dict[str, Tensor]:
    """Weights as a module's state."""
    return {weight.ours: weight.value for weight in weights}


def official_shape(theirs: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape in the authors' layout of a weight that has ``shape`` in ours."""
    if _CONV1D.search(theirs):
        return shape[::-1]
    return (shape[0], 1, *shape[1:]) if theirs.endswith('.pe') else shape


_CONV1D = re.compile(r'\.(c_attn|c_proj)\.fn\.\d\.weight$|\.mlp\.fn\.\d\.c_(fc|proj)\.weight$')


def backbone_weights(official: Mapping[str, Tensor]) -> Iterator[Weight]:
    """Translate ``lm.language_model.*``.

    The two markers, which the authors append to GPT-2's embedding, become a table of their own.
    Tied copies of the embedding must be equal to it; the motion logits are left out.

    Raises:
        CheckpointError: a name is unknown, or a tied copy differs.
    """
    for name, value in official.items():
        if name == WTE:
            yield Weight(name, 'text.wte.weight', value[:-MARKERS])
            yield Weight(name, 'marker_embedding', value[-MARKERS:])
        elif name in TIED_TO_WTE:
            if WTE not in official or not _same(value, official[WTE]):
                raise CheckpointError(f'{name} should be a copy of {WTE}, but differs from it')
        elif name not in UNUSED_IN_BACKBONE:
            ours = _renamed(name, _BACKBONE, "MotionGPT3's backbone")
            yield Weight(name, ours, value.T if _CONV1D.search(name) else value)


def _renamed(name: str, table: Table, what: str, prefix: str = '') -> str:
    short = name.removeprefix(prefix)
    for pattern, ours in table:
        if match := re.match(pattern, short):
            return match.expand(ours) + short[match.end() :]
    raise CheckpointError(f'{name!r} is no weight of {what}')


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and (a.data_ptr() == b.data_ptr() or bool((a == b).all()))


def vae_weights(official: Mapping[str, Tensor]) -> Iterator[Weight]:
    """Translate ``vae.*``, the weights of MLD's VAE.

    Raises:
        CheckpointError: a name is unknown.
    """
    half = count_layers(official, 'encoder.input_blocks')
    for name, value in official.items():
        yield Weight(name, vae_key(name, half), _flat_positions(name, value))


def _flat_positions(name: str, value: Tensor) -> Tensor:
    return value.squeeze(1) if name.endswith('.pe') else value


def vae_config(official: Mapping[str, Tensor], heads: int = 4) -> MldConfig:
    """Sizes of a VAE from its weights by the authors' names; the heads are told by no shape.

    Raises:
        CheckpointError: a weight that tells a size is missing.
    """
    middle = 'coder.middle_block.linear1.bias'
    return MldConfig(
        latent_tokens=size_of(official, ('global_motion_token', 0)) // 2,
        latent_dim=size_of(
            official,
            ('global_motion_token', 1),
            ('skel_embedding.bias', 0),
            ('encoder.norm.weight', 0),
        ),
        ff_width=size_of(
            official,
            ('encoder.middle_block.linear1.weight', 0),
            (f'en{middle}', 0),
            (f'de{middle}', 0),
        ),
        layers=2 * count_layers(official, 'encoder.input_blocks') + 1,
        heads=heads,
        features=size_of(
            official,
            ('skel_embedding.weight', 1),
            ('final_layer.weight', 0),
            ('final_layer.bias', 0),
        ),
        max_positions=size_of(official, ('query_pos_encoder.pe', 0)),
    )


def vae_key(name: str, half: int) -> str:
    """Return our name of a weight of a VAE with ``half`` layers on either side of the middle.

    Raises:
        CheckpointError: the authors' VAE has no weight of this name.
    """
    stack = r'(encoder|decoder)\.'
    layers = [(stack + r'middle_block\.', rf'\1.layers.{half}.')]
    layers += [
        (rf'{stack}output_blocks\.{index}\.', rf'\1.layers.{half + 1 + index}.')
        for index in range(half)
    ]
    return _renamed(name, [*_VAE, *layers], "MLD's VAE")


def head_key(name: str) -> str:
    """Return our name of a weight ``lm.fake_latent`` or ``lm.diffloss.net.*``, prefix or not.

    Raises:
        CheckpointError: the authors' head has no weight of this name.
    """
    return _renamed(name, _HEAD, "MotionGPT3's diffusion head", 'lm.diffloss.net.')


def head_weights(official: Mapping[str, Tensor]) -> Iterator[Weight]:
    """Translate ``lm.diffloss.net.*`` and ``lm.fake_latent``, here with their prefixes.

    Raises:
        CheckpointError: a name is unknown.
    """
    for name, value in official.items():
        yield Weight(name, head_key(name), _flat_positions(name, value))


def size_of(weights: Mapping[str, Tensor], *places: tuple[str, int]) -> int:
    """Return a size that several weights tell, each by a name and a dimension.

    The majority counts, so that one weight of a wrong shape can be told from the others.

    Raises:
        CheckpointError: one of the weights is missing.
    """
    for name, _ in places:
        if name not in weights:
            raise CheckpointError(f'the weight {name} is missing')
    return Counter(weights[name].shape[at] for name, at in places).most_common(1)[0][0]


def count_layers(names: Mapping[str, object], stem: str) -> int:
    """Count the numbered modules ``stem.0``, ``stem.1``, ... that ``names`` have weights of."""
    pattern = re.compile(re.escape(stem) + r'\.(\d+)\.')
    return len({match[1] for name in names if (match := pattern.match(name))})
