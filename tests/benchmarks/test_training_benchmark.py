# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of training measures what it says, at tiny size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import training
from mgpt3_ros.model.network import onednn
from tests.support.tiny_runs import write_preset


def test_a_stage_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    config = ['--config', str(write_preset(tmp_path)), '--device', 'cpu', '--batch-size', '3']
    stage = ['--stage', 't2m', '--steps', '2', '--json', 'stages.t2m.optim.accumulate=2']
    assert training.main([*config, *stage]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found['stage'], found['batch'], found['samples_a_step']) == ('t2m', 3, 6)
    assert found['samples_per_s'] == pytest.approx(6 / found['seconds'])
    assert found['gflop'] > 0
    assert 0 < found['attention'] < 1
    assert 0.1 < found['memory_gb'] < 4


@pytest.mark.parametrize('name', ['t2m', 'align'])  # the second learns words
def test_arithmetic_is_counted_whoever_does_it(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onednn, '_SMALLEST', 1)
    found = []
    for choice in ('never', 'always'):
        config = ['--config', str(write_preset(tmp_path)), '--device', 'cpu', '--steps', '1']
        stage = ['--stage', name, '--json', f'stages.{name}.optim.onednn={choice}']
        assert training.main([*config, *stage]) == 0
        found.append(json.loads(capsys.readouterr().out.splitlines()[-1])['gflop'])
    assert found[0] == found[1] > 0


def test_a_vocabulary_of_gpt2s_size_needs_no_files(tmp_path: Path) -> None:
    training.write_gpt2_sized_tokenizer(tmp_path)
    words = training.MotionTokenizer.load(tmp_path)
    assert words.vocab_size == training.GPT2_WORDS
    text = training.CAPTIONS[0]
    assert words.decode(words.encode(text)) == text


def test_made_up_motions_are_as_long_as_humanml3ds() -> None:
    data = training.made_up_data()
    lengths = [len(rows) for rows in data.features]
    assert 120 < sum(lengths) / len(lengths) < 150
    assert 40 <= min(lengths) <= max(lengths) <= 199
