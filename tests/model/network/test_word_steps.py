# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Steps of fixed shapes read words as a growing cache does, each with the same operations."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.backbone import BimodalBackbone
from mgpt3_ros.model.network.backbone_config import BackboneConfig
from mgpt3_ros.model.network.cache import KeyValueCache
from mgpt3_ros.model.network.heads import HeadConfig, build_head
from mgpt3_ros.model.network.word_steps import WordSteps
from mgpt3_ros.model.sampling import SamplingOptions
from tests.support.seeded import fill_by_name
from tests.support.shapes import Operation, recorded
from tests.support.tiny_llama import LLAMA

V, POSITIONS = 20, 12
MARKER, HOLDER = V, V + 4
ROW = [3, 1, MARKER, HOLDER, HOLDER, HOLDER, MARKER + 1]
MASK = torch.tensor([[1] * 7, [0, 0, 1, 1, 1, 1, 1]]).bool()
WORDS = torch.tensor([[7, 2, 2, 9], [4, MARKER, 8, 8]])  # a marker is a word, too
FORMS: list[dict[str, Any]] = [
    {},
    {'unified': True},
    {'motion_width': 24, 'shared_layers': (0, 2)},
    {'reference_masking': True},
    {'look_back': 2},
    {'llama': LLAMA},
    {'llama': LLAMA, 'motion_width': 8, 'look_back': 2, 'motion_layers': (0, 2)},
]


def small(**changes: Any) -> BimodalBackbone:
    sizes = {'n_positions': POSITIONS, 'n_embd': 16, 'n_layer': 3, 'n_head': 2}
    backbone = BimodalBackbone(BackboneConfig(V, **{**sizes, **changes})).eval()
    fill_by_name(backbone, 0.4)
    return backbone


def begun(backbone: BimodalBackbone) -> KeyValueCache:
    """A cache that has read the beginning, of which the second row is padded."""
    cache = backbone.new_cache()
    backbone(*backbone.embed(torch.tensor([ROW, ROW])), MASK, cache)
    return cache


@pytest.mark.parametrize('form', FORMS)
@torch.no_grad()
def test_words_are_read_as_into_a_cache_that_grows(form: dict[str, Any]) -> None:
    backbone = small(**form)
    growing, cache = begun(backbone), begun(backbone)
    steps, mask = WordSteps(backbone, cache, MASK, 4), MASK
    for words in WORDS.T:
        mask = torch.cat([mask, mask.new_ones(2, 1)], dim=1)
        embedded = backbone.embed(words[:, None])
        plain = backbone(*embedded, mask, growing, words_alone=True).text[:, 0]
        torch.testing.assert_close(steps(words), plain, rtol=0, atol=2e-5)
    assert len(cache) == len(ROW)
    steps.hand_back()
    assert len(cache) == len(growing) == len(ROW) + 4
    for layer in range(3):
        for one, other in zip(cache.kept(layer), growing.kept(layer), strict=True):
            torch.testing.assert_close(one[0], other[0], rtol=0, atol=2e-5)
            seen = MASK[1].tolist() + [True] * 4  # what stands on padding nobody sees
            torch.testing.assert_close(one[1, :, seen], other[1, :, seen], rtol=0, atol=2e-5)
    for name in ('is_motion', 'order'):
        assert torch.equal(getattr(cache, name), getattr(growing, name))


@pytest.mark.parametrize('form', FORMS)
@torch.no_grad()
def test_each_word_takes_the_same_operations_on_the_same_shapes(form: dict[str, Any]) -> None:
    backbone = small(**form)
    cache = begun(backbone)
    steps = WordSteps(backbone, cache, MASK, 4)
    first, *others = (recorded(lambda words=words: steps(words)) for words in WORDS.T)
    assert len(first) > 50
    assert all(other == first for other in others)
    growing, mask = begun(backbone), torch.cat([MASK, MASK.new_ones(2, 1)], dim=1)
    embedded = backbone.embed(WORDS[:, :1])
    plain = recorded(lambda: backbone(*embedded, mask, growing, words_alone=True))
    mask, embedded = torch.cat([mask, mask[:, :1]], dim=1), backbone.embed(WORDS[:, 1:2])
    assert recorded(lambda: backbone(*embedded, mask, growing, words_alone=True)) != plain


@torch.no_grad()
def test_more_words_than_there_are_positions_are_refused() -> None:
    backbone = small()
    steps = WordSteps(backbone, begun(backbone), MASK, 9)
    for _ in range(POSITIONS - len(ROW)):
        assert steps(WORDS[:, 0]).isfinite().all()
    with pytest.raises(ConfigError, match='more words than the 12 positions'):
        steps(WORDS[:, 0])


@pytest.mark.parametrize(
    ('kind', 'sampler'),
    [('flow', 'euler'), ('flow', 'heun'), ('ddpm', 'ddim'), ('ddpm', 'ddpm')],
)
def test_each_step_of_a_head_takes_the_same_operations_on_the_same_shapes(
    kind: str, sampler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = HeadConfig(kind=kind, width=8, depth=1, dropout=0.0, sampler=sampler)
    head = build_head(config, (1, 6), holders=2, hidden_width=8).eval()
    calls: list[list[Operation]] = []
    modulated = head.network.modulated

    def watched(*arguments: Any) -> torch.Tensor:
        found: list[torch.Tensor] = []
        calls.append(recorded(lambda: found.append(modulated(*arguments))))
        return found[0]

    monkeypatch.setattr(head.network, 'modulated', watched)
    with torch.no_grad():
        head.sample(torch.zeros(3, 2, 8), SamplingOptions(3.0, num_inference_steps=5))
    assert len(calls) >= 5
    assert all(call == calls[0] for call in calls)
