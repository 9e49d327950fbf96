# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ids of motions: one layout for the tokenizer, the network and its tables."""

from __future__ import annotations

from mgpt3_ros.model.language.vocabulary import MARKERS, MOTION_TOKENS, Vocabulary
from tests.support.tiny import tiny_model


def test_ids_follow_the_words_in_the_authors_order() -> None:
    own = Vocabulary(50257)
    assert (own.start_of_motion, own.end_of_motion) == (50257, 50258)
    assert own.first_motion == own.masked_motion == 50259
    assert (own.pad_motion, own.output_holder, own.input_holder) == (50260, 50261, 50262)


def test_tokenizer_network_and_backbone_mean_the_same_ids() -> None:
    model = tiny_model()
    words = vars(Vocabulary(model.tokenizer.vocab_size))
    assert words.items() <= vars(model.tokenizer).items()
    backbone = model.network.backbone
    assert words == vars(model.network.vocabulary) == vars(backbone.vocabulary)
    assert len(backbone.text.wte.weight) == words['vocab_size']
    assert len(backbone.marker_embedding) == MARKERS
    assert len(backbone.motion.wte.weight) == MOTION_TOKENS
    assert not backbone.motion.wte.weight[words['pad_motion'] - words['first_motion']].any()
