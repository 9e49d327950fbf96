# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from benchmarks.language import main
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.stream_network import StreamNetwork
from tests.support.streams import small_model
from tests.support.tiny import SENTENCES
from tests.support.tiny_llama import LLAMA, SIZES, save_talking_words


def save(folder: Path, seed: int) -> str:
    base = small_model()
    sizes = {**SIZES, 'llama': LLAMA, 'n_positions': 300}
    backbone = dataclasses.replace(base.config.network.backbone, vocab_size=302, **sizes)  # type: ignore[arg-type]
    torch.manual_seed(seed)
    network = StreamNetwork(dataclasses.replace(base.config.network, backbone=backbone))
    config = dataclasses.replace(base.config, network=network.config)
    folder.mkdir()
    tokenizer = save_talking_words(folder, SENTENCES)
    MotionGPT3(config, network, tokenizer, base.stats).save_pretrained(folder)
    return str(folder)


def test_two_checkpoints_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = save(tmp_path / 'one', 0), save(tmp_path / 'other', 1)
    few = ['--windows', '1', '--questions', '2']
    assert main([one, '--before', one, *few]) == 0
    said = capsys.readouterr().out
    assert 'answers that are the same: 2 of 2' in said
    assert 'loss on 255 tokens of scikit-learn 1.' in said
    assert main([other, '--before', one, *few]) == 0
    assert 'the same: 2 of 2' not in capsys.readouterr().out


def test_what_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert 'is no checkpoint' in capsys.readouterr().err
