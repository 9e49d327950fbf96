# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The variants of the paper's tables: each is one override, and each learns."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training import stages
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.stages import run_stage
from mgpt3_ros.training.trainer import Trainer
from tests.support.tiny_runs import group_names, loss_on_fixed_samples, write_preset

pytestmark = pytest.mark.slow

# The paper's kind of model at tiny size; a stage that starts from nothing builds it.
BASE = (
    'model.network.motion_context=false',
    'model.network.vae={kind: mld, mld: {latent_dim: 16, ff_width: 32, layers: 3, heads: 2}}',
    'model.network.head={width: 32, depth: 1, dropout: 0, guidance_scale: 1.5}',
    'stages.t2m.start_from=null',
    'stages.t2m.losses={diffusion: 1, flow: 1, regression: 1, text: 0.1}',
    'stages.t2m.optim={steps: 25, batch_size: 16, learning_rate: 0.01, warmup_steps: 3}',
)
TEXT_TOO = 'stages.t2m.trained=[text, motion, markers, holders, duration, head]'
VARIANTS = {
    'as the paper': None,
    'narrow motion branch': 'model.network.backbone.motion_width=8',
    'wide motion branch': 'model.network.backbone.motion_width=24',
    'attention shared in the last layer': 'model.network.backbone.shared_layers=[1]',
    'attention shared in the first layer': 'model.network.backbone.shared_layers=[0]',
    'attention never shared': 'model.network.backbone.shared_layers=[]',
    'one holder': 'model.network.holders=1',
    'four holders': 'model.network.holders=4',
    'eight holders': 'model.network.holders=8',
    'linear aggregation': 'model.network.head.aggregation=linear',
    'random start of the fake condition': 'model.network.head.fake_start=random',
    'no fake condition': 'model.network.head={condition_drop: 0, guidance_scale: 1, width: 32}',
    'regression head': 'model.network.head.kind=regression',
    'flow head': 'model.network.head.kind=flow',
    'text branch from the start': TEXT_TOO,
    'larger text model': 'model.network.backbone={n_embd: 32, n_layer: 3, n_head: 2}',
    'two latent tokens': 'model.network.vae.mld.latent_tokens=2',
    'norm before the head': 'model.network.hidden_norm=true',
}


class StartKeepingTrainer(Trainer):
    """Keeps the weights that the last stage began with."""

    start: dict[str, torch.Tensor]

    def run(self) -> None:
        """Train."""
        StartKeepingTrainer.start = {k: v.clone() for k, v in self.raw.state_dict().items()}
        super().run()


@pytest.mark.parametrize('name', VARIANTS)
def test_a_variant_is_one_override_and_learns(
    name: str, pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    override = VARIANTS[name]
    overrides = (*BASE, override) if override is not None else BASE
    config = load_run_config(write_preset(tmp_path), overrides)
    monkeypatch.setattr(stages, 'Trainer', StartKeepingTrainer)
    folder = run_stage('t2m', config, pack, tmp_path, 'cpu')
    model = MotionGPT3.from_pretrained(folder, device='cpu')
    last = loss_on_fixed_samples(folder, config.stages['t2m'], pack)
    model.network.load_state_dict(StartKeepingTrainer.start)
    model.save_pretrained(tmp_path / 'start')
    first = loss_on_fixed_samples(tmp_path / 'start', config.stages['t2m'], pack)
    assert last < 0.95 * first

    after = MotionGPT3.from_pretrained(folder, device='cpu').network.state_dict()
    moved = {
        key for key, value in StartKeepingTrainer.start.items() if (after[key] != value).any()
    }
    text = group_names(model.network, 'text')
    assert bool(text & moved) == (override == TEXT_TOO)
    drawn = model.generate('a person walks', duration_s=1.0, num_inference_steps=2)
    assert drawn.num_frames == 20


def test_stage_1_may_be_left_out(pack: Path, tmp_path: Path) -> None:
    shorter = [f'stages.{stage}.optim.steps=25' for stage in ('vae', 'align')]
    config = load_run_config(write_preset(tmp_path), (*shorter, 'stages.align.start_from=vae'))
    before = run_stage('vae', config, pack, tmp_path, 'cpu')
    after = run_stage('align', config, pack, tmp_path, 'cpu')
    stage = config.stages['align']
    first, last = (loss_on_fixed_samples(folder, stage, pack) for folder in (before, after))
    assert last < 0.97 * first
