# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loss and answers tell a language model that was touched from one that was not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.training.evaluation import language
from mgpt3_ros.training.evaluation.language import (
    answers,
    english_text,
    measure_language,
    questions,
    text_loss,
)
from tests.support.seeded import fill_by_name
from tests.support.streams import small_model
from tests.support.tiny import SENTENCES
from tests.support.tiny_llama import LLAMA, SIZES, save_talking_words


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MotionGPT3:
    monkeypatch.setattr(language, 'WINDOW', 16)
    base = small_model()
    sizes = {**SIZES, 'llama': LLAMA, 'motion_width': 8, 'n_positions': 300}
    backbone = dataclasses.replace(base.config.network.backbone, vocab_size=302, **sizes)  # type: ignore[arg-type]
    network = StreamNetwork(dataclasses.replace(base.config.network, backbone=backbone))
    fill_by_name(network.backbone, 0.4)
    config = dataclasses.replace(base.config, network=network.config)
    return MotionGPT3(config, network, save_talking_words(tmp_path, SENTENCES), base.stats)


@torch.no_grad()
def test_the_loss_is_the_mean_over_all_predicted_tokens(model: MotionGPT3) -> None:
    ids = model.tokenizer.encode('a person walks forward, and then someone waves the left hand')
    assert 16 < len(ids) < 32
    backbone, said = model.network.backbone, []
    for part in (ids[:16], ids[16:]):
        logits = backbone.text_logits(backbone(*backbone.embed(torch.tensor([part]))).text)[0]
        chosen = logits.double().log_softmax(-1)[range(len(part) - 1), part[1:]]
        said += chosen.tolist()
    loss, tokens = text_loss(model, model.tokenizer.decode(ids))
    assert tokens == len(said) == len(ids) - 2
    assert loss == pytest.approx(-sum(said) / len(said), abs=1e-5)
    assert text_loss(model, model.tokenizer.decode(ids), windows=1)[1] == 15


@torch.no_grad()
def test_what_changes_motion_changes_nothing_and_what_changes_text_does(
    model: MotionGPT3,
) -> None:
    asked = questions()[:4]
    before = measure_language(model, asked, windows=3)
    for group in ('motion', 'tokens', 'head'):
        for parameter in model.network.parameter_groups()[group]:
            parameter.add_(0.5)
    after = measure_language(model, asked, windows=3)
    assert after == before
    assert after.same_answers(before) == 4
    assert all(0 < len(answer) <= language.ANSWER_TOKENS for answer in after.answers)
    for parameter in model.network.parameter_groups()['text']:
        parameter.add_(0.2 * torch.randn_like(parameter))
    changed = measure_language(model, asked, windows=3)
    assert changed.loss != before.loss
    assert changed.same_answers(before) < 4


def test_an_answer_is_read_after_its_question(model: MotionGPT3) -> None:
    first, second, again = answers(model, ['walk?', 'what is a noun, and who waves?', 'walk?'])
    assert first == again != second


def test_there_are_fifty_questions_without_motion_and_much_text() -> None:
    asked = questions()
    assert len(asked) == len(set(asked)) == 50
    moving = ('walk', 'run', 'jump', 'wave', 'dance', 'kick', 'bow', 'move', 'person')
    assert not [q for q in asked if any(word in q.lower().split() for word in moving)]
    name, text = english_text()
    assert name.startswith('scikit-learn 1.')
    assert len(text.split()) > 4000
