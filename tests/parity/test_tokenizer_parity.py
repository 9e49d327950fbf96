# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text and motions in it become the token ids that the authors' tokenizer gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mgpt3_ros.model.language.tokenizer import END_OF_TEXT, MotionTokenizer
from mgpt3_ros.model.language.vocabulary import MASKED, MOTION
from mgpt3_ros.model.network.sequences import SEPARATOR, build_sequence


@pytest.fixture(scope='module')
def fixture(parity_dir: Path) -> dict[str, Any]:
    return json.loads((parity_dir / 'lm_text.json').read_text(encoding='utf-8'))


@pytest.fixture(scope='module')
def tokenizer(reference_dir: Path) -> MotionTokenizer:
    return MotionTokenizer.load(reference_dir / 'gpt2_bpe')


def test_special_ids(fixture: dict[str, Any], tokenizer: MotionTokenizer) -> None:
    assert fixture['ids'] == {
        'som': tokenizer.start_of_motion,
        'eom': tokenizer.end_of_motion,
        'holder_out': tokenizer.output_holder,
        'holder_in': tokenizer.input_holder,
        'text_vocab': tokenizer.vocab_size + 2,
        'pad': tokenizer.eos_id,
        'mod_pad': tokenizer.pad_motion - (tokenizer.vocab_size + 2),
    }


def test_every_text_gives_their_ids(fixture: dict[str, Any], tokenizer: MotionTokenizer) -> None:
    """Their texts spell out the special tokens; ours hold one character for each motion."""
    strings = fixture['strings']
    holders = strings['masked_holder_seq'].count('<masked_motion>')
    for case in fixture['tokenize']:
        text = (
            case['text']
            .replace(strings['output_motion_holder_seq'], MOTION)
            .replace(strings['input_motion_holder_seq'], MOTION)
            .replace(strings['masked_holder_seq'], MASKED)
        )
        ends = text.endswith(END_OF_TEXT)
        prompt, answer = text.removesuffix(END_OF_TEXT).split(SEPARATOR)
        ours = build_sequence(tokenizer, holders, prompt, answer).ids
        assert (ours if ends else ours[:-1]) == case['ids'], case['text']


def test_caption_ids_decode_to_their_texts(
    fixture: dict[str, Any], tokenizer: MotionTokenizer
) -> None:
    captions = fixture['m2t_eval_greedy']
    for ids, text in zip(captions['sequences'], captions['texts'], strict=True):
        assert tokenizer.decode(ids) == text
