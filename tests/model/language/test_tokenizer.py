# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.language.tokenizer import END_OF_TEXT, MotionTokenizer
from tests.support.tiny import SENTENCES

TEXTS = [
    'a person walks forward.',
    '  blanks   and\nlines\t ',
    'Über 100 % naïve — “quotes”',
    '歩く人 🚶🏽‍♀️🙂',
    'zero\u200bwidth \ufeff and \x00 control',
]
SPECIAL = [
    END_OF_TEXT,
    '<start_of_motion>',
    '<end_of_motion>',
    '<motion_latent_holder>',
    '<motion_latent_holder_output>',
    '<masked_motion>',
    '<pad_motion>',
]


@pytest.fixture(scope='module')
def tokenizer() -> MotionTokenizer:
    return MotionTokenizer.train(SENTENCES, vocab_size=300)


@pytest.mark.parametrize('text', [*TEXTS, *SPECIAL, ''])
def test_any_text_comes_back(tokenizer: MotionTokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize('name', SPECIAL)
def test_special_names_in_a_text_are_spelled_out(tokenizer: MotionTokenizer, name: str) -> None:
    for text in (name, f'walk{name}', f'{name} {name}'):
        ids = tokenizer.encode(text)
        assert tokenizer.eos_id not in ids
        assert max(ids) < tokenizer.vocab_size
        assert len(ids) > 3


def test_ids_beyond_the_words(tokenizer: MotionTokenizer) -> None:
    assert tokenizer.vocab_size == 300
    ids = [
        tokenizer.start_of_motion,
        tokenizer.end_of_motion,
        tokenizer.masked_motion,
        tokenizer.pad_motion,
        tokenizer.output_holder,
        tokenizer.input_holder,
    ]
    assert ids == [300, 301, 302, 303, 304, 305]
    assert tokenizer.decode([*tokenizer.encode('walk'), *ids, tokenizer.eos_id]) == 'walk'


def test_learned_words_are_short(tokenizer: MotionTokenizer) -> None:
    known, unknown = tokenizer.encode(' person'), tokenizer.encode(' quixotry')
    assert len(known) < len(unknown) <= len(' quixotry')


def test_save_and_load(tokenizer: MotionTokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ['tokenizer.json']
    loaded = MotionTokenizer.load(tmp_path)
    for text in [*TEXTS, *SPECIAL]:
        assert loaded.encode(text) == tokenizer.encode(text)
    assert (loaded.vocab_size, loaded.eos_id) == (tokenizer.vocab_size, tokenizer.eos_id)


@pytest.mark.parametrize('names', [('vocab.json', 'merges.txt'), ('encoder.json', 'vocab.bpe')])
def test_gpt2_files_by_either_name(
    tokenizer: MotionTokenizer, tmp_path: Path, names: tuple[str, str]
) -> None:
    tokenizer.save(tmp_path)
    model = json.loads((tmp_path / 'tokenizer.json').read_text(encoding='utf-8'))['model']
    (tmp_path / 'tokenizer.json').unlink()
    (tmp_path / names[0]).write_text(json.dumps(model['vocab']), encoding='utf-8')
    merges = [pair if isinstance(pair, str) else ' '.join(pair) for pair in model['merges']]
    lines = '\n'.join(['#version: 0.2', *merges, ''])
    (tmp_path / names[1]).write_text(lines, encoding='utf-8')
    loaded = MotionTokenizer.load(tmp_path)
    for text in [*TEXTS, *SPECIAL]:
        assert loaded.encode(text) == tokenizer.encode(text)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r'no tokenizer in .*vocab\.json'):
        MotionTokenizer.load(tmp_path)
    (tmp_path / 'vocab.json').write_text('{"a": 0}')
    (tmp_path / 'merges.txt').write_text('#version: 0.2\n')
    with pytest.raises(CheckpointError, match=r'no token <\|endoftext\|>'):
        MotionTokenizer.load(tmp_path)
    (tmp_path / 'tokenizer.json').write_text('{"half": ')
    with pytest.raises(CheckpointError, match='cannot be read'):
        MotionTokenizer.load(tmp_path)


def test_golden_values(tmp_path: Path) -> None:
    """Letters, two merges and the end of text, by hand: ``Ġ`` is the blank of GPT-2's alphabet."""
    letters = 'adklrsw.Ġ'
    merges = ['a l', 'al k', 'Ġ w']
    tokens = [*letters, *(pair.replace(' ', '') for pair in merges), END_OF_TEXT]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    (tmp_path / 'vocab.json').write_text(json.dumps(vocabulary), encoding='utf-8')
    lines = '\n'.join(['#version: 0.2', *merges, ''])
    (tmp_path / 'merges.txt').write_text(lines, encoding='utf-8')
    tokenizer = MotionTokenizer.load(tmp_path)
    assert tokenizer.encode('walk walks.') == [6, 10, 11, 10, 5, 7]
    assert (tokenizer.eos_id, tokenizer.start_of_motion) == (12, 13)
