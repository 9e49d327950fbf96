# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's baselines at tiny size: codes in place of latents, one branch in place of two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mgpt3_ros.model.errors import Cancelled, ConfigError, MotionError
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.code_network import CodeNetwork
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.dataset import load_dataset
from mgpt3_ros.training.evaluation.protocols import ProtocolConfig, inbetween, prediction
from mgpt3_ros.training.evaluation.protocols import reconstruction as reconstructed
from mgpt3_ros.training.run_config import RunConfig, load_run_config
from mgpt3_ros.training.run_log import read_log
from mgpt3_ros.training.stages import freeze_all_but, run_stage
from tests.support.tiny import swinging_motion
from tests.support.tiny_runs import write_preset

pytestmark = pytest.mark.slow

STAGES = ('vae', 'text', 't2m', 'align')
VQ = (
    'model.network.vae={kind: vq, vq: {num_codes: 16, code_width: 8, width: 12, depth: 1}}',
    'model.network.head={kind: codes, condition_drop: 0, guidance_scale: 1}',
    'model.network.motion_context=false',
    'model.max_frames=96',
    'stages.vae.losses={features: 1, positions: 0.5, commitment: 0.02}',
    'stages.text.trained=[text, motion, markers, head]',
    'stages.text.losses={text: 1, head: 1}',
    'stages.text.optim.steps=60',
    'stages.t2m.trained=[motion, markers, head]',
    'stages.t2m.losses={head: 1}',
    'stages.align.trained=[motion, markers, head]',
    'stages.align.losses={text: 0.5, head: 1}',
)
BOTH = '[text, motion, markers, holders, duration, head]'
UNIFIED = (
    'model.network.backbone.unified=true',
    f'stages.t2m.trained={BOTH}',
    f'stages.align.trained={BOTH}',
)


def trained(pack: Path, folder: Path, overrides: tuple[str, ...]) -> tuple[RunConfig, Path]:
    config = load_run_config(write_preset(folder), overrides)
    for stage in STAGES:
        run_stage(stage, config, pack, folder / 'run', 'cpu')
    return config, folder / 'run'


@pytest.fixture(scope='module')
def vq(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunConfig, Path]:
    return trained(pack, tmp_path_factory.mktemp('vq'), VQ)


@pytest.fixture(scope='module')
def unified(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunConfig, Path]:
    return trained(pack, tmp_path_factory.mktemp('unified'), UNIFIED)


def test_vq_learns_codes_and_words(vq: tuple[RunConfig, Path]) -> None:
    _, run = vq
    log = [record for record in read_log(run / 'text') if 'codes' in record]
    for term, most in (('codes', 0.6), ('text', 0.8)):
        first, last = (np.mean([r[term] for r in part]) for part in (log[:5], log[-5:]))
        assert last < most * first
    features = [r['features'] for r in read_log(run / 'vae') if 'features' in r]
    assert np.mean(features[-5:]) < 0.95 * np.mean(features[:5])


def test_vq_serves_all_public_calls(vq: tuple[RunConfig, Path]) -> None:
    model = MotionGPT3.from_pretrained(vq[1] / 'align', device='cpu')
    assert isinstance(model.network, CodeNetwork)
    motions = model.generate(['walk', 'a person waves the left hand'], [1.0, 1.45])
    assert [motion.num_frames for motion in motions] == [20, 29]
    assert motions[0].info['duration_from'] == 'asked'
    assert model.generate('walk for 2 seconds').num_frames == 40
    ended = model.generate('walk', generator=noise_source(3))
    assert ended.info['duration_from'] == 'predicted'
    assert model.config.min_frames <= ended.num_frames <= model.config.max_frames
    observed = Motion(swinging_motion(1, 40))
    assert model.predict(observed, 1.0).num_frames == 20
    assert model.inbetween(observed, observed, 1.0).num_frames == 20
    assert all(isinstance(text, str) for text in model.caption([observed, observed.crop(30)]))


def test_vq_draws_the_same_again_and_the_likeliest_at_no_temperature(
    vq: tuple[RunConfig, Path],
) -> None:
    model = MotionGPT3.from_pretrained(vq[1] / 'align', device='cpu')
    one, two, other = (
        model.generate('walk', 2.0, generator=noise_source(seed)).joints for seed in (0, 0, 1)
    )
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    cold = [model.generate('walk', 2.0, temperature=0.0).joints for _ in range(2)]
    assert np.array_equal(*cold)


