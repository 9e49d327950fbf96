# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Heads and VAEs say themselves what they are trained with: new ones need no word elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network import network as network_module
from mgpt3_ros.model.network.heads import KINDS
from mgpt3_ros.model.network.heads.base import MotionHead, Noise
from mgpt3_ros.model.network.vae.base import MotionVae, frame_mask
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.run_log import read_log
from mgpt3_ros.training.stages import run_stage
from tests.support.tiny_runs import write_preset

Train = Callable[..., tuple[Path, list[dict[str, Any]]]]
AFTER_VAE = ('stages.vae.optim.steps=1', 'stages.t2m.start_from=vae')
TOY_STAGE = (
    *AFTER_VAE,
    'model.network.head.kind=toy',
    'stages.t2m.trained=[motion, holders, head]',
    'stages.t2m.losses={head: 1.0}',
)


class ToyHead(MotionHead):
    """Says which corner of the latent space is meant, and how far out, one term each."""

    loss_terms = ('signs', 'sizes')

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.signs = nn.Linear(self.config.width, self.channels)
        self.sizes = nn.Linear(self.config.width, self.channels)

    def counts(self, target: Tensor) -> dict[str, int]:
        return {'signs': target.numel(), 'sizes': len(target)}

    def loss(self, target: Tensor, hidden: Tensor, generator: Noise = None) -> dict[str, Tensor]:
        seen, flat = self.condition(hidden), target.flatten(1)
        signs = F.binary_cross_entropy_with_logits(self.signs(seen), (flat > 0).float())
        return {'signs': signs, 'sizes': (self.sizes(seen) - flat.abs()).square().mean()}

    def draw_latents(self, hidden: Tensor, *_: Any) -> Tensor:
        seen = self.condition(hidden)
        return (self.signs(seen).sign() * self.sizes(seen)).unflatten(1, self.latent_shape)


class ToyVae(MotionVae):
    """A clip is its mean frame, rounded on the way as by a code book, with a term for that."""

    latent_shape = (1, 8)
    loss_terms = ('commitment',)

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(263, 8), nn.Linear(8, 263)
        self.register_buffer('centre', torch.zeros(263))

    def fit(self, features: Sequence[np.ndarray], stats: FeatureStats) -> None:
        self.centre.copy_(torch.from_numpy(stats.normalise(np.concatenate(features)).mean(axis=0)))

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        mask = frame_mask(lengths, features.shape[1])[..., None].to(features.device)
        frame = ((features - self.centre) * mask).sum(dim=1) / lengths[:, None]
        latent = self.down(frame)[:, None]
        return latent, torch.full_like(latent, -20.0)

    def decode(self, latent: Tensor, lengths: Tensor) -> Tensor:
        mask = frame_mask(lengths, int(lengths.max()))[..., None].to(latent.device)
        return (self.up(latent) + self.centre) * mask

    def reconstruct(
        self, features: Tensor, lengths: Tensor, noise: Sequence[torch.Generator]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        latent, _ = self.encode(features, lengths)
        coded = (16 * latent).round().detach() / 16
        decoded = self.decode(latent + (coded - latent).detach(), lengths)
        return decoded, {'commitment': (latent - coded).square().mean()}


@pytest.fixture(autouse=True)
def toy_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, 'toy', ToyHead)


@pytest.fixture
def toy(pack: Path, tmp_path: Path) -> Train:
    """Trains ``vae``, or that and ``t2m``; gives the folder and the log of the last."""

    def train(stage: str, *overrides: str) -> tuple[Path, list[dict[str, Any]]]:
        config = load_run_config(write_preset(tmp_path), overrides)
        for each in dict.fromkeys(('vae', stage)):
            folder = run_stage(each, config, pack, tmp_path, 'cpu')
        return folder, read_log(folder)

    return train


def test_a_new_head_is_counted_weighted_and_logged(
    toy: Train,
) -> None:
    folder, log = toy('t2m', *TOY_STAGE)
    for record in log:
        assert record['loss'] == pytest.approx(record['signs'] + record['sizes'], rel=1e-5)
    first, last = (
        np.mean([[r['signs'], r['sizes']] for r in part], axis=0) for part in (log[:8], log[-8:])
    )
    assert (last < 0.95 * first).all()
    model = MotionGPT3.from_pretrained(folder, device='cpu')
    assert isinstance(model.network.head, ToyHead)
    assert model.generate('a person walks', duration_s=1.0).num_frames == 20


