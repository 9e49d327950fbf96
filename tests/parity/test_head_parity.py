# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ddpm head computes what the authors' diffusion head computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from mgpt3_ros.model.network.heads import HeadConfig, build_head
from mgpt3_ros.model.network.heads.base import Draw
from mgpt3_ros.model.network.heads.ddpm import DdpmHead, Schedule
from mgpt3_ros.model.released.official_names import head_key
from mgpt3_ros.model.sampling import SamplingOptions
from tests.support.recipe import recipe, rs

RTOL = ATOL = 1e-4  # single forwards
SAMPLING = 1e-3  # of the array's standard deviation, after 100 steps
TIME_CHANNELS = 256


@dataclass
class Case:
    arrays: Mapping[str, np.ndarray]
    weights: Mapping[str, np.ndarray]  # the authors' names, full or without prefix
    step_noise: np.ndarray  # (steps, B, 1, C)

    def tensor(self, name: str) -> torch.Tensor:
        return torch.from_numpy(self.arrays[name])

    def head(self, sampler: str = 'ddpm') -> DdpmHead:
        _, holders, hidden_width = self.arrays['cond'].shape
        config = HeadConfig(
            width=self.arrays['cond_embed'].shape[-1],
            depth=len([k for k in self.weights if k.endswith('in_ln.weight')]),
            sampler=sampler,
        )
        head = build_head(config, self.arrays['x0'].shape[1:], holders, hidden_width)
        state = {head_key(k): torch.from_numpy(v) for k, v in self.weights.items()}
        positions = 'condition.aggregate.positions'
        state[positions] = state[positions].squeeze(1)
        head.load_state_dict(state, strict=True)
        return head.eval()

    def noises(self) -> Callable[[], torch.Tensor]:
        stream = iter([self.arrays['init_noise'], *self.step_noise])
        return lambda: torch.from_numpy(next(stream))


def official_shapes(arrays: Mapping[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    """Shapes of the authors' head, from the sizes of the fixture's arrays."""
    M, W, C = arrays['cond'].shape[-1], arrays['cond_embed'].shape[-1], arrays['x0'].shape[-1]
    layer = 'cond_embed.hid_encoder_layer.'
    linears = {
        'time_embed.mlp.0': (W, TIME_CHANNELS),
        'time_embed.mlp.2': (W, W),
        'input_proj': (W, C),
        'cond_embed.cond_proj': (W, M),
        layer + 'self_attn.out_proj': (M, M),
        layer + 'linear1': (4 * M, M),
        layer + 'linear2': (M, 4 * M),
        'final_layer.linear': (C, W),
        'final_layer.adaLN_modulation.1': (2 * W, W),
    }
    norms = {layer + 'norm1': M, layer + 'norm2': M}
    for i in range(3):
        linears[f'res_blocks.{i}.mlp.0'] = linears[f'res_blocks.{i}.mlp.2'] = (W, W)
        linears[f'res_blocks.{i}.adaLN_modulation.1'] = (3 * W, W)
        norms[f'res_blocks.{i}.in_ln'] = W
    shapes: dict[str, tuple[int, ...]] = {
        'cond_embed.hidden_embedding': (1, M),
        'cond_embed.hid_pos.pe': (500, 1, M),
        layer + 'self_attn.in_proj_weight': (3 * M, M),
        layer + 'self_attn.in_proj_bias': (3 * M,),
    }
    for name, shape in linears.items():
        shapes |= {name + '.weight': shape, name + '.bias': shape[:1]}
    for name, size in norms.items():
        shapes |= {name + '.weight': (size,), name + '.bias': (size,)}
    return {'lm.diffloss.net.' + name: shape for name, shape in shapes.items()}


@pytest.fixture(scope='module', params=['small', 'full'])
def case(request: pytest.FixtureRequest, parity_dir: Path) -> Case:
    arrays = dict(np.load(parity_dir / f'diff_{request.param}.npz'))
    steps, shape = len(arrays['timestep_map']), arrays['x0'].shape
    if request.param == 'small':
        weights = load_file(parity_dir / 'diff_small.safetensors')
        step_noise = rs(int(arrays['seed']) + 6, steps, *shape)
        np.testing.assert_array_equal(step_noise, arrays['step_noise'])
    else:
        weights = {key: recipe(key, shape) for key, shape in official_shapes(arrays).items()}
        step_noise = rs(int(arrays['step_noise_seed']), steps, *shape)
    return Case(arrays, {**weights, 'lm.fake_latent': arrays['fake_latent']}, step_noise)


def assert_close(ours: torch.Tensor, theirs: np.ndarray) -> None:
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=RTOL, atol=ATOL)


def test_schedules(case: Case) -> None:
    train = Schedule.linear()
    respaced = train.respace(len(case.arrays['timestep_map']))
    np.testing.assert_array_equal(respaced.times, case.arrays['timestep_map'])
    for ours, name in [
        (train.betas, 'train_betas'),
        (train.alphas_cumprod, 'train_alphas_cumprod'),
        (respaced.betas, 'gen_betas'),
        (respaced.posterior_mean_coefficients[0], 'gen_posterior_mean_coef1'),
        (respaced.posterior_mean_coefficients[1], 'gen_posterior_mean_coef2'),
        (respaced.posterior_log_variance, 'gen_posterior_log_variance_clipped'),
    ]:
        np.testing.assert_allclose(ours, case.arrays[name], rtol=1e-9, err_msg=name)


def test_single_forwards(case: Case) -> None:
    head, time = case.head(), case.tensor('t')
    condition = head.condition(case.tensor('cond'))
    assert_close(condition[:, None], case.arrays['cond_embed'])
    assert_close(head.network.embed_time(time), case.arrays['time_embed'])
    noisy, wanted = head.mix(case.tensor('x0'), case.tensor('noise'), time)
    assert_close(noisy, case.arrays['x_t'])
    predicted = head.predict(case.tensor('x_t'), time, condition)
    assert_close(predicted, case.arrays['eps_pred'])
    per_sample = (predicted - wanted).square().mean(dim=(1, 2))
    assert_close(per_sample, case.arrays['loss_per_sample'])


def test_loss(case: Case) -> None:
    time, noise = case.tensor('t'), case.tensor('noise')
    draw = Draw(time, noise, torch.zeros(len(time), dtype=torch.bool))
    terms = case.head().loss_of(case.tensor('x0'), case.tensor('cond'), draw)
    assert_close(terms['diffusion'], case.arrays['loss_per_sample'].mean())


@pytest.mark.parametrize(
    ('name', 'sampler', 'guidance_scale'),
    [
        ('sample_nocfg', 'ddpm', 1.0),
        ('sample_cfg_1.5', 'ddpm', 1.5),
        ('sample_cfg_3.0', 'ddpm', 3.0),
        ('sample_cfg_7.5', 'ddpm', 7.5),
        ('sample_ddim_nocfg', 'ddim', 1.0),
    ],
)
def test_sampling(case: Case, name: str, sampler: str, guidance_scale: float) -> None:
    theirs = case.arrays[name]
    steps = len(case.arrays['timestep_map'])
    ours = case.head(sampler).denoise(
        case.noises(), case.tensor('cond'), SamplingOptions(guidance_scale, steps)
    )
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=0, atol=SAMPLING * theirs.std())
