# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names and layout of the weights in the authors' checkpoints, and here.

Each group of tensors is translated as a whole, its names without the group's prefix (but for the
head's, which stand in heads/names.py). Layouts differ in two ways: GPT-2's Conv1D weights are
[in, out] there and [out, in] here, position tables (500, 1, width) there and (500, width) here.
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
from mgpt3_ros.model.released.head_names import head_key

# The embedding's table under its other three names.
WTE = 'transformer.wte.weight'
TIED_TO_WTE = ('lm_head.weight', 'pre_processors.0.weight', 'post_processors.0.weight')
# Logits of motion tokens: the authors compute them, but skip their loss and read them nowhere.
UNUSED_IN_BACKBONE = ('post_processors.1.weight',)

_BRANCHES = ('text', 'motion')
_LAYER = re.compile(
    r'transformer\.h\.(?P<layer>\d+)\.'
    r'(?P<part>ln_1|ln_2|c_attn|c_proj|mlp)\.fn\.(?P<branch>[01])\.'
    r'(?P<linear>(c_fc|c_proj)\.)?(?P<kind>weight|bias)$'
)
_PARTS = {
    'ln_1': 'ln_1',
    'ln_2': 'ln_2',
    'c_attn': 'qkv',
    'c_proj': 'out',
    'mlp.c_fc': 'up',
    'mlp.c_proj': 'down',
}
_TABLES = {
    'transformer.wpe.weight': 'text.wpe.weight',
    'pre_processors.1.weight': 'motion.wte.weight',
    **{
        f'transformer.ln_f.fn.{index}.{kind}': f'{branch}.ln_f.{kind}'
        for index, branch in enumerate(_BRANCHES)
        for kind in ('weight', 'bias')
    },
}


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
            yield Weight(name, backbone_key(name), value.T if _CONV1D.search(name) else value)


def backbone_key(name: str) -> str:
    """Return our name of a backbone weight, ``transformer.h.0.c_attn.fn.1.bias`` and such.

    Raises:
        CheckpointError: the authors' backbone has no weight of this name.
    """
    if name in _TABLES:
        return _TABLES[name]
    match = _LAYER.match(name)
    part = match and _PARTS.get('.'.join(filter(None, (match['part'], _stem(match['linear'])))))
    if not match or not part:
        raise CheckpointError(f"{name!r} is no weight of MotionGPT3's backbone")
    branch = _BRANCHES[int(match['branch'])]
    return f'layers.{match["layer"]}.{branch}.{part}.{match["kind"]}'


def _stem(linear: str | None) -> str | None:
    return linear.removesuffix('.') if linear else None


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and (a.data_ptr() == b.data_ptr() or bool((a == b).all()))


_VAE_PARTS = {
    'global_motion_token': 'distribution_tokens',
    'query_pos_encoder.pe': 'encoder_positions',  # (500, 1, C) there
    'query_pos_decoder.pe': 'decoder_positions',
    'skel_embedding.weight': 'frame_in.weight',
    'skel_embedding.bias': 'frame_in.bias',
    'final_layer.weight': 'frame_out.weight',
    'final_layer.bias': 'frame_out.bias',
}
_STACK = re.compile(
    r'(?P<stack>encoder|decoder)\.(?P<part>input_blocks\.\d+|middle_block|output_blocks\.\d+'
    r'|linear_blocks\.\d+|norm)\.(?P<rest>.+)$'
)


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
    if name in _VAE_PARTS:
        return _VAE_PARTS[name]
    match = _STACK.match(name)
    if not match:
        raise CheckpointError(f"{name!r} is no weight of MLD's VAE")
    part, _, index = match['part'].partition('.')
    place = {
        'norm': 'norm',
        'linear_blocks': f'joins.{index}',
        'input_blocks': f'layers.{index}',
        'middle_block': f'layers.{half}',
        'output_blocks': f'layers.{half + 1 + int(index or 0)}',
    }[part]
    return f'{match["stack"]}.{place}.{match["rest"]}'


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
