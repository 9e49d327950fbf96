# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from mgpt3_ros.model.network.backbone import BimodalBackbone
from mgpt3_ros.model.network.backbone_config import BackboneConfig
from mgpt3_ros.model.network.next_word import NextWord
from tests.support.seeded import fill_by_name

V, POSITIONS = 20, 24
MARKER, HOLDER = V, V + 5
# Motion in the prompts; the second has padding in front.
PROMPTS = torch.tensor([[3, MARKER, HOLDER, HOLDER, MARKER + 1, 7], [0, 0, 4, MARKER, HOLDER, 2]])
MASK = torch.tensor([[True] * 6, [False] * 2 + [True] * 4])
WORDS = torch.tensor([[5, 9], [1, 1], [8, 0], [2, 13]])


def small(**changes: object) -> BimodalBackbone:
    sizes = {'n_positions': POSITIONS, 'n_embd': 16, 'n_layer': 3, 'n_head': 2}
    backbone = BimodalBackbone(BackboneConfig(V, **{**sizes, **changes})).eval()
    fill_by_name(backbone)
    return backbone


@torch.inference_mode()
@pytest.mark.parametrize('changes', [{}, {'motion_width': 8}, {'unified': True}])
@pytest.mark.parametrize('rows', [[0], [1], [0, 1]])
def test_a_word_is_read_as_the_backbone_reads_it(rows: list[int], changes: dict) -> None:
    """Plain: the backbone, one token after the other. A row leaves after the second word."""
    backbone, prompts, masks = small(**changes), PROMPTS[rows], MASK[rows]
    caches = backbone.new_cache(8), backbone.new_cache(8)
    for cache in caches:
        backbone(*backbone.embed(prompts), masks, cache)
    next_word = NextWord.of(backbone)
    assert next_word is not None
    for number, words in enumerate(WORDS[:, rows]):
        if number == 2:
            kept = torch.tensor([len(rows) - 1])
            masks = masks[kept]
            for cache in caches:
                cache.keep(kept)
        words = words[-len(masks) :]
        masks = torch.cat([masks, masks.new_ones(len(masks), 1)], dim=1)
        plain = backbone(*backbone.embed(words[:, None]), masks, caches[0], words_alone=True).text[
            :, -1
        ]
        torch.testing.assert_close(next_word(words, masks, caches[1]), plain, rtol=0, atol=2e-6)
    for name in ('is_motion', 'order'):
        assert torch.equal(getattr(caches[0], name), getattr(caches[1], name))
    for layer in range(3):
        for plain, fast in zip(caches[0].kept(layer), caches[1].kept(layer), strict=True):
            torch.testing.assert_close(fast, plain, rtol=0, atol=2e-6)


@torch.inference_mode()
def test_where_more_is_to_be_looked_at_the_plain_way_is_taken() -> None:
    for changes in ({'shared_layers': (0,)}, {'look_back': 4}, {'reference_masking': True}):
        assert NextWord.of(small(**changes)) is None
    assert NextWord.of(small().train()) is None
    with torch.inference_mode(False), torch.enable_grad():
        assert NextWord.of(small()) is None
    found = NextWord.of(small())
    assert found is not None
    assert found.fits(torch.ones(1, POSITIONS))
    assert not found.fits(torch.ones(1, POSITIONS + 1))