def test_a_step_is_the_same_however_its_samples_are_split(pack: Path, tmp_path: Path) -> None:
    """Micro-batches hold different numbers of drawn motions: the head's counts weigh them."""
    found = []
    for name, size, parts in (('whole', 12, 1), ('split', 3, 4)):
        overrides = (
            *TOY_STAGE,
            'stages.t2m.tasks={generate: 1, caption: 1}',
            'stages.t2m.losses={head: 1, text: 1}',  # without weight there is no loss of words
            f'stages.t2m.optim={{steps: 1, batch_size: {size}, accumulate: {parts}}}',
        )
        config = load_run_config(write_preset(tmp_path), overrides)
        for stage in ('vae', 't2m'):
            folder = run_stage(stage, config, pack, tmp_path / name, 'cpu')
        (record,) = read_log(folder)
        found.append([record[term] for term in ('signs', 'sizes', 'text', 'gradient_norm')])
    assert found[1] == pytest.approx(found[0], rel=1e-4)


@pytest.mark.parametrize(
    ('losses', 'message'),
    [
        ('{signs: 0, sizes: 1}', "its loss 'signs' has no weight: set losses.head"),
        ('{flow: 1, diffusion: 1}', "its loss 'signs' has no weight"),
        ('{head: 1, sings: 1}', "unknown term 'sings'; known terms: .*signs, sizes, text"),
    ],
)
def test_the_losses_of_a_new_head_are_checked(losses: str, message: str, toy: Train) -> None:
    with pytest.raises(ConfigError, match=message):
        toy('t2m', *TOY_STAGE, f'stages.t2m.losses={losses}')


def test_a_term_may_weigh_otherwise_than_its_head(
    toy: Train,
) -> None:
    losses = 'stages.t2m.losses={head: 1, sizes: 0.25}'
    _, log = toy('t2m', *TOY_STAGE, losses, 'stages.t2m.optim.steps=1')
    wanted = log[0]['signs'] + 0.25 * log[0]['sizes']
    assert log[0]['loss'] == pytest.approx(wanted, rel=1e-5)


def test_the_names_of_older_files_mean_the_same(pack: Path, tmp_path: Path) -> None:
    found = []
    for name, losses in (
        ('new', '{head: 0.5, duration: 0.3}'),
        ('old', '{flow: 0.5, diffusion: 0.5, regression: 0.5, duration: 0.3}'),
    ):
        overrides = (*AFTER_VAE, f'stages.t2m.losses={losses}', 'stages.t2m.optim.steps=3')
        config = load_run_config(write_preset(tmp_path), overrides)
        for stage in ('vae', 't2m'):
            folder = run_stage(stage, config, pack, tmp_path / name, 'cpu')
        found.append([record['loss'] for record in read_log(folder)])
    assert found[0] == found[1]


def test_a_new_vae_is_fitted_counted_weighted_and_logged(
    toy: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_module, 'build_vae', lambda config: ToyVae())
    losses = 'stages.vae.losses={features: 1, commitment: 0.1}'
    folder, log = toy('vae', losses, 'stages.vae.optim.learning_rate=0.03')
    for record in log:
        wanted = record['features'] + 0.1 * record['commitment']
        assert record['loss'] == pytest.approx(wanted, rel=1e-5)
    assert 'kl' not in log[0]
    features = [record['features'] for record in log]
    assert np.mean(features[-8:]) < 0.9 * np.mean(features[:8])
    model = MotionGPT3.from_pretrained(folder, device='cpu')
    assert model.network.vae.get_buffer('centre').any()
    assert len(model.network.latent_std.unique()) > 1  # it does not whiten by itself
    shutil.rmtree(folder)  # or it would go on, which with other losses is refused as well
    with pytest.raises(ConfigError, match=r"unknown term 'kl'; known terms: commitment, features"):
        toy('vae', 'stages.vae.losses={features: 1, kl: 0.1}')
