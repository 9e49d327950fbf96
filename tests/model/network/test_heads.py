# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion heads: contract, guidance, seeds, what they learn, and golden values."""

from __future__ import annotations

import dataclasses
import functools
import itertools

import numpy as np
import pytest
import torch

from mgpt3_ros.model.config import from_dict, to_dict
from mgpt3_ros.model.errors import Cancelled, CheckpointError, ConfigError
from mgpt3_ros.model.network.heads import HeadConfig, MotionHead, build_head
from mgpt3_ros.model.network.heads import base as heads_base
from mgpt3_ros.model.network.heads.base import DenoisingHead, Guidance
from mgpt3_ros.model.network.heads.ddpm import Schedule
from mgpt3_ros.model.network.heads.network import DenoisingNetwork
from mgpt3_ros.model.released.official_names import head_key
from mgpt3_ros.model.sampling import SamplingOptions
from tests.support.heads import SMALL, B, C, K, L, M, numbers, seeded, small_head


@pytest.mark.parametrize(
    ('kind', 'aggregation', 'holders'),
    list(itertools.product(('ddpm', 'flow', 'regression'), ('attention', 'linear'), (1, 4, 8))),
)
def test_every_head_trains_and_samples(kind: str, aggregation: str, holders: int) -> None:
    config = dataclasses.replace(SMALL, kind=kind, aggregation=aggregation)
    head = build_head(config, (L, C), holders, M)
    hidden = numbers(1, B, holders, M).requires_grad_()
    terms = head.loss(numbers(2, B, L, C), hidden, seeded())
    expected = {
        'ddpm': {'diffusion', 'regression'},
        'flow': {'flow', 'regression'},
        'regression': {'regression'},
    }
    assert set(terms) == expected[kind]
    total = sum(terms.values())
    assert total.ndim == 0
    total.backward()
    assert hidden.grad.abs().sum() > 0
    assert all(p.grad is not None for p in head.parameters())
    assert head.sample(hidden, SamplingOptions(generator=seeded())).shape == (B, L, C)


@pytest.mark.parametrize('kind', ['ddpm', 'flow'])
def test_no_regression_term_unless_asked(kind: str) -> None:
    head = small_head(kind=kind, regression_weight=0.0)
    assert 'regression' not in head.loss(numbers(2, B, L, C), numbers(1, B, K, M))
    assert not [name for name, _ in head.named_parameters() if 'regressor' in name]


def test_only_flow_starts_at_zero_unless_asked() -> None:
    hidden, x = numbers(1, B, K, M), numbers(2, B, L, C)
    time = torch.full((B,), 0.5)
    for kind, zero_init, starts_at_zero in [
        ('flow', None, True),
        ('ddpm', None, False),
        ('ddpm', True, True),
        ('flow', False, False),
    ]:
        config = dataclasses.replace(SMALL, kind=kind, zero_init=zero_init)
        head = build_head(config, (L, C), K, M)
        assert (head.predict(x, time, head.condition(hidden)) == 0).all() == starts_at_zero


def test_fake_condition_starts_as_configured() -> None:
    assert (build_head(SMALL, (L, C), K, M).condition.fake == 0).all()
    config = dataclasses.replace(SMALL, fake_start='random')
    assert build_head(config, (L, C), K, M).condition.fake.std() > 0.5


@pytest.mark.parametrize('kind', ['ddpm', 'flow'])
@pytest.mark.parametrize('sampler', ['ddpm', 'ddim'])
def test_same_seed_same_sample(kind: str, sampler: str) -> None:
    head, hidden = small_head(kind=kind, sampler=sampler), numbers(1, B, K, M)
    first, again, other = (
        head.sample(hidden, SamplingOptions(generator=seeded(s))) for s in (7, 7, 8)
    )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


@pytest.mark.parametrize('kind', ['ddpm', 'flow'])
def test_loss_draws_only_from_its_generator(kind: str) -> None:
    head, target, hidden = small_head(kind=kind), numbers(2, B, L, C), numbers(1, B, K, M)
    torch.manual_seed(0)
    first = head.loss(target, hidden, seeded(7))
    torch.manual_seed(1)
    assert head.loss(target, hidden, seeded(7)) == first
    assert head.loss(target, hidden, seeded(8)) != first


