# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stage goes on as it began: with its settings, its data and the weights it started from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.vae.trunk import TrunkVae
from mgpt3_ros.training import stages
from mgpt3_ros.training.run_config import RunConfig, load_run_config
from mgpt3_ros.training.run_log import read_log
from mgpt3_ros.training.stages import run_stage
from mgpt3_ros.training.trainer import TrainingError
from tests.support.tiny_pack import write_tiny_pack
from tests.support.tiny_runs import write_preset

STEPS = 4
SHORT = tuple(
    f'stages.{stage}.optim.{change}'
    for stage in ('vae', 'text')
    for change in (f'steps={STEPS}', 'checkpoint_every=2', 'batch_size=4')
)
OTHER_FRAMES = (80, 90, 60, 70, 100, 44, 52, 60)


@pytest.fixture(scope='module')
def trained(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the first two stages, which no test writes to."""
    folder = tmp_path_factory.mktemp('trained')
    for stage in ('vae', 'text'):
        run_stage(stage, config(folder), pack, folder, 'cpu')
    return folder


@pytest.fixture
def begun(trained: Path, tmp_path: Path) -> Path:
    """The same run, to go on with."""
    return Path(shutil.copytree(trained, tmp_path / 'run'))


def config(folder: Path, *overrides: str) -> RunConfig:
    return load_run_config(write_preset(folder), (*SHORT, *overrides))


def record_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / 'run.json').read_text())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in folder.rglob('*') if p.is_file()}


# What is refused.


@pytest.mark.parametrize(
    ('override', 'named'),
    [
        (
            'stages.vae.losses.positions=2',
            r'vae\.losses\.positions was 1\.0 and is 2\.0\.',
        ),
        ('stages.vae.losses.kl=0.1', r'losses\.kl was None and is 0\.1'),
        ('stages.vae.optim.seed=3', r'optim\.seed was 0 and is 3'),
        ('stages.vae.optim.ema_decay=0.5', r'optim\.ema_decay was 0\.0 and is 0\.5'),
        ('stages.vae.optim.batch_size=6', r'samples_a_step was 4 and is 6'),
        ('stages.vae.optim.learning_rate=0.5', r'rate was 0\.003 and is 0\.5\. .* --new-rate'),
        ('stages.vae.optim.warmup_steps=1', r'warmup_steps was 5 and is 1\. .* --new-rate'),
        ('model.network.vae.trunk.width=8', r'model\.network\.vae\.trunk\.width was 16 and is 8'),
        ('mocap22.min_frames=30', r'mocap22\.min_frames was 20 and is 30'),
        ('balance=0.1', r'balance was 0\.5 and is 0\.1'),
        ('tokenizer.vocab_size=300', r'tokenizer\.vocab_size was 320 and is 300'),
    ],
)
def test_a_run_does_not_go_on_with_other_settings(
    override: str, named: str, pack: Path, begun: Path, tmp_path: Path
) -> None:
    before = contents(begun)
    longer = 'stages.vae.optim.steps=8'
    with pytest.raises(ConfigError, match=rf'vae holds a run that began otherwise: .*{named}'):
        run_stage('vae', config(tmp_path, longer, override), pack, begun, 'cpu')
    assert contents(begun) == before


def test_a_run_does_not_go_on_with_other_data(begun: Path, tmp_path: Path) -> None:
    before = contents(begun)
    other = write_tiny_pack(tmp_path / 'other', OTHER_FRAMES)
    with pytest.raises(ConfigError, match=r'otherwise: data was [0-9a-f]{12} and is [0-9a-f]{12}'):
        run_stage('vae', config(tmp_path), other, begun, 'cpu')
    assert contents(begun) == before


def test_a_run_does_not_go_on_where_the_stage_before_was_trained_anew(
    pack: Path, begun: Path, tmp_path: Path
) -> None:
    shutil.rmtree(begun / 'vae')
    run_stage('vae', config(tmp_path, 'stages.vae.optim.seed=1'), pack, begun, 'cpu')
    with pytest.raises(ConfigError, match=r'otherwise: .*start_weights was \w{12} and is \w{12}'):
        run_stage('text', config(tmp_path), pack, begun, 'cpu')


def test_a_run_without_a_record_does_not_go_on(pack: Path, begun: Path, tmp_path: Path) -> None:
    (begun / 'vae' / 'run.json').unlink()
    with pytest.raises(ConfigError, match=r'holds a run, but no run\.json that says how it began'):
        run_stage('vae', config(tmp_path), pack, begun, 'cpu')


def test_a_model_that_was_not_trained_there_is_not_overwritten(
    pack: Path, begun: Path, tmp_path: Path
) -> None:
    """As a VAE that was converted into the run folder, when all stages are trained."""
    for name in ('run.json', 'checkpoint.pt'):
        (begun / 'vae' / name).unlink()
    before = contents(begun)
    with pytest.raises(ConfigError, match='vae holds a model that was not trained there'):
        run_stage('vae', config(tmp_path), pack, begun, 'cpu')
    assert contents(begun) == before


def test_steps_that_were_done_cannot_be_undone(pack: Path, begun: Path, tmp_path: Path) -> None:
    before = contents(begun)
    fewer = config(tmp_path, 'stages.vae.optim.steps=3')
    with pytest.raises(TrainingError, match=r'is of step 4, but optim\.steps is 3'):
        run_stage('vae', fewer, pack, begun, 'cpu')
    assert contents(begun) == before


# What may change, and does.


def test_steps_and_intervals_may_change(pack: Path, begun: Path, tmp_path: Path) -> None:
    optim = {'steps': 10, 'log_every': 3, 'checkpoint_every': 7}
    changes = [f'stages.vae.optim.{name}={value}' for name, value in optim.items()]
    run = config(tmp_path, *changes)
    run_stage('vae', run, pack, begun, 'cpu')
    assert [r['step'] for r in read_log(begun / 'vae')] == [1, 2, 3, 4, 6, 9, 10]
    saved = torch.load(begun / 'vae' / 'checkpoint.pt', weights_only=True)
    assert saved['step'] == 10
    # The cosine ends where the stage now does.
    shares = {r['step']: r['rate'] / 0.003 for r in read_log(begun / 'vae')}
    asked = run.stages['vae'].optim
    assert shares[6] == pytest.approx(asked.rate_share(5))
    assert shares[10] == pytest.approx(asked.rate_share(9))
    record = record_of(begun / 'vae')
    assert {name: record['stages']['vae']['optim'][name] for name in optim} == optim
    assert record['done'] == 10


def test_the_rate_changes_where_it_is_asked_for(pack: Path, begun: Path, tmp_path: Path) -> None:
    run = config(tmp_path, 'stages.vae.optim.steps=6', 'stages.vae.optim.learning_rate=0.5')
    run_stage('vae', run, pack, begun, 'cpu', new_rate=True)
    rates = {r['step']: r['rate'] for r in read_log(begun / 'vae')}
    assert rates[4] == pytest.approx(0.003 * 4 / 5)
    assert rates[5] == pytest.approx(0.5)
    assert record_of(begun / 'vae')['stages']['vae']['optim']['learning_rate'] == 0.5
    # It is the run's own from now on.
    run_stage('vae', run, pack, begun, 'cpu')


def test_a_new_rate_lets_nothing_else_change(pack: Path, begun: Path, tmp_path: Path) -> None:
    run = config(tmp_path, 'stages.vae.optim.learning_rate=0.5', 'stages.vae.losses.positions=2')
    with pytest.raises(ConfigError, match=r'otherwise: stages\.vae\.losses\.positions was 1\.0'):
        run_stage('vae', run, pack, begun, 'cpu', new_rate=True)


def test_a_step_may_be_split_otherwise(
    pack: Path, trained: Path, begun: Path, tmp_path: Path
) -> None:
    parts = ('batch_size=2', 'accumulate=2', 'steps=6')
    split = config(tmp_path, *(f'stages.text.optim.{part}' for part in parts))
    run_stage('text', split, pack, begun, 'cpu')
    whole = Path(shutil.copytree(trained, tmp_path / 'whole'))
    run_stage('text', config(tmp_path, 'stages.text.optim.steps=6'), pack, whole, 'cpu')
    losses = [[r['loss'] for r in read_log(run / 'text')] for run in (begun, whole)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_settings_of_other_stages_may_change(pack: Path, begun: Path, tmp_path: Path) -> None:
    run = config(
        tmp_path, 'stages.t2m.optim.seed=7', 'stages.vae.optim.steps=5', 'tmr.temperature=1'
    )
    run_stage('vae', run, pack, begun, 'cpu')
    assert record_of(begun / 'vae')['done'] == 5


def test_what_an_earlier_version_did_not_write_down_is_not_compared(
    pack: Path, begun: Path, tmp_path: Path
) -> None:
    record = record_of(begun / 'text')
    for key in ('start_weights', 'samples_a_step', 'done'):
        del record[key]
    (begun / 'text' / 'run.json').write_text(json.dumps(record))
    run_stage('text', config(tmp_path, 'stages.text.optim.steps=5'), pack, begun, 'cpu')
    assert record_of(begun / 'text')['done'] == 5


# What goes on.


def test_a_stage_that_is_done_is_left_alone(
    pack: Path, begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(begun)
    with monkeypatch.context() as patch:
        patch.delattr(stages, 'start_model')
        run_stage('text', config(tmp_path), pack, begun, 'cpu')
    assert contents(begun) == before
    # But not where its model is missing.
    weights = begun / 'text' / 'model.safetensors'
    weights.unlink()
    run_stage('text', config(tmp_path), pack, begun, 'cpu')
    assert weights.read_bytes() == before[str(weights)]


def test_the_trunk_of_a_run_that_goes_on_is_the_one_that_it_began_with(
    pack: Path, begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eigenvectors have no sign of their own: another machine may find the opposite ones."""
    before = load_file(begun / 'vae' / 'model.safetensors')
    fit = TrunkVae.fit

    def turned(self: TrunkVae, *arguments: Any) -> float:
        share = fit(self, *arguments)
        self.components.neg_()
        return share

    monkeypatch.setattr(TrunkVae, 'fit', turned)
    run_stage('vae', config(tmp_path, 'stages.vae.optim.steps=5'), pack, begun, 'cpu')
    after = load_file(begun / 'vae' / 'model.safetensors')
    assert torch.equal(after['vae.components'], before['vae.components'])


def test_a_run_that_begins_anew_begins_a_new_log(pack: Path, begun: Path, tmp_path: Path) -> None:
    (begun / 'vae' / 'checkpoint.pt').unlink()
    run_stage('vae', config(tmp_path, 'stages.vae.optim.steps=2'), pack, begun, 'cpu')
    assert [r['step'] for r in read_log(begun / 'vae')] == [1, 2]
