# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stages of training on a tiny data set: each learns, freezes, resumes, and gives a model."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.training.run_config import RunConfig, load_run_config
from mgpt3_ros.training.stages import freeze_all_but, run_stage
from mgpt3_ros.training.train import main
from mgpt3_ros.training.trainer import Trainer
from tests.support.tiny import swinging_motion, tiny_config
from tests.support.tiny_runs import (
    PRESET,
    group_names,
    loss_on_fixed_samples,
    write_preset,
)

CHAIN = ('vae', 'text', 't2m', 'align')
FROZEN_TEXT = ('t2m', 'align')


@pytest.fixture(scope='module')
def trained(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder in which the whole chain has been trained, by the command line."""
    folder = tmp_path_factory.mktemp('run')
    arguments = ['all', '--data', str(pack), '--output', str(folder)]
    config = ['--config', str(write_preset(folder)), '--device', 'cpu']
    assert main([*arguments, *config]) == 0
    return folder


def log_of(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / 'log.jsonl').read_text().splitlines()]


def run_config(tmp_path: Path, *overrides: str) -> RunConfig:
    return load_run_config(write_preset(tmp_path), overrides)


def run_after(trained: Path, stage: str, tmp_path: Path) -> Path:
    """A run folder in which no more than a stage has been trained."""
    folder = tmp_path / 'run'
    folder.mkdir()
    (folder / stage).symlink_to(trained / stage)
    return folder


# The chain.


def test_the_vae_stage_lowers_its_loss(trained: Path) -> None:
    loss = [record['loss'] for record in log_of(trained / 'vae')]
    assert len(loss) == 40
    assert np.mean(loss[-8:]) < 0.9 * np.mean(loss[:8])


@pytest.mark.parametrize('stage', CHAIN[1:])
def test_every_stage_lowers_its_loss(stage: str, pack: Path, trained: Path) -> None:
    assert len(log_of(trained / stage)) == 40
    config = load_run_config(trained / 'tiny.yaml').stages[stage]
    before = trained / CHAIN[CHAIN.index(stage) - 1]
    first, last = (
        loss_on_fixed_samples(folder, config, pack) for folder in (before, trained / stage)
    )
    assert last < 0.97 * first


def test_the_terms_of_each_stage_are_logged(trained: Path) -> None:
    terms = {stage: set(log_of(trained / stage)[-1]) for stage in CHAIN}
    assert {'features', 'positions', 'motion', 'jerk', 'slide', 'kl'} <= terms['vae']
    for stage in ('text', 't2m', 'align'):
        assert {'flow', 'regression', 'duration'} <= terms[stage]
        losses = json.loads((trained / stage / 'run.json').read_text())['stages'][stage]['losses']
        # The words' loss is the dearest, and is not computed where it has no weight.
        assert ('text' in terms[stage]) == (losses.get('text', 0) > 0)


@pytest.mark.parametrize('stage', FROZEN_TEXT)
def test_stages_1_and_2_leave_the_text_branch_bit_identical(stage: str, trained: Path) -> None:
    before, after = (load_file(trained / name / 'model.safetensors') for name in ('text', stage))
    frozen = group_names(whole_network(), 'text')
    assert len(frozen) > 10
    for name in frozen:
        assert torch.equal(before[name], after[name]), name
    assert not torch.equal(before['backbone.marker_embedding'], after['backbone.marker_embedding'])


@pytest.mark.parametrize('stage', FROZEN_TEXT)
def test_text_alone_has_the_same_logits_after_stages_1_and_2(stage: str, trained: Path) -> None:
    logits = []
    for name in ('text', stage):
        model = MotionGPT3.from_pretrained(trained / name, device='cpu')
        ids = torch.tensor([model.tokenizer.encode('a person walks forward and waves.')])
        with torch.no_grad():
            hidden = model.network.hidden(ids, None, None)
            words = model.network.backbone.text_logits(hidden.text)[..., : ids.max() + 1]
        logits.append(words)
    assert torch.equal(*logits)


@pytest.mark.parametrize('stage', CHAIN[1:])
def test_later_stages_keep_the_vae_and_train_the_rest(stage: str, trained: Path) -> None:
    before = load_file(trained / CHAIN[CHAIN.index(stage) - 1] / 'model.safetensors')
    after = load_file(trained / stage / 'model.safetensors')
    assert before.keys() == after.keys()
    for name, value in before.items():
        if name.startswith('vae.') or name.startswith('latent_'):
            assert torch.equal(value, after[name]), name
    for group in PRESET['stages'][stage]['trained']:  # type: ignore[index]
        names = group_names(whole_network(), group) & before.keys()
        assert any(not torch.equal(before[name], after[name]) for name in names), group


def test_a_run_folder_describes_itself(trained: Path) -> None:
    record = json.loads((trained / 't2m' / 'run.json').read_text())
    assert record['stage'] == 't2m'
    assert len(record['data']) == 64  # the hash of the data set's files
    assert record['stages']['t2m']['optim']['learning_rate'] == 0.01
    assert record['stages']['t2m']['optim']['beta1'] == 0.9  # defaults too


def test_the_last_folder_is_a_model_that_does_everything(trained: Path) -> None:
    model = MotionGPT3.from_pretrained(trained / 'align', device='cpu')
    seeded = torch.Generator().manual_seed(0)
    drawn = model.generate('a person walks', duration_s=2.0, generator=seeded)
    assert drawn.num_frames == 40
    assert model.generate('a person walks', generator=seeded).info['duration_from'] == 'predicted'
    motion = Motion(swinging_motion(0, 60))
    assert isinstance(model.caption(motion), str)
    future = model.predict(motion, horizon_s=1.0, generator=seeded)
    assert isinstance(future, Motion)
    assert future.num_frames == 20
    between = model.inbetween(motion.crop(0, 20), motion.crop(40), 1.0, generator=seeded)
    assert between.num_frames == 20
    step = np.abs(between.joints[0] - motion.joints[19]).max()
    assert step < 0.3  # begins where the start ends


def test_the_vae_reconstructs_what_it_was_trained_on(trained: Path) -> None:
    model = MotionGPT3.from_pretrained(trained / 'vae', device='cpu')
    motion = Motion(swinging_motion(2, 56, 0.6))
    features = motion.features()
    with torch.no_grad():
        rows = torch.from_numpy(model.stats.normalise(features))[None]
        mean, _ = model.network.vae.encode(rows, torch.tensor([55]))
        decoded = model.network.vae.decode(mean, torch.tensor([55]))[0].numpy()
    found = Motion.from_features(model.stats.denormalise(decoded))
    error = np.linalg.norm(found.joints - Motion.from_features(features).joints, axis=-1).mean()
    assert error < 0.05


# Going on, and again.


def test_a_stage_that_is_done_is_written_again_unchanged(
    trained: Path, pack: Path, tmp_path: Path
) -> None:
    before = (trained / 't2m' / 'model.safetensors').read_bytes()
    run_stage('t2m', run_config(tmp_path), pack, trained, 'cpu')
    assert (trained / 't2m' / 'model.safetensors').read_bytes() == before
    assert len(log_of(trained / 't2m')) == 40


def test_a_run_is_repeatable_and_goes_on_where_it_was(
    trained: Path, pack: Path, tmp_path: Path
) -> None:
    folder = run_after(trained, 'text', tmp_path)
    config = run_config(tmp_path)
    stop_at(20, lambda: run_stage('t2m', config, pack, folder, 'cpu'))
    assert not (folder / 't2m' / 'model.safetensors').exists()
    assert len(log_of(folder / 't2m')) == 20
    run_stage('t2m', config, pack, folder, 'cpu')
    losses = [record['loss'] for record in log_of(folder / 't2m')]
    whole = [record['loss'] for record in log_of(trained / 't2m')]
    assert losses == pytest.approx(whole, rel=1e-4)


def test_a_resumed_vae_keeps_the_components_that_it_began_with(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eigenvectors of another machine have other signs; the residual would not know them."""
    config = run_config(tmp_path, 'stages.vae.optim.steps=12')
    run_stage('vae', config, pack, tmp_path / 'unbroken', 'cpu')
    stop_at(6, lambda: run_stage('vae', config, pack, tmp_path / 'moved', 'cpu'))
    eigh = np.linalg.eigh

    def otherwise(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, vectors = eigh(matrix)
        return values, -vectors

    monkeypatch.setattr(np.linalg, 'eigh', otherwise)
    run_stage('vae', config, pack, tmp_path / 'moved', 'cpu')
    losses = [
        [r['loss'] for r in log_of(tmp_path / name / 'vae')] for name in ('unbroken', 'moved')
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    weights = (load_file(tmp_path / n / 'vae/model.safetensors') for n in ('unbroken', 'moved'))
    before, after = (state['vae.components'] for state in weights)
    assert torch.equal(before, after)


def stop_at(step: int, train: Callable[[], object]) -> None:
    """Run until a step and then as if Ctrl-C had been pressed."""
    original = Trainer._train_step

    def counted(self: Trainer) -> dict[str, float]:
        self._stop = self.step == step - 1
        return original(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, '_train_step', counted)
        with pytest.raises(KeyboardInterrupt):
            train()


# The paper's VAE.


def test_the_latents_of_the_papers_vae_are_whitened(pack: Path, tmp_path: Path) -> None:
    small = '{latent_dim: 16, ff_width: 32, layers: 3, heads: 2}'
    config = run_config(
        tmp_path,
        'model.network.vae.kind=mld',
        f'model.network.vae.mld={small}',
        'stages.vae.optim.steps=5',
    )
    model = MotionGPT3.from_pretrained(run_stage('vae', config, pack, tmp_path, 'cpu'))
    latents = []
    for seed in range(7):
        features = Motion(swinging_motion(seed, 40 + 8 * seed, 0.3 * seed)).features()
        rows = torch.from_numpy(model.stats.normalise(features))[None]
        with torch.no_grad():
            mean, _ = model.network.vae.encode(rows, torch.tensor([len(features)]))
        latents.append(model.network.whiten(mean).flatten())
    stacked = torch.stack(latents)
    # Their means alone: test_latent_size has the draws, of which the posterior's noise is a part.
    assert 0.1 < float(stacked.std(dim=0).mean()) < 1
    assert float(stacked.mean(dim=0).abs().mean()) < 1


# What is refused.


def test_a_stage_without_the_one_before_it_is_refused(pack: Path, tmp_path: Path) -> None:
    message = (
        r"this stage starts from stage 'text', but .*text holds no checkpoint: "
        r'run `mgpt3 train text` first'
    )
    with pytest.raises(ConfigError, match=message):
        run_stage('t2m', run_config(tmp_path), pack, tmp_path / 'run', 'cpu')


def test_a_head_is_not_trained_without_its_loss(trained: Path, pack: Path, tmp_path: Path) -> None:
    config = run_config(tmp_path)
    stage = config.stages['t2m']
    losses = {name: weight for name, weight in stage.losses.items() if name != 'flow'}
    stages = {**config.stages, 't2m': dataclasses.replace(stage, losses=losses)}
    bare = dataclasses.replace(config, stages=stages)
    with pytest.raises(ConfigError, match="its loss 'flow' has no weight"):
        run_stage('t2m', bare, pack, run_after(trained, 'text', tmp_path), 'cpu')


@pytest.mark.parametrize(
    ('overrides', 'named'),
    [
        (['head.width=32'], ['head.width was 16 and is 32']),
        (['holders=4', 'backbone.n_layer=3'], ['backbone.n_layer was 2', 'holders was 2']),
        (['vae.kind=mld'], ["vae.kind was 'trunk' and is 'mld'"]),
        (['backbone.shared_layers=[0]'], [r'shared_layers was None and is \[0\]']),
    ],
)
def test_a_stage_of_another_model_is_refused(
    overrides: list[str], named: list[str], trained: Path, pack: Path, tmp_path: Path
) -> None:
    config = run_config(tmp_path, *(f'model.network.{override}' for override in overrides))
    folder = run_after(trained, 'text', tmp_path)
    with pytest.raises(ConfigError, match=r'in .*text is of another model: ') as refused:
        run_stage('t2m', config, pack, folder, 'cpu')
    for words in named:
        refused.match(words)


def test_a_stage_may_have_another_dropout_and_other_prompts(
    trained: Path, pack: Path, tmp_path: Path
) -> None:
    folder = run_after(trained, 'text', tmp_path)
    config = run_config(
        tmp_path,
        'model.network.backbone.dropout=0.25',
        'model.network.head.guidance_scale=2',
        'model.prompts.predict="Then?"',
        'stages.t2m.optim.steps=1',
    )
    model = MotionGPT3.from_pretrained(run_stage('t2m', config, pack, folder, 'cpu'))
    assert model.config.network.backbone.dropout == 0.25
    assert model.config.network.head.guidance_scale == 2
    assert model.config.prompts.predict == 'Then?'


def test_an_unknown_stage_is_refused_with_the_known_ones(pack: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"no stage 'dance' in .*; it has: vae, text, t2m, align"
    ):
        run_stage('dance', run_config(tmp_path), pack, tmp_path, 'cpu')


# Groups of parameters.


def whole_network(kind: str = 'flow') -> MotionGPT3Network:
    config = tiny_config(300).network
    head = dataclasses.replace(config.head, kind=kind)
    return MotionGPT3Network(dataclasses.replace(config, hidden_norm=True, head=head))


@pytest.mark.parametrize('kind', ['flow', 'ddpm', 'regression'])
def test_every_parameter_belongs_to_one_group(kind: str) -> None:
    network = whole_network(kind)
    grouped = [id(p) for group in network.parameter_groups().values() for p in group]
    assert sorted(grouped) == sorted(map(id, network.parameters()))


def test_freezing_leaves_gradients_to_the_named_groups() -> None:
    network = whole_network()
    freeze_all_but(network, ('head', 'markers'))
    left = {name for name, p in network.named_parameters() if p.requires_grad}
    assert 'backbone.marker_embedding' in left
    assert all(name.startswith(('head.', 'hidden_', 'backbone.marker')) for name in left)
    freeze_all_but(network, tuple(network.parameter_groups()))
    assert all(p.requires_grad for p in network.parameters())
    with pytest.raises(ConfigError, match=r"unknown parameter group 'words'; known: vae, text,"):
        freeze_all_but(network, ('words',))


def test_a_tokenizer_may_come_from_a_folder(pack: Path, tmp_path: Path) -> None:
    words = MotionTokenizer.train(['a person walks', 'a person runs'], 290)
    (tmp_path / 'words').mkdir()
    words.save(tmp_path / 'words')
    config = run_config(
        tmp_path, f'tokenizer.folder={tmp_path / "words"}', 'stages.vae.optim.steps=1'
    )
    model = MotionGPT3.from_pretrained(run_stage('vae', config, pack, tmp_path, 'cpu'))
    assert model.tokenizer.vocab_size == words.vocab_size
    assert model.tokenizer.encode('a person') == words.encode('a person')