@pytest.mark.parametrize('kind', ['ddpm', 'flow'])
def test_guidance_1_is_no_guidance_and_2_extrapolates(kind: str) -> None:
    head, hidden = small_head(kind=kind), numbers(1, B, K, M)
    plain = small_head(kind=kind, condition_drop=0.0, guidance_scale=1.0)
    plain.load_state_dict({k: v for k, v in head.state_dict().items() if k != 'condition.fake'})
    unguided = plain.sample(hidden, SamplingOptions(generator=seeded()))
    assert torch.equal(
        head.sample(hidden, SamplingOptions(guidance_scale=1.0, generator=seeded())), unguided
    )
    # The real condition and the fake one are the ends of a line on which the scale is the place.
    fake = head.condition.fake.expand(B, K, M)
    ignored = head.sample(hidden, SamplingOptions(guidance_scale=0.0, generator=seeded()))
    torch.testing.assert_close(
        ignored, plain.sample(fake, SamplingOptions(generator=seeded())), rtol=1e-3, atol=1e-3
    )
    one_step = [
        head.sample(
            hidden, SamplingOptions(num_inference_steps=1, guidance_scale=s, generator=seeded())
        )
        for s in (0.0, 1.0, 2.0)
    ]
    torch.testing.assert_close(one_step[2], 2 * one_step[1] - one_step[0], rtol=1e-3, atol=1e-3)


def test_guidance_needs_a_fake_condition() -> None:
    with pytest.raises(ConfigError, match='condition_drop'):
        HeadConfig(condition_drop=0.0)
    head = small_head(condition_drop=0.0, guidance_scale=1.0)
    with pytest.raises(ConfigError, match='guidance_scale 1'):
        head.sample(numbers(1, B, K, M), SamplingOptions(guidance_scale=2.0))


