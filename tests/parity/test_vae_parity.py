# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The VAE computes what the authors' (MLD's) VAE computes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from mgpt3_ros.model.network.vae.mld import MldConfig, MldVae
from mgpt3_ros.model.released.official_names import as_state, vae_config, vae_key, vae_weights
from tests.support.recipe import recipe

RTOL = ATOL = 1e-4
HEADS = {'small': 4, 'small_latent2': 2, 'full': 4}  # no shape tells them


@dataclass
class Case:
    arrays: Mapping[str, np.ndarray]
    vae: MldVae

    def tensor(self, name: str) -> Tensor:
        return torch.from_numpy(self.arrays[name])

    def latent(self, name: str) -> Tensor:
        """A latent of the fixture, (L, B, C) there, as (B, L, C)."""
        return self.tensor(name).transpose(0, 1)


@pytest.fixture(scope='module', params=list(HEADS))
def case(request: pytest.FixtureRequest, parity_dir: Path) -> Case:
    arrays = dict(np.load(parity_dir / f'vae_{request.param}.npz'))
    if request.param == 'full':
        return Case(arrays, full_size(arrays, parity_dir))
    weights = load_file(parity_dir / f'vae_{request.param}.safetensors')
    vae = MldVae(vae_config(weights, HEADS[request.param]))
    vae.load_state_dict(as_state(vae_weights(weights)), strict=True)
    return Case(arrays, vae.eval())


def full_size(arrays: Mapping[str, np.ndarray], parity_dir: Path) -> MldVae:
    """The VAE of the paper's sizes, filled by the weight recipe."""
    recorded = json.loads((parity_dir / 'full_weights_recipe_sha16.json').read_text())
    names = [name.removeprefix('vae.') for name in recorded if name.startswith('vae.')]
    tokens, _, channels = arrays['z'].shape
    vae = MldVae(MldConfig(latent_tokens=tokens, latent_dim=channels)).eval()
    own, half = vae.state_dict(), vae.config.layers // 2
    state = {}
    for name in names:
        ours = vae_key(name, half)
        state[ours] = torch.from_numpy(recipe(f'vae.{name}', own[ours].shape))
    vae.load_state_dict(state, strict=True)
    return vae


def assert_close(ours: Tensor, theirs: Tensor) -> None:
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours.detach().numpy(), theirs.numpy(), rtol=RTOL, atol=ATOL)


@torch.no_grad()
def test_encoding_a_batch(case: Case) -> None:
    mean, logvar = case.vae.encode(case.tensor('features'), case.tensor('lengths'))
    assert_close(mean, case.latent('mu'))
    assert_close(logvar, case.latent('logvar'))


@torch.no_grad()
def test_encoding_one_clip_at_a_time(case: Case) -> None:
    clips = zip(case.tensor('features'), case.tensor('lengths'), strict=True)
    encoded = [case.vae.encode(clip[None, :length], length[None]) for clip, length in clips]
    distributions = [torch.cat([mean[0], logvar[0]]) for mean, logvar in encoded]
    assert_close(torch.stack(distributions), case.latent('dist_single'))


@torch.no_grad()
@pytest.mark.parametrize(('latent', 'decoded'), [('z', 'decoded'), ('mu', 'decoded_from_mu')])
def test_decoding(case: Case, latent: str, decoded: str) -> None:
    features = case.vae.decode(case.latent(latent), case.tensor('lengths'))
    assert_close(features, case.tensor(decoded))
