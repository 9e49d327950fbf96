# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The text-motion encoder: padding, folders, and its training through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mgpt3_ros.model.errors import CheckpointError, ConfigError, MotionError
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data.dataset import load_dataset
from mgpt3_ros.training.evaluation.metrics import MetricError
from mgpt3_ros.training.evaluation.tmr import TextMotionEncoder, feature_batch
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.run_log import read_log
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.stages import run_stage
from mgpt3_ros.training.tmr_training import TmrBatcher, TmrTask
from mgpt3_ros.training.train import main
from mgpt3_ros.training.trainer import Trainer
from tests.support.tiny import save_tiny_model, swinging_motion
from tests.support.tiny_humanml3d import write_tiny_humanml3d
from tests.support.tiny_runs import write_preset
from tests.support.tiny_tmr import TMR_OVERRIDES, tiny_encoder

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def encoder() -> TextMotionEncoder:
    return tiny_encoder()


def train(pack: Path, folder: Path, *overrides: str) -> int:
    folder.mkdir(exist_ok=True)
    config = ['--config', str(write_preset(folder)), '--device', 'cpu']
    paths = ['--data', str(pack), '--output', str(folder)]
    return main(['tmr', *paths, *config, *TMR_OVERRIDES, *overrides])


@pytest.fixture(scope='module')
def trained(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('run')
    assert train(pack, folder) == 0
    return folder / 'tmr'


def curve(folder: Path) -> dict[int, float]:
    return {r['step']: r['contrast'] for r in read_log(folder) if 'contrast' in r}


def test_padding_changes_nothing(encoder: TextMotionEncoder) -> None:
    motions = [swinging_motion(i, 30 + 17 * i, 0.3 * i) for i in range(4)]
    together = encoder.embed_motions(motions)
    alone = np.concatenate([encoder.embed_motions([motion]) for motion in motions])
    np.testing.assert_allclose(together, alone, atol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-5)
    texts = ['walk', 'a person walks and waves the left hand, then turns', 'jump up']
    said = encoder.embed_texts(texts)
    np.testing.assert_allclose(
        said, np.concatenate([encoder.embed_texts([text]) for text in texts]), atol=2e-6
    )
    assert said.shape == (3, encoder.width)
    # What stands behind a length is not read, whatever it is.
    features = torch.randn(1, 48, 263, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([31])
    first = encoder.network.embed_motion(features, lengths)
    features[:, 31:] = torch.nan
    assert torch.equal(encoder.network.embed_motion(features, lengths), first)


def test_where_a_motion_stands_and_faces_makes_no_difference(encoder: TextMotionEncoder) -> None:
    motion = Motion(swinging_motion(1, 60))
    moved = motion.transform(1.2, (3.0, 0.0, -2.0))
    np.testing.assert_allclose(
        encoder.embed_motions([motion.joints]), encoder.embed_motions([moved.joints]), atol=1e-4
    )


def test_training_by_the_command_line(pack: Path, trained: Path) -> None:
    losses = curve(trained)
    assert max(losses) == 80
    first, last = (np.mean([losses[s] for s in steps]) for steps in (range(1, 6), range(76, 81)))
    assert last < 0.7 * first
    encoder = TextMotionEncoder.load(trained, device='cpu')
    clips = load_dataset(pack).clips
    found = encoder.embed_texts(['a person waves the left hand.'])
    hands = [clip.joints for clip in clips if clip.action in ('wave-left-hand', 'run')]
    near = encoder.embed_motions(hands) @ found[0]
    actions = [clip.action for clip in clips if clip.action in ('wave-left-hand', 'run')]
    assert actions[int(near.argmax())] == 'wave-left-hand'
    settings = json.loads((trained / 'run.json').read_text())
    assert settings['stage'] == 'tmr'
    assert settings['tmr']['network']['width'] == 16


def test_an_interrupted_training_gives_the_losses_of_an_unbroken_one(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = ('tmr.optim.steps=12', 'tmr.optim.checkpoint_every=4')
    assert train(pack, tmp_path / 'unbroken', *short) == 0
    step = Trainer._train_step

    def killed(self: Trainer) -> dict[str, float]:
        if self.step == 6:
            raise RuntimeError('killed')
        return step(self)

    monkeypatch.setattr(Trainer, '_train_step', killed)
    with pytest.raises(RuntimeError, match='killed'):
        train(pack, tmp_path / 'broken', *short)
    monkeypatch.setattr(Trainer, '_train_step', step)
    assert train(pack, tmp_path / 'broken', *short) == 0
    whole, resumed = (curve(tmp_path / name / 'tmr') for name in ('unbroken', 'broken'))
    assert resumed == pytest.approx(whole, abs=1e-6)


def test_humanml3d_trains_one_and_a_run_of_another_size_is_refused(tmp_path: Path) -> None:
    short = ('tmr.optim.steps=2', 'tmr.optim.checkpoint_every=1')
    pack = write_tiny_humanml3d(tmp_path / 'humanml3d')
    assert train(pack, tmp_path / 'run', *short) == 0
    encoder = TextMotionEncoder.load(tmp_path / 'run' / 'tmr', device='cpu')
    np.testing.assert_array_equal(encoder.stats.mean, np.load(pack / 'Mean.npy'))
    with pytest.raises(ConfigError, match=r'otherwise: tmr\.network\.width was 16 and is 32'):
        train(pack, tmp_path / 'run', *short, 'tmr.network.width=32')
    # The motions of a batch are each other's negatives.
    with pytest.raises(ConfigError, match=r'tmr\.optim\.batch_size was \d+ and is 5\.'):
        train(pack, tmp_path / 'run', *short, 'tmr.optim.batch_size=5')


def test_it_belongs_to_every_preset_and_to_no_list_of_stages(pack: Path, tmp_path: Path) -> None:
    for preset in ('small', 'paper', 'reference'):
        config = load_run_config(preset)
        assert 'tmr' not in config.stages
        assert config.tmr.optim.steps > 0
    with pytest.raises(ConfigError, match=r"no stage 'dance' in .*, tmr"):
        run_stage('dance', load_run_config('small'), pack, tmp_path)


def test_captions_that_say_the_same_are_no_negatives(pack: Path) -> None:
    run = load_run_config('small', TMR_OVERRIDES)
    dataset = load_dataset(pack)
    tokenizer = tiny_encoder().tokenizer
    batcher = TmrBatcher(dataset, tokenizer, run.tmr, Split(24, 0))
    *_, same = batcher(0, 0, torch.device('cpu'))
    by_id = {clip.id: clip for clip in dataset.clips}
    clips = [by_id[name] for name in batcher.clip_ids(0, 0)]
    assert bool(same.diagonal().all())
    for row, clip in zip(same, clips, strict=True):
        for told, other in zip(row.tolist(), clips, strict=True):
            if clip.action is not None and (clip.action, clip.style) == (
                other.action,
                other.style,
            ):
                assert told
            if {clip.action, other.action} == {'wave-left-hand', 'wave-right-hand'}:
                assert not told


def test_contrast_by_hand() -> None:
    """Two pairs of the same meaning and a third: of the first two, only the third is against."""

    class Given(torch.nn.Module):
        def embed_text(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
            return torch.eye(3)

        embed_motion = embed_text

    task = TmrTask(Given(), temperature=1.0)  # type: ignore[arg-type]
    same = torch.eye(3, dtype=torch.bool)
    nothing = torch.zeros(3)
    ids = torch.zeros(3, 1, dtype=torch.long)
    plain = task(ids, nothing, nothing, nothing, same)
    assert float(plain['contrast']) == pytest.approx(np.log(1 + 2 / np.e))
    same[0, 1] = same[1, 0] = True
    found = task(ids, nothing, nothing, nothing, same)
    want = (2 * np.log(1 + 1 / np.e) + np.log(1 + 2 / np.e)) / 3
    assert float(found['contrast']) == pytest.approx(want)
    assert float(found['missed']) == 0


def test_bad_input(encoder: TextMotionEncoder, tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="'  ' is no text"):
        encoder.embed_texts(['walk', '  '])
    with pytest.raises(MetricError, match='motion 0 has 3 rows'):
        encoder.embed_motions([swinging_motion(0, 4)])
    broken = swinging_motion(0, 40)
    broken[3, 2] = np.nan
    with pytest.raises(MotionError, match='frame 3'):
        encoder.embed_motions([broken])
    with pytest.raises(MetricError, match='not finite'):
        feature_batch([np.full((9, 263), np.nan)], encoder.stats, 200)
    assert encoder.embed_texts([]).shape == (0, encoder.width)
    with pytest.raises(ConfigError, match='width 18 must be even and a multiple of heads 4'):
        tiny_encoder(width=18, heads=4)


def test_folders(encoder: TextMotionEncoder, tmp_path: Path) -> None:
    encoder.save(tmp_path / 'tmr')
    again = TextMotionEncoder.load(tmp_path / 'tmr', device='cpu')
    texts, motions = ['walk on'], [swinging_motion(3, 50)]
    np.testing.assert_array_equal(again.embed_texts(texts), encoder.embed_texts(texts))
    np.testing.assert_array_equal(again.embed_motions(motions), encoder.embed_motions(motions))
    with pytest.raises(CheckpointError, match='`mgpt3 train tmr` writes one'):
        TextMotionEncoder.load(save_tiny_model(tmp_path / 'model'))
    with pytest.raises(ConfigError, match="unknown key 'kind'"):
        MotionGPT3.from_pretrained(tmp_path / 'tmr')
    weights = tmp_path / 'tmr' / 'model.safetensors'
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match='truncated'):
        TextMotionEncoder.load(tmp_path / 'tmr')
    with pytest.raises(CheckpointError, match='no such folder'):
        TextMotionEncoder.load(tmp_path / 'nowhere')
