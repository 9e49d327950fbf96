# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of speed counts what is computed, and times parts without their parts."""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks import speed
from benchmarks.earlier import EARLIER
from benchmarks.floor import Rates, counted
from benchmarks.memory import peak_gb
from mgpt3_ros.model.network import onednn
from tests.support.tiny import tiny_model

RATES = Rates(flops=1e9, read=1e9)


@pytest.mark.parametrize('inference', [True, False])
def test_products_are_counted_as_by_hand(inference: bool) -> None:
    layer, x = nn.Linear(3, 5), torch.randn(2, 4, 3)

    def work() -> None:
        with torch.inference_mode(inference):
            layer(x)
            torch.bmm(x, x.transpose(1, 2))
            torch.nn.functional.scaled_dot_product_attention(x[:, None], x[:, None], x[:, None])
            layer(x[:, :0])  # nothing is read for no rows

    found = counted(work)
    attention = 4 * 2 * 4 * 4 * 3
    assert found.flops == 2 * 8 * 3 * 5 + 2 * 2 * 4 * 3 * 4 + attention
    assert found.weights_read == 4 * 3 * 5 + 4 * 2 * 3 * 4
    slow_to_read = found.floor_s(Rates(flops=1e15, read=1.0))
    assert slow_to_read == pytest.approx(found.weights_read, rel=1e-6)
    slow_to_compute = found.floor_s(Rates(flops=1.0, read=1e15))
    assert slow_to_compute == pytest.approx(found.flops, rel=1e-6)


@pytest.mark.parametrize('public', [False, True])
def test_products_of_onednn_are_counted_as_others(
    public: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if public:
        monkeypatch.setattr(onednn, '_OPERATION', None)
    layer, x = nn.Linear(3, 5), torch.randn(2, 4, 3)
    with torch.inference_mode():
        plain = counted(lambda: layer(x))
        fast = counted(lambda: onednn.product(x, layer.weight, layer.bias))
    assert fast.flops == plain.flops == 2 * 8 * 3 * 5
    assert fast.weights_read == plain.weights_read


def test_a_part_is_timed_without_the_parts_that_it_calls() -> None:
    watch = speed.Stopwatch()

    def spin(seconds: float) -> None:
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass

    inner = watch.around('inner', lambda: spin(0.2))
    outer = watch.around('outer', inner)
    outer()
    assert watch.seconds['inner'] >= 0.2
    assert watch.seconds['outer'] < watch.seconds['inner']


def test_a_report_says_all_and_another_program_stands_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    model = tiny_model()
    monkeypatch.setattr(speed, 'full_size_model', lambda **_: model)
    monkeypatch.setattr(speed, 'measured_rates', lambda: RATES)
    theirs = tmp_path / 'theirs.py'
    theirs.write_text('print(\'{"cases": {"prediction, 8": {"seconds": 0.125}}}\')')
    file = tmp_path / 'here.json'
    call = ['--part', 'prediction', '--part', 'caption', '--repeats', '2', '-o', str(file)]
    assert speed.main([*call, '--against', f'{sys.executable} {theirs}']) == 0
    report = json.loads(file.read_text())
    assert set(report['cases']) == {'caption, 1', 'prediction, 1', 'prediction, 8'}
    many = report['cases']['prediction, 8']
    assert {'head', 'decoder', 'encoder', 'finishing', 'motion branch'} <= set(many['parts'])
    assert many['least'] <= many['seconds'] <= many['most']
    assert many['ratio'] == pytest.approx(many['seconds'] / many['floor_s'])
    assert report['cases']['caption, 1']['met'] in (True, False)
    assert many['memory_gb'] is None or 0.05 < many['memory_gb'] < 50
    assert {'circumstances', 'processor', 'onednn', 'rates', 'size'} <= report.keys()
    printed = capsys.readouterr().out
    (row,) = [line for line in printed.splitlines() if line.startswith('| prediction, 8 | 0')]
    assert row.endswith('| - | - | 0.125 |')
    # What was measured before, with the ratio to the last floor of then and of now.
    told = report['cases']['caption, 1']
    then = '| caption, 1 | 2.65 | 1.34 | 1.06 | 0.55 | 2.4 | '
    (row,) = [line for line in printed.splitlines() if line.startswith(then)]
    met = 'yes' if told['met'] else 'NO'
    assert row.endswith(f'| {told["floor_s"]:.3g} | {told["ratio"]:.2f} | 1.8 | {met} |')
    # What was watched is as before.
    assert not [name for name in vars(model.network.vae) if name in ('encode', 'decode')]


def test_every_work_with_a_target_was_measured_before() -> None:
    asked = {case.name: case.target for case in speed.CASES if case.target is not None}
    asked |= {f'training step, {name}, 8': t for name, t in speed.TRAINING_TARGETS.items()}
    assert asked.keys() == EARLIER.keys()
    assert all(EARLIER[name].ratio > target for name, target in asked.items())


def test_one_commit_stands_beside_another(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(speed, 'full_size_model', lambda **_: tiny_model())
    monkeypatch.setattr(speed, 'measured_rates', lambda: RATES)
    assert speed.main(['--part', 'caption', '--repeats', '1', '--json']) == 0
    assert json.loads(capsys.readouterr().out)['cases']['caption, 1']['seconds'] > 0


@pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs rclpy')
def test_what_ros_costs_is_a_part(capsys: pytest.CaptureFixture, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speed, 'full_size_model', lambda **_: tiny_model())
        patch.setattr(speed, 'measured_rates', lambda: RATES)
        call = ['--part', 'ros', '--repeats', '1', '-o', str(tmp_path / 'ros.json')]
        assert speed.main(call) == 0
    (row,) = json.loads((tmp_path / 'ros.json').read_text())['cases'].values()
    parts = {'joint angles', 'planning', 'messages', 'serialising'}
    assert parts <= {part for part, seconds in row['parts'].items() if seconds > 0}
    assert 'motion to messages' in capsys.readouterr().out


def test_memory_is_that_of_the_work() -> None:
    little = peak_gb(lambda: None)
    if little is None:
        pytest.skip('this system does not tell')
    much = peak_gb(lambda: torch.ones(50_000_000).sum())
    assert much is not None
    assert much - little > 0.15
