# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The backbone computes what the authors' bimodal GPT-2 computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.language.vocabulary import MARKERS
from mgpt3_ros.model.network.backbone import BimodalBackbone, Hidden
from mgpt3_ros.model.network.backbone_config import BackboneConfig
from mgpt3_ros.model.released.official_names import WTE, as_state, backbone_weights, count_layers

RTOL = ATOL = 1e-4
HEADS = 4  # GPT2Config(n_head=4) of the fixtures; no shape tells it
# Layers that share attention, of a backbone of ``layers`` layers, by the authors' name for them.
SHARED = {
    'all': lambda layers: None,
    'last1': lambda layers: (layers - 1,),
    'odd': lambda layers: tuple(range(0, layers, 2)),  # the first, the third, ...
}


@dataclass
class Case:
    arrays: Mapping[str, np.ndarray]
    weights: Mapping[str, Tensor]
    backbone: BimodalBackbone

    def tensor(self, name: str) -> Tensor:
        return torch.from_numpy(self.arrays[name])

    def embedded(self) -> tuple[Tensor, Tensor, Tensor]:
        """Streams of all rows; the motions' tokens stand where the input holders are."""
        ids = self.tensor('global_ids')
        text, motion, is_motion = self.backbone.embed(ids)
        held = ids == self.backbone.vocabulary.input_holder
        motion[held] = self.tensor('motion_in').flatten(0, 1)
        return text, motion, is_motion


@pytest.fixture(scope='module', params=list(SHARED))
def case(request: pytest.FixtureRequest, parity_dir: Path) -> Case:
    arrays = dict(np.load(parity_dir / f'backbone_{request.param}.npz'))
    weights = load_file(parity_dir / f'backbone_{request.param}.safetensors')
    rows, width = weights[WTE].shape
    layers = count_layers(weights, 'transformer.h')
    config = BackboneConfig(
        vocab_size=rows - MARKERS,
        n_positions=len(weights['transformer.wpe.weight']),
        n_embd=width,
        n_layer=layers,
        n_head=HEADS,
        shared_layers=SHARED[request.param](layers),
        reference_masking=True,
    )
    backbone = BimodalBackbone(config)
    backbone.load_state_dict(as_state(backbone_weights(weights)), strict=True)
    return Case(arrays, weights, backbone.eval())


@torch.no_grad()
def run(case: Case) -> tuple[Hidden, list[tuple[Tensor, Tensor]]]:
    """Return the result and, before each layer, the streams (P_text, D) and (P_motion, D)."""
    before: list[tuple[Tensor, Tensor]] = []
    hooks = [
        layer.register_forward_pre_hook(lambda _, inputs: before.append(inputs[:2]))
        for layer in case.backbone.layers
    ]
    hidden = case.backbone(*case.embedded(), case.tensor('attention_mask').bool())
    for hook in hooks:
        hook.remove()
    return hidden, before


def assert_close(ours: Tensor, theirs: np.ndarray | Tensor) -> None:
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours.detach().numpy(), np.asarray(theirs), rtol=RTOL, atol=ATOL)


def test_ids_are_those_of_the_fixture(case: Case) -> None:
    ids, is_motion = case.tensor('global_ids'), case.tensor('type_ids').bool()
    _, _, ours = case.backbone.embed(ids)
    assert torch.equal(ours, is_motion)
    local = ids - is_motion * case.backbone.vocabulary.first_motion
    assert torch.equal(local, case.tensor('local_ids'))


def test_hidden_states_of_every_layer(case: Case) -> None:
    hidden, before = run(case)
    of_text = case.tensor('type_ids') == 0
    of_motion = (case.tensor('type_ids') == 1) & (case.tensor('attention_mask') == 1)
    for index, (text, motion) in enumerate(before):
        assert_close(text, case.tensor(f'hidden_text_{index}')[of_text])
        assert_close(motion, case.tensor(f'hidden_motion_{index}')[of_motion])
    last = len(before)
    assert_close(hidden.text[of_text], case.tensor(f'hidden_text_{last}')[of_text])
    assert_close(hidden.motion[of_motion], case.tensor(f'hidden_motion_{last}')[of_motion])


def test_logits_and_loss(case: Case) -> None:
    hidden, _ = run(case)
    is_motion, mask = case.tensor('type_ids') == 1, case.tensor('attention_mask') == 1
    logits = case.backbone.text_logits(hidden.text)
    assert_close(logits[~is_motion], case.tensor('text_logits')[~is_motion])
    # Nothing reads the logits of motion tokens, so that their table is not part of our model.
    of_motion = F.linear(hidden.motion, case.weights['post_processors.1.weight'])
    at = is_motion & mask
    assert_close(of_motion[at], case.tensor('motion_logits')[at])
    loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), case.tensor('labels')[:, 1:].flatten())
    assert_close(loss, case.arrays['loss'])


@torch.no_grad()
def test_a_row_alone_without_padding(case: Case) -> None:
    theirs = case.tensor('row1_text_logits')
    count = theirs.shape[1]
    text, motion, is_motion = (stream[1:2, :count] for stream in case.embedded())
    logits = case.backbone.text_logits(case.backbone(text, motion, is_motion).text)
    assert_close(logits[~is_motion], theirs[~is_motion])
