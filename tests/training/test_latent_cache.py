# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latents of whole clips from a cache: those of the VAE, and made again when that changes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from mgpt3_ros.model.config import from_dict
from mgpt3_ros.model.language.prompts import PromptConfig
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.model.network.vae import VaeConfig
from mgpt3_ros.training.data.dataset import MotionDataset, load_dataset
from mgpt3_ros.training.latent_cache import clip_latents
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.run_log import read_log
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.stages import run_stage
from mgpt3_ros.training.tasks import TaskBatcher, TaskMix, TaskOptions
from tests.support.full_disk import FULL, full_after
from tests.support.tiny import SENTENCES, tiny_config
from tests.support.tiny_pack import write_tiny_pack
from tests.support.tiny_runs import write_preset

CPU = torch.device('cpu')
MLD = {'kind': 'mld', 'mld': {'latent_dim': 16, 'ff_width': 32, 'layers': 3, 'heads': 2}}
WHOLE = TaskOptions(crop_caption=0.0, cache_latents=True)


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> MotionDataset:
    folder = tmp_path_factory.mktemp('data')
    return load_dataset(write_tiny_pack(folder / 'pack'), folder / 'cache')


@pytest.fixture
def network() -> MotionGPT3Network:
    torch.manual_seed(0)
    config = dataclasses.replace(tiny_config(308).network, vae=from_dict(VaeConfig, MLD))
    network = MotionGPT3Network(config)
    network.vae.eval()  # as the stages have it
    return network


def batcher(
    data: MotionDataset,
    network: MotionGPT3Network,
    mix: TaskMix,
    options: TaskOptions,
    latents: np.ndarray | None,
) -> TaskBatcher:
    tokenizer = MotionTokenizer.train(SENTENCES, vocab_size=300)
    return TaskBatcher(
        data, network, tokenizer, PromptConfig(), mix, options, Split(24, 3), latents
    )


@pytest.mark.parametrize(
    'options', [WHOLE, TaskOptions(trim=0.5), TaskOptions(latent_noise=False)]
)
def test_batches_are_those_without_a_cache(
    options: TaskOptions, data: MotionDataset, network: MotionGPT3Network, tmp_path: Path
) -> None:
    mix = TaskMix(text=1, generate=1, caption=1, predict=1, inbetween=1)
    latents = clip_latents(network, data, tmp_path)
    cached, plain = (batcher(data, network, mix, options, each) for each in (latents, None))
    for step in range(3):
        (_, motions, target, *_), (_, wanted, wanted_target, *_) = (
            each(step, 0, CPU) for each in (cached, plain)
        )
        torch.testing.assert_close(motions.latents, wanted.latents, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(target, wanted_target, rtol=1e-4, atol=1e-5)


def test_whole_clips_are_not_encoded_again(
    data: MotionDataset,
    network: MotionGPT3Network,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    latents = clip_latents(network, data, tmp_path)
    encoded = []
    encode = network.vae.encode
    monkeypatch.setattr(
        network.vae, 'encode', lambda rows, lengths: encoded.append(rows) or encode(rows, lengths)
    )
    batcher(data, network, TaskMix(generate=1, caption=1), WHOLE, latents)(0, 0, CPU)
    assert encoded == []
    batcher(data, network, TaskMix(predict=1), WHOLE, latents)(0, 0, CPU)
    assert len(encoded) == 1


def test_latents_are_those_of_the_vae_in_their_order(
    data: MotionDataset, network: MotionGPT3Network, tmp_path: Path
) -> None:
    network.vae.train()
    latents = clip_latents(network, data, tmp_path)
    assert network.vae.training  # as it was
    assert isinstance(latents, np.memmap)
    network.vae.eval()
    for index in (0, 3, len(data) - 1):
        rows = torch.from_numpy(data.stats.normalise(data.features[index]))[None]
        with torch.no_grad():
            both = network.vae.encode(rows, torch.tensor([rows.shape[1]]))
        np.testing.assert_allclose(latents[index], torch.cat(both).numpy(), rtol=1e-4, atol=1e-5)


def test_another_vae_or_other_data_has_another_file(
    data: MotionDataset, network: MotionGPT3Network, tmp_path: Path
) -> None:
    first = np.array(clip_latents(network, data, tmp_path))
    (file,) = tmp_path.iterdir()
    stamp = file.stat().st_mtime_ns
    clip_latents(network, data, tmp_path)
    assert file.stat().st_mtime_ns == stamp
    with torch.no_grad():
        network.vae.distribution_tokens.add_(1)
    assert not np.allclose(first, clip_latents(network, data, tmp_path))
    fewer = MotionDataset(data.clips[:4], data.features[:4], [], [], data.digest)
    assert len(clip_latents(network, fewer, tmp_path)) == 4
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize('spoil', [b'', b'\x93NUMPY no', None])
def test_a_damaged_file_is_made_anew(
    spoil: bytes | None, data: MotionDataset, network: MotionGPT3Network, tmp_path: Path
) -> None:
    first = np.array(clip_latents(network, data, tmp_path))
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if spoil is None else spoil)
    assert np.array_equal(clip_latents(network, data, tmp_path), first)
    assert file.read_bytes() == whole


def test_a_full_disk_leaves_no_part_of_it(
    data: MotionDataset, network: MotionGPT3Network, tmp_path: Path
) -> None:
    with full_after(200), pytest.raises(OSError, match=FULL):
        clip_latents(network, data, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_stage_trains_the_same_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    pack, losses = write_tiny_pack(tmp_path / 'pack'), []
    for cached in ('true', 'false'):
        overrides = (
            'model.network.vae.kind=mld',
            f'model.network.vae.mld={MLD["mld"]}'.replace("'", ''),
            'stages.t2m.start_from=null',
            f'stages.t2m.options={{cache_latents: {cached}, crop_caption: 0}}',
            'stages.t2m.tasks={generate: 1, caption: 1, predict: 1}',
            'stages.t2m.optim.steps=4',
        )
        config = load_run_config(write_preset(tmp_path), overrides)
        folder = run_stage('t2m', config, pack, tmp_path / cached, 'cpu')
        losses.append([record['loss'] for record in read_log(folder)])
        found = list((tmp_path / 'cache' / 'mgpt3_ros').glob('latents-*.npy'))
        assert len(found) == 1
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
