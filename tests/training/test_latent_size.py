# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latents of few or of other clips keep a size that can be trained with, or are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.training.data.dataset import MotionDataset, load_dataset
from mgpt3_ros.training.latent_cache import clip_latents
from mgpt3_ros.training.latent_size import LEAST_SPREAD, check_latents, latent_rms, whiten
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.stages import run_stage
from tests.support.tiny_runs import write_preset

MLD = (
    'model.network.vae={kind: mld, mld: {latent_dim: 16, ff_width: 32, layers: 3, heads: 2}}',
    'stages.vae.optim.steps=5',
    'stages.t2m.start_from=vae',
)


@pytest.fixture(scope='module')
def trained(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose trunk is fitted."""
    folder = tmp_path_factory.mktemp('fitted')
    config = load_run_config(write_preset(folder), ('stages.vae.optim.steps=1',))
    return run_stage('vae', config, pack, folder, 'cpu')


def network_of(folder: Path) -> MotionGPT3Network:
    network = MotionGPT3.from_pretrained(folder, 'cpu').network
    assert isinstance(network, MotionGPT3Network)
    return network


@pytest.fixture
def data(pack: Path) -> MotionDataset:
    return load_dataset(pack)


def test_rms_is_that_of_whitened_means(trained: Path, data: MotionDataset) -> None:
    network = network_of(trained)
    one = latent_rms(network, data.stats, data.features[:1])
    network.latent_std.fill_(0.5)
    assert latent_rms(network, data.stats, data.features[:1]) == pytest.approx(2 * one)


def test_latents_of_usual_size_pass_and_others_are_refused(
    trained: Path, data: MotionDataset
) -> None:
    network = network_of(trained)
    check_latents(network, data)
    network.vae.component_std.fill_(1e-5)  # as before components had a least spread
    with pytest.raises(ConfigError, match=r'latents of these clips have an rms of .*too few or'):
        check_latents(network, data)
    network.vae.component_std.fill_(float('nan'))
    with pytest.raises(ConfigError, match='an rms of nan'):
        check_latents(network, data)


def test_a_stage_is_refused_before_its_first_step(
    trained: Path, pack: Path, tmp_path: Path
) -> None:
    model = MotionGPT3.from_pretrained(trained, 'cpu')
    model.network.vae.component_std.mul_(1e-4)
    model.save_pretrained(tmp_path / 'odd')
    config = load_run_config(
        write_preset(tmp_path), (f'stages.align.start_from={tmp_path / "odd"}',)
    )
    with pytest.raises(ConfigError, match='where the network is made for 1'):
        run_stage('align', config, pack, tmp_path / 'run', 'cpu')
    assert not (tmp_path / 'run' / 'align' / 'log.jsonl').exists()


def test_whitening_counts_the_posteriors_own_noise(pack: Path, tmp_path: Path) -> None:
    """Samples of the posterior, which are trained on, have a spread of 1 in every dimension."""
    config = load_run_config(write_preset(tmp_path), MLD)
    network = network_of(run_stage('vae', config, pack, tmp_path, 'cpu'))
    both = torch.from_numpy(np.array(clip_latents(network, load_dataset(pack))))
    mean, logvar = both.unbind(dim=1)
    noise = torch.randn(2000, *mean.shape, generator=torch.Generator().manual_seed(0))
    drawn = network.whiten(mean + noise * torch.exp(0.5 * logvar)).flatten(0, 1)
    torch.testing.assert_close(drawn.std(dim=0), torch.ones(1, 16), atol=0.03, rtol=0)
    torch.testing.assert_close(drawn.mean(dim=0), torch.zeros(1, 16), atol=0.03, rtol=0)


def test_a_dimension_that_nothing_uses_does_not_explode(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_run_config(write_preset(tmp_path), MLD)
    network = network_of(run_stage('vae', config, pack, tmp_path, 'cpu'))
    count = len(load_dataset(pack))
    latents = np.random.default_rng(0).standard_normal((count, 2, 1, 16)).astype(np.float32)
    latents[:, 1] = -30.0  # no noise
    latents[:, 0, 0, 3] = 0.25  # the same for all clips
    monkeypatch.setattr('mgpt3_ros.training.latent_size.clip_latents', lambda *_: latents)
    whiten(network, load_dataset(pack))
    assert float(network.latent_std[0, 3]) == pytest.approx(
        LEAST_SPREAD * float(network.latent_std.mean()), rel=0.1
    )


def test_data_without_validation_clips_is_looked_at_too(
    trained: Path, data: MotionDataset
) -> None:
    data.val.clear()
    check_latents(network_of(trained), data)
