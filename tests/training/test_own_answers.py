# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A language model's own answers, and rows that are made of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mgpt3_ros.model.language.chat import Turn, chat_ids
from mgpt3_ros.model.network.decoding import DecodingConfig, write_text
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.training import own_answers
from mgpt3_ros.training.data.chats import Chat
from mgpt3_ros.training.own_answers import Answered, answered
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.stages import freeze_all_but
from mgpt3_ros.training.stream_batches import StreamBatcher
from mgpt3_ros.training.stream_task import StreamTask
from mgpt3_ros.training.text_cache import TextCache
from tests.support.talking import talking_model
from tests.training.test_stream_task import CPU, OPTIONS, batcher, dataset

CHATS = [
    Chat('moves', (Turn('user', 'wave!'),)),
    Chat('talks', (Turn('user', 'what is a noun?'),)),
    Chat('talks', (Turn('user', 'hi'), Turn('assistant', 'yes'), Turn('user', 'who waves?'))),
    Chat('looks', (Turn('user', 'what is this?'),)),
]


def test_what_is_learned_is_its_own_answer_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = talking_model(tmp_path)
    network, tokenizer = model.network, model.tokenizer
    assert isinstance(network, StreamNetwork)
    rows = answered(network, tokenizer, CHATS, tmp_path)
    assert [row.kind for row in rows] == [chat.kind for chat in CHATS]
    assert rows[0].answer == (tokenizer.start_of_motion,)
    markers = (tokenizer.start_of_motion, tokenizer.end_of_motion)
    for row, chat, most in zip(rows[1:], CHATS[1:], (24, 24, 1), strict=True):
        assert list(row.asked) == chat_ids(tokenizer, chat.turns)
        ids = torch.tensor([row.asked])
        alone = write_text(
            network, ids, torch.ones_like(ids, dtype=torch.bool), None,
            DecodingConfig(most, repetition_penalty=1.0), markers, tokenizer.eos_id,
        )[0]  # fmt: skip
        ended = len(alone) < most
        assert list(row.answer) == [*alone, *[tokenizer.eos_id] * ended]
    with monkeypatch.context() as patch:
        patch.setattr(own_answers, '_written', lambda *_: pytest.fail('it is asked again'))
        assert answered(network, tokenizer, CHATS, tmp_path) == rows
    (file,) = tmp_path.glob('answers-*.json')
    file.write_text('[')  # damaged: asked again
    assert answered(network, tokenizer, CHATS, tmp_path) == rows


def batches(tmp_path: Path, share: float) -> tuple[StreamNetwork, StreamBatcher]:
    model = talking_model(tmp_path)
    network = model.network
    assert isinstance(network, StreamNetwork)
    rows = answered(network, model.tokenizer, CHATS, tmp_path)
    shares = {'text': share, 'generate': 1 - share}
    split = Split(12, 7)
    data, options = dataset(), OPTIONS
    return network, StreamBatcher(data, model.tokenizer, 8, shares, options, split, 100, rows)


@pytest.mark.parametrize('share', [0.5, 1.0])
def test_kinds_come_alike_often_and_only_answers_are_learned(share: float, tmp_path: Path) -> None:
    network, made = batches(tmp_path, share)
    freeze_all_but(network, ('marker_logits',))
    (batch,) = made(0, 0, CPU)
    assert batch.texts is not None
    ids, mask, learned = batch.texts
    assert len(ids) == round(12 * share)
    assert len(batch.frames) == 12 - len(ids)
    assert made.answered is not None
    by_ids = {(*row.asked, *row.answer): row for row in made.answered}
    rows: list[Answered] = []
    for row, seen, own in zip(ids, mask, learned, strict=True):
        rows.append(by_ids[tuple(row[seen].tolist())])
        assert tuple(row[own].tolist()) == rows[-1].answer
    kinds = [row.kind for row in rows]
    assert {kinds.count(kind) for kind in ('looks', 'moves', 'talks')} == {len(ids) // 3}
    task = StreamTask(network, made.options)
    terms = task(batch)
    count = task.counts(batch)
    assert count['text'] == sum(len(row.answer) for row in rows)
    assert set(terms) == ({'text'} if share == 1 else {'text', 'flow', 'regression', 'duration'})
    kept = TextCache(network, 'float32', tmp_path / 'cache')
    for _ in ('computed', 'read from disk'):
        again = StreamTask(network, made.options, kept)(batch)
        torch.testing.assert_close(again['text'], terms['text'], rtol=1e-5, atol=1e-5)


def test_rows_of_markers_learn_when_a_motion_begins(tmp_path: Path) -> None:
    network, made = batches(tmp_path, 1.0)
    freeze_all_but(network, ('marker_logits',))
    backbone = network.backbone
    before = {
        n: v.clone() for n, v in network.state_dict().items() if n != 'backbone.marker_logits'
    }
    assert not backbone.decides
    task = StreamTask(network, made.options, TextCache(network, 'float32', tmp_path / 'cache'))
    optim = torch.optim.Adam([backbone.marker_logits], lr=0.1)
    for step in range(60):
        optim.zero_grad()
        task(made(step, 0, CPU)[0])['text'].backward()
        optim.step()
    assert backbone.decides
    assert made.answered is not None
    for row in made.answered:
        ids = torch.tensor([row.asked])
        with torch.no_grad():
            logits = backbone.text_logits(
                network.read(ids, torch.ones_like(ids, dtype=torch.bool)).text[0, -1]
            )
        moves = int(logits.argmax()) == made.tokenizer.start_of_motion
        assert moves == (row.kind == 'moves')
    state = network.state_dict()
    assert all(torch.equal(state[name], value) for name, value in before.items())


def test_sentences_are_learned_where_no_conversations_are_given() -> None:
    (batch,) = batcher()(0, 0, CPU)
    assert batch.texts is not None
    assert torch.equal(batch.texts[1], batch.texts[2])