def test_vq_captions_do_not_depend_on_what_is_beside_them(vq: tuple[RunConfig, Path]) -> None:
    """Prompts of unequal length are padded."""
    model = MotionGPT3.from_pretrained(vq[1] / 'align', device='cpu')
    motions = [Motion(swinging_motion(seed, frames)) for seed, frames in ((1, 30), (2, 70))]
    assert model.caption(motions) == [model.caption(motion) for motion in motions]


def test_vq_stops_and_tells_how_far_it_is(vq: tuple[RunConfig, Path]) -> None:
    model = MotionGPT3.from_pretrained(vq[1] / 'align', device='cpu')
    told: list[float] = []
    model.generate('walk', 1.0, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    with pytest.raises(Cancelled):
        model.generate('walk', 1.0, should_stop=lambda: True)
    with pytest.raises(ConfigError, match='no guidance'):
        model.generate('walk', 1.0, guidance_scale=2.0)
    with pytest.raises(MotionError, match='stream'):
        model.generate('walk', 1.0, start=Motion(swinging_motion(0)))


@pytest.mark.parametrize('name', ['vq', 'unified'])
def test_baselines_are_measured_by_the_same_protocols(
    name: str, pack: Path, request: pytest.FixtureRequest
) -> None:
    model = MotionGPT3.from_pretrained(request.getfixturevalue(name)[1] / 'align', device='cpu')
    clips = load_dataset(pack).val
    for protocol in (reconstructed, prediction, inbetween):
        found = protocol(model, clips, ProtocolConfig(observed_s=0.5))
        assert all(np.isfinite(f.mean) for row in found.figures.values() for f in row.values())


def test_vq_does_not_take_motions_that_leave_no_room_for_words(pack: Path, tmp_path: Path) -> None:
    config = load_run_config(write_preset(tmp_path), (*VQ, 'model.max_frames=200'))
    with pytest.raises(ConfigError, match='max_frames 200 have 50 codes'):
        run_stage('vae', config, pack, tmp_path / 'run', 'cpu')


def test_vq_freezes_text(vq: tuple[RunConfig, Path]) -> None:
    before, after = (load_file(vq[1] / s / 'model.safetensors') for s in ('text', 'align'))
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert any('.motion.' in name for name in moved)
    assert any(name.startswith('head') for name in moved)
    assert not any('.text.' in name or name.startswith('vae') for name in moved)


def test_a_unified_model_has_one_branch(unified: tuple[RunConfig, Path]) -> None:
    model = MotionGPT3.from_pretrained(unified[1] / 'align', device='cpu')
    backbone = model.network.backbone
    for layer in backbone.layers:
        assert layer.motion is layer.text
    groups = model.network.parameter_groups()
    own = {id(p) for p in groups['motion']} - {id(p) for p in groups['text']}
    assert own == {id(backbone.motion.wte.weight)}


def test_a_unified_model_is_written_once_and_read_whole(
    unified: tuple[RunConfig, Path], tmp_path: Path
) -> None:
    folder = unified[1] / 'align'
    stored = load_file(folder / 'model.safetensors')
    assert not any('layers.0.motion.' in name for name in stored)
    model = MotionGPT3.from_pretrained(folder, device='cpu')
    named = dict(model.network.named_parameters())
    assert named.keys() <= stored.keys()
    model.save_pretrained(tmp_path)
    again = MotionGPT3.from_pretrained(tmp_path, device='cpu')
    one, two = (m.generate('walk', 1.0, generator=noise_source(0)).joints for m in (model, again))
    assert np.array_equal(one, two)


def test_a_unified_model_learns_text_with_motion(unified: tuple[RunConfig, Path]) -> None:
    before, after = (load_file(unified[1] / s / 'model.safetensors') for s in ('text', 'align'))
    name = 'backbone.layers.0.text.up.weight'
    assert not torch.equal(before[name], after[name])


def test_half_of_a_unified_branch_cannot_be_frozen(unified: tuple[RunConfig, Path]) -> None:
    model = MotionGPT3.from_pretrained(unified[1] / 'align', device='cpu')
    with pytest.raises(ConfigError, match='motion and text have parameters in common'):
        freeze_all_but(model.network, ('motion', 'head'))
    with pytest.raises(ConfigError, match='text and motion have parameters in common'):
        freeze_all_but(model.network, ('text',))


def test_what_no_branch_of_one_can_have_is_refused(tmp_path: Path, pack: Path) -> None:
    overrides = (*UNIFIED, 'model.network.backbone.motion_width=8')
    config = load_run_config(write_preset(tmp_path), overrides)
    with pytest.raises(ConfigError, match='unified makes one branch of two'):
        run_stage('vae', config, pack, tmp_path / 'run', 'cpu')