@pytest.mark.parametrize('kind', ['ddpm', 'flow', 'regression'])
@pytest.mark.parametrize('aggregation', ['attention', 'linear'])
def test_batch_equals_single(kind: str, aggregation: str) -> None:
    # In double precision, since in single the rounding of batched products depends on the threads.
    head, hidden = (
        small_head(kind=kind, aggregation=aggregation).double(),
        numbers(1, B, K, M).double(),
    )
    if kind == 'regression':
        together, alone = head.sample(hidden), head.sample(hidden[1:2])
    else:
        noise = iter(numbers(3, 8, B, L, C).double())
        together = head.denoise(lambda: next(noise), hidden, SamplingOptions(2.0, 8))
        noise_of_one = iter(numbers(3, 8, B, L, C)[:, 1:2].double())
        alone = head.denoise(lambda: next(noise_of_one), hidden[1:2], SamplingOptions(2.0, 8))
    torch.testing.assert_close(together[1:2], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('kind', ['ddpm', 'flow'])
def test_dropped_conditions_are_replaced_by_the_fake_one(kind: str) -> None:
    head, target = small_head(kind=kind, regression_weight=0.0), numbers(2, B, L, C)
    draw = head.draw(target, seeded())
    assert draw.noise.shape == (4 * B, L, C)
    all_dropped = draw._replace(dropped=torch.ones_like(draw.dropped))
    first, second = (head.loss_of(target, numbers(s, B, K, M), all_dropped) for s in (1, 9))
    assert first == second
    none_dropped = draw._replace(dropped=torch.zeros_like(draw.dropped))
    first, second = (head.loss_of(target, numbers(s, B, K, M), none_dropped) for s in (1, 9))
    assert first != second


def test_conditions_are_dropped_as_often_as_configured() -> None:
    head = small_head(condition_drop=0.25, repeats=4000)
    share = head.draw(numbers(2, B, L, C), seeded()).dropped.float().mean()
    assert abs(share - 0.25) < 0.02


@pytest.mark.parametrize('kind', ['ddpm', 'flow'])
@pytest.mark.parametrize('guidance', [None, Guidance(), Guidance(numbers(9, B, K, M), 0.5)])
@pytest.mark.parametrize('rows', [1, 13, 1024])
def test_modulations_of_many_steps_at_once_are_those_of_each(
    kind: str, guidance: Guidance | None, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain: the whole network at each step, on the batch and on the batch without its text."""
    head, hidden = small_head(kind=kind), numbers(1, B, K, M)
    assert isinstance(head, DenoisingHead)
    sampling = SamplingOptions(guidance_scale=1.0 if guidance is None else 3.0)

    def drawn() -> torch.Tensor:
        noise = numbers(2, B, L, C)
        return head.denoise(lambda: noise, hidden, sampling, guidance)

    monkeypatch.setattr(heads_base, 'MODULATED_ROWS', rows)
    fast = drawn()
    condition = head.condition(hidden)
    if guidance is not None:
        without = guidance.hidden
        fake = head.condition.unconditional() if without is None else head.condition(without)
        condition = torch.cat([condition, fake.expand_as(condition)])
    times = head._inference_times(SMALL.num_inference_steps)
    embeddings = head.network.embed_time(head._time_scale() * times)
    steps = iter(embeddings.split(1))
    monkeypatch.setattr(
        head.network, 'modulated', lambda x, by: head.network(x, next(steps), condition)
    )
    monkeypatch.setattr(head.network, 'forward', functools.partial(plain_forward, head.network))
    torch.testing.assert_close(drawn(), fast, rtol=2e-5, atol=1e-5)
    assert next(steps, None) is None


def plain_forward(
    network: DenoisingNetwork, x: torch.Tensor, time: torch.Tensor, condition: torch.Tensor
) -> torch.Tensor:
    """The network's mathematics, written out."""
    y = torch.nn.functional.silu(time + condition)
    h = network.input(x)
    for block in network.blocks:
        shift, scale, gate = block.modulation(y).chunk(3, dim=-1)
        h = h + gate * block.mlp(block.norm(h) * (1 + scale) + shift)
    shift, scale = network.output_modulation(y).chunk(2, dim=-1)
    return network.output(network.output_norm(h) * (1 + scale) + shift)


@pytest.mark.parametrize('kind', ['ddpm', 'flow'])
def test_should_stop_is_asked_before_each_step(kind: str) -> None:
    head, hidden = small_head(kind=kind), numbers(1, B, K, M)
    evaluations: list[int] = []
    head.network.output.register_forward_hook(lambda *_: evaluations.append(1))
    asked = itertools.count()
    with pytest.raises(Cancelled):
        head.sample(hidden, SamplingOptions(should_stop=lambda: next(asked) == 3))
    assert len(evaluations) == 3


@pytest.mark.parametrize('kind', ['ddpm', 'flow', 'regression'])
def test_progress_rises_to_one(kind: str) -> None:
    told: list[float] = []
    small_head(kind=kind).sample(numbers(1, B, K, M), SamplingOptions(on_progress=told.append))
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) == (1 if kind == 'regression' else SMALL.num_inference_steps)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
@pytest.mark.parametrize('kind', ['ddpm', 'flow', 'regression'])
def test_half_precision_samples_near_full_precision(kind: str, dtype: torch.dtype) -> None:
    head, hidden = small_head(kind=kind), numbers(1, B, K, M)
    full = head.sample(hidden, SamplingOptions(generator=seeded()))
    half = head.to(dtype).sample(hidden.to(dtype), SamplingOptions(generator=seeded()))
    assert half.dtype == dtype
    assert (half.float() - full).abs().mean() < 0.05 * full.std()


@pytest.mark.parametrize('sampler', ['ddpm', 'ddim'])
@pytest.mark.parametrize('kind', ['ddpm', 'flow'])
def test_temperature_0_leaves_one_sample(kind: str, sampler: str) -> None:
    head, hidden = small_head(kind=kind, sampler=sampler, temperature=0.0), numbers(1, B, K, M)
    noise = [numbers(3, 8, B, L, C), numbers(4, 8, B, L, C)]
    for stream in noise:
        stream[0] = 0.0  # ancestral sampling scales only what its steps add
    first, second = (
        head.denoise(iter(n).__next__, hidden, SamplingOptions(1.0, 8)) for n in noise
    )
    torch.testing.assert_close(first, second)


@functools.cache  # what a head learns does not hang on how it is drawn from
def learn(kind: str, steps: int = 400) -> tuple[MotionHead, torch.Tensor]:
    """Teach a head two labels; each has two modes, at x = -1 and 1; y = -1 or 1 is the label."""
    torch.manual_seed(0)
    config = HeadConfig(kind=kind, width=64, depth=2, aggregation='linear', num_inference_steps=40)
    head = build_head(config, (1, 2), holders=2, hidden_width=8)
    hidden_of_label = torch.randn(2, 2, 8)
    optimizer = torch.optim.Adam(head.parameters(), 2e-3)
    for _ in range(steps):
        label = torch.randint(2, (128,))
        modes = torch.stack([torch.randint(2, (128,)), label], dim=1) * 2.0 - 1.0
        target = modes[:, None] + 0.1 * torch.randn(128, 1, 2)
        optimizer.zero_grad()
        sum(head.loss(target, hidden_of_label[label]).values()).backward()
        optimizer.step()
    return head.eval(), hidden_of_label


@pytest.mark.slow
@pytest.mark.parametrize(
    ('kind', 'sampler'), [('flow', 'ddpm'), ('ddpm', 'ddpm'), ('ddpm', 'ddim')]
)
def test_generative_heads_learn_both_modes_of_each_label(kind: str, sampler: str) -> None:
    head, hidden_of_label = learn(kind)
    head.config = dataclasses.replace(head.config, sampler=sampler)
    label = torch.arange(2).repeat_interleave(300)
    sample = head.sample(
        hidden_of_label[label], SamplingOptions(guidance_scale=1.0, generator=seeded())
    )[:, 0]
    x, y = sample.T
    assert ((y > 0) == (label == 1)).float().mean() > 0.97
    assert ((x.abs() - 1).abs() < 0.4).float().mean() > 0.9
    for one in (0, 1):
        assert 0.35 < (x[label == one] > 0).float().mean() < 0.65


def test_regression_learns_the_mean_of_the_modes() -> None:
    head, hidden_of_label = learn('regression', steps=200)
    sample = head.sample(hidden_of_label)[:, 0]
    torch.testing.assert_close(sample, torch.tensor([[0.0, -1.0], [0.0, 1.0]]), rtol=0, atol=0.15)


def test_respaced_schedule_ends_where_training_does() -> None:
    train = Schedule.linear()
    for steps in (1, 2, 7, 100, 1000):
        respaced = train.respace(steps)
        assert len(respaced.times) == steps
        assert respaced.times[-1] == 999
        np.testing.assert_allclose(np.cumprod(1 - respaced.betas), respaced.alphas_cumprod)


def test_config_survives_json_and_names_what_is_wrong() -> None:
    assert from_dict(HeadConfig, to_dict(SMALL)) == SMALL
    with pytest.raises(ConfigError, match=r"'gan'.*ddpm, flow, regression"):
        build_head(dataclasses.replace(SMALL, kind='gan'), (L, C), K, M)
    with pytest.raises(ConfigError, match='does not divide the motion width 18'):
        build_head(SMALL, (L, C), K, 18)
    head = small_head()
    with pytest.raises(ConfigError, match='num_inference_steps is 0'):
        head.sample(numbers(1, B, K, M), SamplingOptions(num_inference_steps=0))
    with pytest.raises(ConfigError, match=r'\(3, 5, 16\)'):
        head.sample(numbers(1, B, 5, M))
    with pytest.raises(ConfigError, match=r'\(3, 1, 5\)'):
        head.loss(numbers(1, B, 1, C), numbers(1, B, K, M))


def test_weight_names_of_the_authors() -> None:
    assert head_key('lm.fake_latent') == 'condition.fake'
    assert head_key('input_proj.bias') == head_key('lm.diffloss.net.input_proj.bias')
    assert head_key('res_blocks.11.in_ln.weight') == 'network.blocks.11.norm.weight'
    with pytest.raises(CheckpointError, match=r'lm\.motion_und_head\.weight'):
        head_key('lm.motion_und_head.weight')


GOLDEN = {
    ('ddpm', 'ddpm'): [0.04595, 39.9164, 60.8131, 88.1016, 6.85531, 0.52369],
    ('ddpm', 'ddim'): [9.80739, 32.9120, 49.8365, 82.8665, 6.85531, 0.52369],
    ('flow', 'ddpm'): [-2.21430, -0.38735, -0.06910, 1.75284, 6.82427, 0.52369],
    ('regression', 'ddpm'): [0.19910, 0.37137, 0.32998, -0.17653, 1.04738],
}


@pytest.mark.parametrize(('kind', 'sampler'), GOLDEN)
def test_golden_values(kind: str, sampler: str) -> None:
    """First numbers of a sample under guidance 2, and the loss terms (made by this code)."""
    head, hidden, target = (
        small_head(kind=kind, sampler=sampler, aggregation='attention'),
        numbers(1, B, K, M),
        numbers(2, B, L, C),
    )
    if kind == 'regression':
        sample, terms = head.sample(hidden), head.loss(target, hidden)
    else:
        noise = iter(numbers(3, 8, B, L, C))
        sample = head.denoise(lambda: next(noise), hidden, SamplingOptions(2.0, 8))
        draw = head.draw(target, seeded())._replace(noise=numbers(5, 4 * B, L, C))
        time = torch.arange(4 * B) / (4 * B)
        draw = draw._replace(
            time=time if kind == 'flow' else (1000 * time).long(),
            dropped=torch.arange(4 * B) % 5 == 0,
        )
        terms = head.loss_of(target, hidden, draw)
    values = [*sample[1].flatten()[:4].tolist(), *(v.item() for v in terms.values())]
    np.testing.assert_allclose(values, GOLDEN[kind, sampler], rtol=1e-3, atol=1e-3)
