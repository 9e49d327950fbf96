# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The comparison of the paper's baselines runs, goes on, and writes what it has, at tiny size."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import baselines
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.stages import run_stage
from tests.support.tiny_pack import tiny_clips, tiny_entries, write_tiny_pack
from tests.support.tiny_tmr import TMR_OVERRIDES

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures('no_network')]

BACKBONE = {'n_positions': 160, 'n_embd': 16, 'n_layer': 1, 'n_head': 2}
TRUNK = {'latent_dim': 8, 'steps': 12, 'width': 16, 'layers': 1, 'heads': 2}
VQ = {'num_codes': 16, 'code_width': 8, 'width': 8, 'depth': 1}
TINY = (
    *(f'model.network.backbone.{name}={value}' for name, value in BACKBONE.items()),
    *(f'model.network.vae.trunk.{name}={value}' for name, value in TRUNK.items()),
    *(f'model.network.vae.vq.{name}={value}' for name, value in VQ.items()),
    'model.network.head.width=16',
    'tokenizer.vocab_size=320',
    *(f'stages.{name}.optim.batch_size=4' for name in ('vae', 'text', 't2m', 'align', 'instruct')),
    *TMR_OVERRIDES,
    'tmr.optim.steps=4',
)


@pytest.fixture(scope='module')
def small_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny pack half of which is kept for validation."""
    entries = tiny_entries(tiny_clips())
    for number, entry in enumerate(entries):
        entry['split'] = 'val' if number % 2 else 'train'
        kind = 'wave-left-hand' if number < 2 else 'walk'
        entry |= {'source': 'bandai', 'caption_kind': f'template:{kind}/normal'}
    return write_tiny_pack(tmp_path_factory.mktemp('pack'), entries=entries)


@pytest.fixture(scope='module')
def evaluator(small_pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder as `mgpt3 train tmr` makes it."""
    run = load_run_config('small', TMR_OVERRIDES)
    return run_stage('tmr', run, small_pack, tmp_path_factory.mktemp('tmr'), 'cpu')


def arguments_of(data: Path, output: Path, evaluator: Path) -> list[str]:
    paths = ['--data', str(data), '--output', str(output), '--evaluator', str(evaluator)]
    return [*paths, '--steps', '2', '--vae-steps', '1', '--seeds', '1', *TINY]


def test_baselines_are_compared_and_a_run_goes_on(
    small_pack: Path, evaluator: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    arguments = arguments_of(small_pack, tmp_path, evaluator)
    assert baselines.main(arguments) == 0
    rows = {line.split(' | ')[0]: line for line in capsys.readouterr().out.splitlines()}
    assert {'| MotionGPT3', '| MotionGPT3-VQ', '| Unified+VAE'} <= rows.keys()
    found = json.loads((tmp_path / 'baselines.json').read_text())
    assert {run['name'] for run in found} == set(baselines.MODELS)
    for run in found:
        assert np.isfinite([run[column] for column in baselines.COLUMNS]).all()
        assert [step for step, _ in run['curve']] == [1, 2]
    sizes = {run['name']: run['parameters [M]'] for run in found}
    assert sizes['Unified+VAE'] < sizes['MotionGPT3']
    assert (tmp_path / 'baselines.png').stat().st_size > 1000
    kept = (tmp_path / 'MotionGPT3-0' / 'figures.json').stat().st_mtime_ns
    assert baselines.main(arguments) == 0
    assert (tmp_path / 'MotionGPT3-0' / 'figures.json').stat().st_mtime_ns == kept


def test_stages_with_which_two_variants_begin_alike_are_trained_once(
    small_pack: Path, evaluator: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {name: baselines.STAGES[name] for name in baselines.STAGES if name[0] in 'ABD'}
    monkeypatch.setattr(baselines, 'STAGES', chosen)
    assert baselines.main([*arguments_of(small_pack, tmp_path, evaluator), '--stages']) == 0
    assert (tmp_path / 'B-0' / 't2m').resolve() == tmp_path / 'A-0' / 't2m'
    assert not (tmp_path / 'B-0' / 'align').is_symlink()
    assert not (tmp_path / 'D-0' / 'text').is_symlink()  # `align` is another there
    assert (tmp_path / 'stages.md').read_text().count('text, stage') == 3


def test_what_is_there_is_reported_alone(small_pack: Path, tmp_path: Path) -> None:
    """Without a model, so in no time; a table of nothing is no error."""
    paths = ['--data', str(small_pack), '--output', str(tmp_path)]
    assert baselines.main([*paths, '--report']) == 0
    assert (tmp_path / 'baselines.md').read_text().count('\n') == 4


@pytest.mark.parametrize('name', baselines.STAGES)
def test_the_stages_of_table_15_freeze_and_leave_out_what_they_say(name: str) -> None:
    variant = baselines.STAGES[name]
    run = load_run_config(variant.preset, variant.overrides)
    assert 'motion' not in run.stages['text'].trained
    fixed = 'text' not in run.stages[variant.stages[-1]].trained
    first = variant.stages[1]
    assert ('text' not in run.stages[first].trained) == ('fixed' in name)
    assert ('t2m' in variant.stages) == ('stage 1' in name or 'stages 1' in name)
    assert fixed == ('fixed' in name and 'instruct' not in variant.stages)
    for before, after in itertools.pairwise(variant.stages):
        assert run.stages[after].start_from == before
