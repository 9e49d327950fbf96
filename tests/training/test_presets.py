# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The presets: read strictly, handed over from stage to stage, and what their names say."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mgpt3_ros.model.config import from_dict
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network import build_network
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.model.pipelines.config import MotionGPT3Config
from mgpt3_ros.training import stages
from mgpt3_ros.training.run_config import RunConfig, load_run_config
from mgpt3_ros.training.run_log import read_log
from mgpt3_ros.training.stages import freeze_all_but, loss_weights, run_stage
from mgpt3_ros.training.tasks import TaskMix

pytestmark = pytest.mark.slow

PRESETS = sorted(p.stem for p in (Path(stages.__file__).parent / 'configs').glob('*.yaml'))
GPT2 = ('paper', 'reference')
GPT2_WORDS = 50257


def network_of(preset: RunConfig) -> MotionGPT3Network | StreamNetwork:
    """The whole network of a preset at its true size, without memory for its weights."""
    model = {**preset.model}
    network = {**model.pop('network')}
    network['backbone'] = {**network['backbone'], 'vocab_size': GPT2_WORDS}
    config = from_dict(MotionGPT3Config, {**model, 'network': network}, 'model')
    with torch.device('meta'):
        return build_network(config.network)


def count(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_the_presets_are_there() -> None:
    assert {'small', 'paper', 'reference', 'stream', 'language'} <= set(PRESETS)


@pytest.mark.parametrize('name', PRESETS)
def test_a_preset_is_read_strictly(name: str) -> None:
    preset = load_run_config(name)
    network = network_of(preset)
    for stage in preset.stages.values():
        freeze_all_but(network, stage.trained)
        if stage.tasks != TaskMix():
            assert loss_weights(stage, network)[network.head.loss_terms[0]] > 0
    with pytest.raises(ConfigError, match='unknown key'):
        load_run_config(name, ('stages.t2m.optim.step=3',))


@pytest.mark.parametrize('name', PRESETS)
def test_every_stage_has_a_loss_and_starts_from_an_earlier_one(name: str) -> None:
    preset = load_run_config(name)
    done: list[str] = []
    for stage_name, stage in preset.stages.items():
        assert stage.start_from is None if stage_name == 'vae' else stage.start_from in done
        fitted = preset.model['network']['vae']['kind'] == 'chunk' and stage_name == 'vae'
        assert fitted or any(weight > 0 for weight in stage.losses.values())
        done.append(stage_name)


@pytest.mark.parametrize('name', GPT2)
def test_sizes_are_those_of_the_paper(name: str) -> None:
    # Counted in the authors' model, whose backbone has an output matrix for the six motion tokens
    # that nothing uses.
    network = network_of(load_run_config(name))
    assert count(network.head) == 27_947_776 + 3_072  # with the fake condition
    assert count(network.motion_in) == 789_504
    assert count(network.backbone) == 209_506_560 - 6 * 768
    assert count(network.vae) == 18_032_135


def test_the_motion_side_beside_the_language_model_is_small() -> None:
    network = network_of(load_run_config('language'))
    motion = [*network.backbone.parameter_groups()['motion'], *network.head.parameters()]
    others = set(network.parameters()) - set(network.backbone.parameter_groups()['text'])
    assert set(motion) < others
    assert 10e6 < 2 * sum(p.numel() for p in others) < 40e6  # bytes, in half precision


@pytest.mark.parametrize(
    ('name', 'group'), [*((n, 'text') for n in GPT2), ('language', 'marker_logits')]
)
def test_the_text_branch_is_trained_last(name: str, group: str) -> None:
    trained = [group in stage.trained for stage in load_run_config(name).stages.values()]
    assert trained == [*[False] * (len(trained) - 1), True]


def test_what_a_language_model_reads_and_writes_words_with_rests_by_default() -> None:
    for stage in load_run_config('language').stages.values():
        assert not {'text', 'additions', 'markers'} & set(stage.trained)


def test_the_paper_has_its_steps_and_rates() -> None:
    preset = load_run_config('paper')
    found = {
        name: (stage.optim.steps, stage.optim.batch_size, stage.optim.learning_rate)
        for name, stage in preset.stages.items()
        if name != 'vae'
    }
    assert found == {
        't2m': (160_000, 32, 2e-4),
        'align': (300_000, 32, 1e-4),
        'instruct': (140_000, 32, 1e-5),
    }
    assert preset.stages['t2m'].optim.head_learning_rate == 1e-4


def test_the_reference_trains_as_the_authors_code_does() -> None:
    preset = load_run_config('reference')
    assert preset.latent_scale == 0.8457
    rates = {}
    for name, stage in preset.stages.items():
        optim = stage.optim
        assert (optim.clip_norm, optim.ema_decay, optim.warmup_steps) == (0, 0, 0)
        if name == 'vae':
            continue
        options = stage.options
        assert (options.pad_to, options.learn_padding, options.latent_noise) == (192, True, True)
        assert (optim.steps, optim.batch_size, optim.beta2) == (240_000, 32, 0.99)
        assert stage.condition_drop == (None if name == 't2m' else 0)
        rates[name] = (optim.learning_rate, optim.head_learning_rate)
        if name != 't2m':
            assert optim.learning_rate * optim.final_rate_share == pytest.approx(1e-6)
            assert optim.cosine_steps == 800_000
    assert rates == {
        't2m': (1e-4, 2e-4),
        'align': (1e-4, None),
        'instruct': (8e-5, None),
        'finetune': (1e-5, None),
    }
    assert preset.stages['t2m'].optim.final_rate_share == 1
    assert preset.stages['t2m'].losses == {'text': 0, 'head': 1}
    assert preset.stages['align'].losses == {'text': 1, 'head': 0.5}


@pytest.mark.parametrize(
    ('override', 'width', 'layers'),
    [
        ('model.network.backbone={n_embd: 1024, n_layer: 24, n_head: 16}', 1024, 24),
        ('model.network.backbone={n_embd: 1280, n_layer: 36, n_head: 20}', 1280, 36),
    ],
)
def test_larger_text_models_are_one_override(override: str, width: int, layers: int) -> None:
    network = network_of(load_run_config('paper', (override,)))
    assert len(network.backbone.layers) == layers
    assert network.backbone.motion_width == width


TINY = (
    'tokenizer={vocab_size: 300}',
    'text_branch=null',
    'model.network.backbone.n_embd=16',
    'model.network.backbone.n_layer=2',
    'model.network.backbone.n_head=2',
    'model.network.vae.mld={latent_dim: 16, ff_width: 32, layers: 3, heads: 2}',
    'model.network.head.width=16',
)


@pytest.mark.parametrize('name', GPT2)
def test_every_stage_of_a_preset_runs_after_the_one_before(
    name: str, pack: Path, tmp_path: Path
) -> None:
    short = [
        f'stages.{stage}.optim.{option}'
        for stage in load_run_config(name).stages
        for option in ('steps=2', 'batch_size=6', 'log_every=1')
    ]
    preset = load_run_config(name, (*TINY, *short))
    for stage in preset.stages:
        folder = run_stage(stage, preset, pack, tmp_path, 'cpu')
        log = read_log(folder)
        assert [record['step'] for record in log] == [1, 2]
        if stage != 'vae' and name == 'reference':
            assert log[0]['rate'] == preset.stages[stage].optim.learning_rate
    network = MotionGPT3.from_pretrained(folder, device='cpu').network
    whitened = len(network.latent_std.unique()) > 1
    assert whitened == (name == 'paper')
    if name == 'reference':
        assert float(network.whiten(torch.ones(1, 16))[0, 0]) == pytest.approx(0.8457)
