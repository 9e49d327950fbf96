# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The authors' own list of weights, at a sixteenth of their widths: each is needed or named."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.released.convert import convert_motiongpt3
from mgpt3_ros.model.released.official_names import TIED_TO_WTE, UNUSED_IN_BACKBONE, WTE
from tests.support.recipe import official_shapes, recipe
from tests.support.tiny import SENTENCES

VOCABULARY, SHRINK = 300, 16
TIME_CHANNELS = 256  # of the time embedding, whatever the widths
LM = 'lm.language_model.'
OPTIONAL = [LM + name for name in (*TIED_TO_WTE, *UNUSED_IN_BACKBONE)] + ['lm.fake_latent']


def shrunk(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of a weight in a model of a sixteenth of the widths and a small vocabulary."""
    small = tuple(
        VOCABULARY + 2 if size > 50_000 else size // SHRINK if size % 256 == 0 else size
        for size in shape
    )
    return (small[0], TIME_CHANNELS) if name.endswith('time_embed.mlp.0.weight') else small


@pytest.fixture(scope='module')
def state(reference_dir: Path) -> dict[str, Tensor]:
    weights = OrderedDict(
        (name, torch.from_numpy(np.asarray(recipe(name, shrunk(name, shape)))))
        for name, shape in official_shapes(reference_dir).items()
    )
    for name in TIED_TO_WTE:
        weights[LM + name] = weights[LM + WTE]
    return weights


Converted = Callable[[dict[str, Tensor]], MotionGPT3]


@pytest.fixture
def convert(tmp_path: Path) -> Converted:
    for name in ('mean', 'std'):
        np.save(tmp_path / f'{name}.npy', np.ones(263, np.float32))
    MotionTokenizer.train(SENTENCES, VOCABULARY).save(tmp_path)

    def run(state: dict[str, Tensor]) -> MotionGPT3:
        options: dict[str, Any] = {
            'stats': (tmp_path / 'mean.npy', tmp_path / 'std.npy'),
            'tokenizer': tmp_path,
            'text_heads': 4,
        }
        torch.save({'state_dict': state}, tmp_path / 'x.ckpt')
        convert_motiongpt3(tmp_path / 'x.ckpt', tmp_path / 'out', **options)
        return MotionGPT3.from_pretrained(tmp_path / 'out', device='cpu')

    return run


def needed(state: dict[str, Tensor]) -> list[str]:
    return [n for n in state if n.startswith(('lm.', 'vae.')) and n not in OPTIONAL]


def test_all_weights_and_no_others(state: dict[str, Tensor], convert: Converted) -> None:
    network = convert(state).network
    theirs = [state[name] for name in [*needed(state), 'lm.fake_latent']]
    ours = [value for name, value in network.named_parameters()]
    assert sum(value.numel() for value in ours) == sum(value.numel() for value in theirs)


@pytest.mark.parametrize('name', OPTIONAL)
def test_optional_weights(state: dict[str, Tensor], convert: Converted, name: str) -> None:
    model = convert({key: value for key, value in state.items() if key != name})
    assert (model.network.head.condition.fake is None) == (name == 'lm.fake_latent')


@pytest.mark.parametrize('part', range(7, 640, 31))
def test_needed_weights(state: dict[str, Tensor], convert: Converted, part: int) -> None:
    """A sample of them, each once missing and once of a wrong shape."""
    names = needed(state)
    name = names[part % len(names)]
    with pytest.raises(CheckpointError, match='missing'):
        convert({key: value for key, value in state.items() if key != name})
    value = state[name]
    with pytest.raises(CheckpointError) as caught:
        convert({**state, name: torch.cat([value, value[:1]])})
    found = (len(value) + 1, *value.shape[1:])
    assert f'{name} has shape {found}, not {tuple(value.shape)}' in str(caught.value)


@pytest.mark.parametrize(
    'name',
    [
        'lm.diffloss.net.input_proj.weight',
        'lm.motion_und_head.layers.weight',
        f'{LM}transformer.ln_f.fn.1.weight',
        f'{LM}transformer.ln_f.fn.0.weight',
        'vae.encoder.norm.weight',
        'vae.final_layer.weight',
        'vae.skel_embedding.bias',
    ],
)
def test_weights_that_tell_a_size(state: dict[str, Tensor], convert: Converted, name: str) -> None:
    test_needed_weights(state, convert, needed(state).index(name))
