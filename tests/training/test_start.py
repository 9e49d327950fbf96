# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a stage begins with: one identity of data and statistics in a run, or fine-tuning."""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mgpt3_ros.model.checkpoints.checkpoint import shipped_checkpoint
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data.dataset import load_dataset
from mgpt3_ros.training.latent_cache import clip_latents
from mgpt3_ros.training.run_config import RunConfig, load_run_config
from mgpt3_ros.training.run_log import read_log
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.stages import make_trainer, run_stage
from mgpt3_ros.training.start import start_model
from mgpt3_ros.training.tasks import TaskBatcher
from mgpt3_ros.training.train import main
from mgpt3_ros.training.vae_training import VaeBatcher
from tests.support.tiny_pack import write_tiny_pack
from tests.support.tiny_runs import write_preset

SHORT = tuple(
    f'stages.{stage}.optim.{change}'
    for stage in ('vae', 'text', 't2m', 'align')
    for change in ('steps=2', 'batch_size=4')
)
CPU = torch.device('cpu')


@pytest.fixture(scope='module')
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Other motions, with statistics of their own."""
    return write_tiny_pack(tmp_path_factory.mktemp('other'), (80, 90, 60, 70, 100, 44, 52, 60))


@pytest.fixture(scope='module')
def trained(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('trained')
    for stage in ('vae', 'text'):
        run_stage(stage, config(folder), pack, folder, 'cpu')
    return folder


def config(folder: Path, *overrides: str) -> RunConfig:
    return load_run_config(write_preset(folder), (*SHORT, *overrides))


def after(trained: Path, tmp_path: Path) -> Path:
    """A run folder in which the first two stages have been trained."""
    folder = tmp_path / 'run'
    folder.mkdir()
    for stage in ('vae', 'text'):
        (folder / stage).symlink_to(trained / stage)
    return folder


# One data set in a run.


def test_a_stage_on_other_data_is_refused(trained: Path, other: Path, tmp_path: Path) -> None:
    folder = after(trained, tmp_path)
    message = r'was trained otherwise: data was \w{12} and is \w{12}\. .*start_from=.*text'
    with pytest.raises(ConfigError, match=message):
        run_stage('t2m', config(tmp_path), other, folder, 'cpu')
    assert not (folder / 't2m').exists()


@pytest.mark.parametrize(
    ('override', 'named'),
    [
        ('tokenizer.vocab_size=300', r'tokenizer\.vocab_size was 320 and is 300'),
        ('tokenizer.folder=words', r"tokenizer\.folder was None and is 'words'"),
        ('text_branch=gpt2', r"text_branch was None and is 'gpt2'"),
        ('latent_scale=0.8457', r'latent_scale was None and is 0\.8457'),
    ],
)
def test_what_the_first_stage_decided_stays(
    override: str, named: str, trained: Path, pack: Path, tmp_path: Path
) -> None:
    folder = after(trained, tmp_path)
    with pytest.raises(ConfigError, match=rf'was trained otherwise: {named}\.'):
        run_stage('t2m', config(tmp_path, override), pack, folder, 'cpu')


def test_a_converted_model_is_known_by_its_statistics(
    trained: Path, pack: Path, other: Path, tmp_path: Path
) -> None:
    """It has no run.json, which would say what it was trained on."""
    folder = tmp_path / 'run'
    MotionGPT3.from_pretrained(trained / 'text', 'cpu').save_pretrained(folder / 'text')
    with pytest.raises(ConfigError, match='the mean and deviation of the features are those of o'):
        run_stage('t2m', config(tmp_path), other, folder, 'cpu')
    run_stage('t2m', config(tmp_path), pack, folder, 'cpu')


# Fine-tuning.


def finetuned(stage: str, trained: Path, data: Path, folder: Path) -> MotionGPT3:
    run = config(folder, f'stages.{stage}.start_from={trained / "text"}')
    return MotionGPT3.from_pretrained(run_stage(stage, run, data, folder / 'run', 'cpu'), 'cpu')


def test_a_checkpoint_keeps_its_statistics_on_other_data(
    trained: Path, other: Path, tmp_path: Path
) -> None:
    before = MotionGPT3.from_pretrained(trained / 'text', 'cpu')
    model = finetuned('t2m', trained, other, tmp_path)
    np.testing.assert_array_equal(model.stats.mean, before.stats.mean)
    np.testing.assert_array_equal(model.stats.std, before.stats.std)
    assert model.tokenizer.encode('a person walks') == before.tokenizer.encode('a person walks')
    # The stages after it share its data.
    folder = tmp_path / 'run'
    run_stage('align', config(tmp_path), other, folder, 'cpu')
    record = json.loads((folder / 'align' / 'run.json').read_text())
    assert record['data'] == load_dataset(other).digest


def test_what_trains_is_normalised_as_what_the_model_sees(
    trained: Path, other: Path, tmp_path: Path
) -> None:
    run = config(tmp_path, f'stages.t2m.start_from={trained / "text"}')
    dataset, stage = load_dataset(other), run.stages['t2m']
    own = dataset.stats
    model = start_model(run, stage, dataset, tmp_path)
    assert np.abs((own.mean - model.stats.mean) / model.stats.std).max() > 0.1
    stage = dataclasses.replace(
        stage, options=dataclasses.replace(stage.options, latent_noise=False)
    )
    trainer = make_trainer('t2m', stage, model, dataset, tmp_path, Split(4, 0))
    batcher = trainer.batch
    assert isinstance(batcher, TaskBatcher)
    _, _, latents, _, _ = batcher(0, 0, CPU)
    by_id = {clip.id: rows for clip, rows in zip(dataset.clips, dataset.features, strict=True)}
    for name, latent in zip(batcher.clip_ids(0, 0), latents, strict=True):
        seen = torch.from_numpy(model.stats.normalise(by_id[name]))[None]
        mean, _ = model.network.vae.encode(seen, torch.tensor([seen.shape[1]]))
        torch.testing.assert_close(latent, model.network.whiten(mean)[0], rtol=1e-4, atol=1e-4)
    # And the latents that are kept in a file.
    kept = clip_latents(model.network, dataset, tmp_path)
    seen = torch.from_numpy(model.stats.normalise(dataset.features[0]))[None]
    mean, _ = model.network.vae.encode(seen, torch.tensor([seen.shape[1]]))
    np.testing.assert_allclose(kept[0, 0], mean[0].detach().numpy(), rtol=1e-4, atol=1e-4)


def test_a_vae_that_is_trained_further_keeps_its_trunk_and_statistics(
    trained: Path, other: Path, tmp_path: Path
) -> None:
    run = config(tmp_path, f'stages.vae.start_from={trained / "text"}')
    dataset = load_dataset(other)
    model = start_model(run, run.stages['vae'], dataset, tmp_path)
    trainer = make_trainer('vae', run.stages['vae'], model, dataset, tmp_path, Split(4, 0))
    assert isinstance(trainer.batch, VaeBatcher)
    rows, _, _ = trainer.batch(0, 0, CPU)
    first = model.stats.denormalise(rows[0, 0].numpy())
    names = [clip.id for clip in dataset.clips]
    clip = dataset.features[names.index(trainer.batch.clip_ids(0, 0)[0])]
    assert any(np.allclose(first, row, atol=1e-4) for row in clip)
    folder = run_stage('vae', run, other, tmp_path / 'run', 'cpu')
    one, two = (load_file(f / 'model.safetensors') for f in (trained / 'text', folder))
    assert torch.equal(one['vae.components'], two['vae.components'])
    assert not torch.equal(one['vae.residual.out.weight'], two['vae.residual.out.weight'])


def test_the_shipped_checkpoint_is_fine_tuned_by_the_command_line(
    other: Path, tmp_path: Path
) -> None:
    optim = 'stages.align.optim={steps: 2, batch_size: 4, learning_rate: 1e-4, log_every: 1}'
    paths = ['--data', str(other), '--output', str(tmp_path), '--device', 'cpu']
    assert main(['align', '--start-from', 'shipped', *paths, optim]) == 0
    tuned = MotionGPT3.from_pretrained(tmp_path / 'align', 'cpu')
    shipped = MotionGPT3.from_pretrained(device='cpu')
    np.testing.assert_array_equal(tuned.stats.mean, shipped.stats.mean)
    for name, value in shipped.network.state_dict().items():
        if name.startswith('vae.') or '.text.' in name:
            assert torch.equal(tuned.network.state_dict()[name], value), name
    log = read_log(tmp_path / 'align')
    assert all(record['flow'] < 3 for record in log)  # latents are of the size that it knows
    record = json.loads((tmp_path / 'align' / 'run.json').read_text())
    assert record['stages']['align']['start_from'] == 'shipped'


def test_of_all_stages_the_first_starts_from_the_folder(
    trained: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str | None]] = []

    def stage(name: str, run: RunConfig, *_: object) -> None:
        seen.append((name, run.stages[name].start_from))

    monkeypatch.setattr('mgpt3_ros.training.train.run_stage', stage)
    paths = [
        '--data',
        str(other),
        '--output',
        str(tmp_path),
        '--config',
        str(write_preset(tmp_path)),
    ]
    mine = str(trained / 'vae')
    assert main(['all', '--start-from', mine, *paths]) == 0
    assert seen == [('vae', mine), ('text', 'vae'), ('t2m', 'text'), ('align', 't2m')]
    with pytest.raises(ConfigError, match='--start-from is for the stages vae, text, t2m, align'):
        main(['tmr', '--start-from', str(shipped_checkpoint()), *paths])


# What is refused.


def test_a_start_that_is_neither_stage_nor_checkpoint_is_refused(
    pack: Path, tmp_path: Path
) -> None:
    run = config(tmp_path, 'stages.t2m.start_from=txt')
    message = r"start_from is 'txt', which is neither a stage \(vae, text, t2m, align\) nor a che"
    with pytest.raises(ConfigError, match=message):
        run_stage('t2m', run, pack, tmp_path, 'cpu')


def test_an_override_invents_no_stage(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"override names the stage 't2n'; there are: .*t2m"):
        config(tmp_path, 'stages.t2n.optim.steps=5')


def test_clips_that_the_vae_cannot_take_are_refused(pack: Path, tmp_path: Path) -> None:
    run = config(tmp_path, 'model.network.vae.trunk.max_frames=50', 'model.max_frames=50')
    message = r'a clip of 71 frames, but the VAE takes 50: set .* to 50 or less'
    with pytest.raises(ConfigError, match=message):
        run_stage('vae', run, pack, tmp_path / 'run', 'cpu')
    assert not (tmp_path / 'run' / 'vae').exists()


# Too little data.


@pytest.mark.parametrize(('components', 'told'), [(12, False), (80, True)])
def test_it_is_said_where_data_is_too_little_for_the_vae(
    components: int, told: bool, pack: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = config(tmp_path, f'model.network.vae.trunk.latent_dim={components}')
    with caplog.at_level(logging.WARNING):
        run_stage('vae', run, pack, tmp_path / 'run', 'cpu')
    lines = [record.getMessage() for record in caplog.records]
    found = [line for line in lines if 'components of the VAE: too little data' in line]
    assert bool(found) == told
