# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of the authors' form, small and made up, become checkpoint folders."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.backbone_config import BackboneConfig
from mgpt3_ros.model.network.heads import HeadConfig
from mgpt3_ros.model.network.network import NetworkConfig
from mgpt3_ros.model.released.convert import convert_mld_vae, convert_motiongpt3
from tests.support.hostile import Hostile
from tests.support.released import (
    DEPTH,
    HALF,
    LAYERS,
    SIZES,
    C,
    D,
    K,
    V,
    W,
    lightning,
    official_state,
)
from tests.support.tiny import SENTENCES, swinging_motion


@pytest.fixture(scope='module')
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the converter is given beside the file: statistics and tokenizer."""
    folder = tmp_path_factory.mktemp('given')
    np.save(folder / 'Mean.npy', np.linspace(-1, 1, 263).astype(np.float32))
    np.save(folder / 'Std.npy', np.full(263, 0.1, dtype=np.float32))
    MotionTokenizer.train(SENTENCES, vocab_size=V).save(folder)
    return {'stats': (folder / 'Mean.npy', folder / 'Std.npy'), 'tokenizer': folder}


Converted = Callable[..., MotionGPT3]


@pytest.fixture
def convert(tmp_path: Path, given: dict[str, Any]) -> Converted:
    """Save a content, convert it and load the result."""

    def run(content: Any, **options: Any) -> MotionGPT3:
        torch.save(content, tmp_path / 'motiongpt3.ckpt')
        convert_motiongpt3(
            tmp_path / 'motiongpt3.ckpt', tmp_path / 'out', **{**given, **SIZES, **options}
        )
        return MotionGPT3.from_pretrained(tmp_path / 'out', device='cpu')

    return run


def test_every_weight_arrives(convert: Converted) -> None:
    state = official_state()
    model = convert(lightning(state))
    ours = model.network.state_dict()
    pairs = {
        'layers.1.motion.up.weight': 'h.1.mlp.fn.1.c_fc.weight',
        'layers.0.text.out.weight': 'h.0.c_proj.fn.0.weight',
    }
    for key, theirs in pairs.items():
        weight = state[f'lm.language_model.transformer.{theirs}']
        assert torch.equal(ours[f'backbone.{key}'], weight.T)
    wte = state['lm.language_model.transformer.wte.weight']
    assert torch.equal(ours['backbone.text.wte.weight'], wte[:V])
    assert torch.equal(ours['backbone.marker_embedding'], wte[V:])
    assert torch.equal(ours['vae.encoder_positions'], state['vae.query_pos_encoder.pe'][:, 0])
    assert torch.equal(ours['head.condition.fake'], state['lm.fake_latent'])
    # All values are random: none is there twice, none is lost, none is left as it was born.
    needed = {
        name: value
        for name, value in state.items()
        if name.startswith(('lm.', 'vae.')) and 'post_processors' not in name
    }
    for alias in ('lm_head', 'pre_processors.0'):
        del needed[f'lm.language_model.{alias}.weight']
    theirs_sum = sum(float(value.double().sum()) for value in needed.values())
    latent = {'latent_mean', 'latent_std'}
    ours_sum = sum(float(v.double().sum()) for name, v in ours.items() if name not in latent)
    assert ours_sum == pytest.approx(theirs_sum, abs=1e-3)


def test_the_configuration_is_the_authors(convert: Converted) -> None:
    model = convert(lightning(official_state()), name='theirs', licence='MIT')
    config = model.config
    assert (model.name, model.licence) == ('theirs', 'MIT')
    assert config.network.holders == K
    assert config.network.backbone.n_layer == LAYERS
    assert config.network.vae.mld.layers == 2 * HALF + 1
    assert (config.network.head.width, config.network.head.depth) == (W, DEPTH)
    assert (config.network.head.kind, config.network.head.num_inference_steps) == ('ddpm', 100)
    assert not config.network.motion_context
    assert not config.finishing
    assert config.max_frames == 196
    latent = torch.ones(1, 1, C)
    torch.testing.assert_close(model.network.whiten(latent), 0.8457 * latent)
    np.testing.assert_allclose(model.stats.std, 0.1)


def test_the_result_generates_and_captions(convert: Converted) -> None:
    model = convert(lightning(official_state()))
    motion = model.generate('walk', duration_s=1.0, num_inference_steps=2)
    assert motion.num_frames == 20
    assert isinstance(model.caption(Motion(swinging_motion(0), 20)), str)


def test_what_was_used_and_what_was_not(
    tmp_path: Path, given: dict[str, Any], convert: Converted
) -> None:
    convert(lightning(official_state()))
    result = convert_motiongpt3(tmp_path / 'motiongpt3.ckpt', tmp_path / 'again', **given, **SIZES)
    needed = [n for n in official_state() if n.startswith(('lm.', 'vae.'))]
    assert result.used == len(needed) - 1
    assert result.ignored == {
        '_losses': 1,
        'epoch': 1,
        'global_step': 1,
        'lm': 1,  # the logits of motion tokens, which nothing reads
        'metrics': 2,
        'optimizer_states': 1,
        'pytorch-lightning_version': 1,
    }
    assert 'metrics (2)' in (tmp_path / 'again' / 'MODEL_CARD.md').read_text()


@pytest.mark.parametrize(
    'optional',
    ['lm.fake_latent', 'lm.language_model.post_processors.1.weight']
    + [f'lm.language_model.{a}.weight' for a in ('lm_head', 'pre_processors.0')],
)
def test_optional_weights_may_be_missing(convert: Converted, optional: str) -> None:
    state = official_state()
    del state[optional]
    model = convert(lightning(state))
    guided = optional != 'lm.fake_latent'
    assert model.config.network.head.guidance_scale == (7.5 if guided else 1.0)
    assert model.generate('walk', duration_s=1.0, num_inference_steps=1).num_frames == 20


def test_a_norm_before_the_head_is_taken_over(convert: Converted) -> None:
    state = official_state()
    state['lm.norm_layer.weight'] = torch.full((D,), 2.0)
    state['lm.norm_layer.bias'] = torch.zeros(D)
    state['lm.diffusion_pos_embed_learned'] = torch.arange(K * D).float().view(1, K, D)
    network = convert(lightning(state)).network
    assert torch.equal(network.hidden_positions, torch.arange(K * D).float().view(K, D))
    assert torch.equal(network.hidden_norm.weight, torch.full((D,), 2.0))


@pytest.mark.parametrize(
    'needed',
    [
        'lm.language_model.transformer.wte.weight',
        'lm.language_model.transformer.h.1.c_attn.fn.1.bias',
        'lm.motion_und_head.layers.weight',
        'lm.diffloss.net.input_proj.weight',
        'lm.diffloss.net.final_layer.linear.bias',
        'vae.global_motion_token',
        'vae.decoder.norm.weight',
    ],
)
def test_a_needed_weight_may_not(convert: Converted, needed: str) -> None:
    state = official_state()
    del state[needed]
    for alias in ('lm_head', 'pre_processors.0', 'post_processors.0'):
        del state[f'lm.language_model.{alias}.weight']
    with pytest.raises(CheckpointError, match=r'missing|no weight'):
        convert(lightning(state))


@pytest.mark.parametrize(
    'unknown',
    [
        'lm.language_model.transformer.h.0.c_attn.fn.2.weight',
        'lm.language_model.transformer.h.0.mlp.fn.0.weight',
        'lm.diffloss.net.final_layer.norm.weight',
        'lm.adapter.weight',
        'vae.latent_pre.weight',
    ],
)
def test_no_weight_is_left_over(convert: Converted, unknown: str) -> None:
    state = {**official_state(), unknown: torch.zeros(3, 3)}
    name = unknown.removeprefix('lm.language_model.').removeprefix('vae.')
    with pytest.raises(CheckpointError, match=name.replace('.', r'\.')):
        convert(lightning(state))


@pytest.mark.parametrize(
    ('name', 'wrong', 'right'),
    [
        ('lm.language_model.transformer.h.1.c_attn.fn.1.weight', (16, 50), (16, 48)),
        ('lm.language_model.transformer.h.0.mlp.fn.0.c_proj.weight', (16, 64), (64, 16)),
        ('lm.language_model.pre_processors.1.weight', (4, 16), (6, 16)),
        ('lm.diffloss.net.cond_embed.hid_pos.pe', (400, 1, 16), (500, 1, 16)),
        ('lm.fake_latent', (4, 16), (3, 16)),
        ('vae.query_pos_decoder.pe', (500, 1, 9), (500, 1, 8)),
    ],
)
def test_a_wrong_shape_is_named_with_both(
    convert: Converted, name: str, wrong: tuple[int, ...], right: tuple[int, ...]
) -> None:
    state = {**official_state(), name: torch.zeros(wrong)}
    with pytest.raises(CheckpointError) as caught:
        convert(lightning(state))
    assert name in str(caught.value)
    assert f'{wrong}, not {right}' in str(caught.value)


def test_tied_weights_must_be_equal_but_need_not_be_shared(convert: Converted) -> None:
    state = official_state()
    alias = 'lm.language_model.lm_head.weight'
    state[alias] = state[alias].clone()
    convert(lightning(state))
    state[alias][5, 5] += 1
    with pytest.raises(CheckpointError, match=r'lm_head\.weight should be a copy'):
        convert(lightning(state))


def test_another_tokenizer_is_refused(convert: Converted, tmp_path: Path) -> None:
    MotionTokenizer.train(SENTENCES, vocab_size=280).save(tmp_path)
    with pytest.raises(CheckpointError, match=r'280 tokens.*trained with 300'):
        convert(lightning(official_state()), tokenizer=tmp_path)


@pytest.mark.parametrize('content', [{'state_dict': {'vae.x': 1}}, {'a': 1}, [1, 2], 5])
def test_other_contents_are_refused(convert: Converted, content: Any) -> None:
    with pytest.raises(CheckpointError, match='holds no'):
        convert(content)


@pytest.mark.parametrize('zipped', [True, False])
def test_no_code_in_the_file_is_run(
    zipped: bool, tmp_path: Path, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    marker, ran = tmp_path / 'ran', []
    # Classes that this machine does not have, as a configuration of the authors' would be.
    module = types.ModuleType('omegaconf_of_theirs')
    module.Config = type('Config', (dict,), {'__module__': module.__name__})  # type: ignore[attr-defined]
    module.Items = type('Items', (list,), {'__module__': module.__name__})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    config = module.Config(lr=1e-4, items=module.Items([1, 2]))
    config.extra = {'nested': module.Items(['a'])}
    hostile = Hostile(f'touch {marker}')
    state = official_state()
    content = lightning(
        state,
        hyper_parameters={'cfg': config, 'evil': hostile},
        callbacks={'Checkpoint': [hostile, {1, 2}, np.float64(0.5), np.arange(3)]},
        loops={'fit': Hostile(f'touch {marker}')},
        evaluated=ran.append,  # a bound method: pickled as getattr
    )
    torch.save(content, tmp_path / 'hostile.ckpt', _use_new_zipfile_serialization=zipped)
    monkeypatch.delitem(sys.modules, module.__name__)
    monkeypatch.setattr(os, 'system', lambda command: ran.append(command))
    result = convert_motiongpt3(tmp_path / 'hostile.ckpt', tmp_path / 'out', **given, **SIZES)
    assert not marker.exists()
    assert not ran
    assert module.__name__ not in sys.modules
    asked = {'posix.system', 'omegaconf_of_theirs.Config', '__builtin__.getattr'}
    assert asked <= set(result.unknown)
    model = MotionGPT3.from_pretrained(tmp_path / 'out', device='cpu')
    fake = model.network.state_dict()['head.condition.fake']
    assert torch.equal(fake, state['lm.fake_latent'])


def test_the_vae_of_mld_starts_a_training(tmp_path: Path, given: dict[str, Any]) -> None:
    vae = {name: value for name, value in official_state().items() if name.startswith('vae.')}
    extra = {'denoiser.decoder.norm.weight': torch.ones(3), 't2m_textencoder.x': torch.ones(1)}
    network = NetworkConfig(
        backbone=BackboneConfig(vocab_size=V, n_positions=64, n_embd=D, n_layer=1, n_head=2),
        head=HeadConfig(width=8, depth=1),
        holders=2,
    )
    for prefix in ('', 'motion_'):
        state = {f'{prefix}{name}': value for name, value in vae.items()} | extra
        torch.save(lightning(state), tmp_path / 'mld.ckpt')
        result = convert_mld_vae(
            tmp_path / 'mld.ckpt', tmp_path / prefix, network=network, vae_heads=2, **given
        )
        assert result.used == len(vae)
        assert result.ignored['denoiser'] == 1
        model = MotionGPT3.from_pretrained(tmp_path / prefix, device='cpu')
        ours = model.network.vae.state_dict()
        assert torch.equal(ours['distribution_tokens'], vae['vae.global_motion_token'])
        assert model.config.network.holders == 2
    del state['motion_vae.encoder.norm.bias']
    torch.save(lightning(state), tmp_path / 'mld.ckpt')
    with pytest.raises(CheckpointError, match=r'missing \(such as vae\.encoder\.norm\.bias'):
        convert_mld_vae(
            tmp_path / 'mld.ckpt', tmp_path / 'out', network=network, vae_heads=2, **given
        )


def test_an_mld_checkpoint_without_a_vae_is_refused(tmp_path: Path, given: dict[str, Any]) -> None:
    torch.save(lightning({'denoiser.x': torch.ones(1)}), tmp_path / 'mld.ckpt')
    with pytest.raises(CheckpointError, match=r'holds no weights vae\.'):
        convert_mld_vae(tmp_path / 'mld.ckpt', tmp_path / 'out', **given)


def test_statistics_are_checked(convert: Converted, tmp_path: Path) -> None:
    np.save(tmp_path / 'short.npy', np.ones(251))
    for mean in (tmp_path / 'short.npy', tmp_path / 'none.npy'):
        with pytest.raises(CheckpointError, match=r'263|no feature statistics'):
            convert(lightning(official_state()), stats=(mean, tmp_path / 'short.npy'))
