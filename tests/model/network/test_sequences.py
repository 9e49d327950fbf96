# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.language.vocabulary import MASKED, MOTION
from mgpt3_ros.model.network.sequences import IGNORED, build_sequence, collate
from tests.support.tiny import SENTENCES


@pytest.fixture(scope='module')
def tokenizer() -> MotionTokenizer:
    return MotionTokenizer.train(SENTENCES, vocab_size=300)


def test_text_to_motion_is_text_separator_holders_end(tokenizer: MotionTokenizer) -> None:
    sequence = build_sequence(tokenizer, 2, 'walk', MOTION)
    out = tokenizer.output_holder
    tail = [tokenizer.start_of_motion, out, out, tokenizer.end_of_motion, tokenizer.eos_id]
    assert sequence.ids[-5:] == tail
    assert tokenizer.decode(sequence.ids[:-5]) == 'walk \n '
    # <som> and the end of the text are learned, the holders and <eom> follow by rule.
    assert sequence.labels[-5:] == [tail[0], IGNORED, IGNORED, IGNORED, tail[-1]]


def test_a_caption_prompt_is_how_its_training_sequence_begins(tokenizer: MotionTokenizer) -> None:
    prompt = build_sequence(tokenizer, 2, MOTION)
    whole = build_sequence(tokenizer, 2, MOTION, 'a person walks')
    assert prompt.ids == whole.ids[: len(prompt.ids)]
    assert prompt.ids[1:3] == [tokenizer.input_holder] * 2
    assert tokenizer.decode(whole.ids[len(prompt.ids) :]) == ' a person walks'
    assert whole.ids[-1] == tokenizer.eos_id


def test_a_missing_motion_is_masked(tokenizer: MotionTokenizer) -> None:
    sequence = build_sequence(tokenizer, 2, f'{MOTION}{MASKED}{MOTION}', MOTION)
    assert sequence.ids[4:6] == [tokenizer.masked_motion] * 2
    assert sequence.labels[4:6] == [IGNORED] * 2


def test_two_inputs_and_one_output(tokenizer: MotionTokenizer) -> None:
    sequence = build_sequence(tokenizer, 3, f'from {MOTION} to {MOTION}', MOTION)
    assert sequence.ids.count(tokenizer.input_holder) == 6
    assert sequence.ids.count(tokenizer.output_holder) == 3


@pytest.mark.parametrize('limit', [20, 48])
def test_a_long_prompt_is_cut_and_the_holders_stay(tokenizer: MotionTokenizer, limit: int) -> None:
    sequence = build_sequence(tokenizer, 4, 'walk and wave ' * 500, MOTION, limit)
    assert len(sequence.ids) <= limit
    assert sequence.ids.count(tokenizer.output_holder) == 4
    assert sequence.ids[0] == tokenizer.encode('walk')[0]


@pytest.mark.parametrize('limit', range(20, 28))
@pytest.mark.parametrize(
    'prompt', ['💃🕺🏽' * 100, '一个人在走路' * 100, '\ufffd' * 500, 'walk 💃' * 100]
)
def test_a_cut_within_a_character_ends(
    tokenizer: MotionTokenizer, prompt: str, limit: int
) -> None:
    sequence = build_sequence(tokenizer, 4, prompt, MOTION, limit)
    assert len(sequence.ids) <= limit
    assert sequence.ids.count(tokenizer.output_holder) == 4


def test_padding_is_learned_only_on_request(tokenizer: MotionTokenizer) -> None:
    rows = [build_sequence(tokenizer, 2, text, MOTION) for text in ('walk', 'walk and wave')]
    ours = collate(rows, tokenizer.eos_id)
    theirs = collate(rows, tokenizer.eos_id, pad_to=40, learn_padding=True)
    pads = ~ours.mask[0]
    assert pads.any()
    assert (ours.labels[0][pads] == IGNORED).all()
    assert theirs.ids.shape == (2, 40)
    assert (theirs.labels[0][~theirs.mask[0]] == tokenizer.eos_id).all()


def test_what_follows_the_last_holder_can_be_left_out(tokenizer: MotionTokenizer) -> None:
    whole = build_sequence(tokenizer, 3, 'walk', MOTION)
    cut = whole.up_to(tokenizer.output_holder)
    assert whole.ids[: len(cut.ids)] == cut.ids
    assert whole.ids[len(cut.ids) :] == [tokenizer.end_of_motion, tokenizer.eos_id]
    assert whole.labels[: len(cut.labels)] == cut.labels
