# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A disk that is full while something is saved: a clear error, and what was there stays whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mgpt3_ros.cli import main as cli
from mgpt3_ros.model.checkpoints.checkpoint import write_text
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data.dataset import load_dataset
from mgpt3_ros.training.optim import OptimConfig
from mgpt3_ros.training.trainer import Trainer, TrainingError
from tests.support.captures import write_captures
from tests.support.full_disk import FULL, full_after
from tests.support.tiny import save_tiny_model, swinging_motion, tiny_model
from tests.support.tiny_humanml3d import write_tiny_humanml3d
from tests.support.tiny_pack import write_tiny_pack


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob('*') if p.is_file()}


class Wide(nn.Module):
    """Has 400 kB of weights."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(1000, 100)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {'fit': self.head(x).square().mean()}


def trainer(folder: Path, steps: int) -> Trainer:
    config = OptimConfig(steps=steps, batch_size=1, log_every=1, checkpoint_every=1)
    return Trainer(
        Wide(), lambda step, micro, device: (torch.ones(1, 1000),), {'fit': 1}, config, folder
    )


def test_a_checkpoint_of_training_is_whole_or_the_one_before(tmp_path: Path) -> None:
    with (
        full_after(100_000),
        pytest.raises(TrainingError, match=f'written .({FULL}).; there is none yet. Make room'),
    ):
        trainer(tmp_path, 2).run()
    assert set(contents(tmp_path)) == {'log.jsonl'} | {
        name for name in contents(tmp_path) if name.startswith('tensorboard')
    }
    trainer(tmp_path, 2).run()
    before = (tmp_path / 'checkpoint.pt').read_bytes()
    with full_after(100_000), pytest.raises(TrainingError, match='an earlier step is kept'):
        trainer(tmp_path, 4).run()
    assert (tmp_path / 'checkpoint.pt').read_bytes() == before
    assert not list(tmp_path.glob('*.partial'))
    trainer(tmp_path, 4).run()  # goes on when there is room
    assert torch.load(tmp_path / 'checkpoint.pt', weights_only=True)['step'] == 4


def test_a_checkpoint_folder_keeps_all_of_its_old_files(tmp_path: Path) -> None:
    folder = save_tiny_model(tmp_path / 'model')
    (folder / 'MODEL_CARD.md').write_text('mine')
    before, other = contents(folder), tiny_model(seed=1)
    for size in (100, 10_000, 50_000):
        with full_after(size), pytest.raises(OSError, match=FULL):
            other.save_pretrained(folder)
        assert contents(folder) == before
    assert MotionGPT3.from_pretrained(folder, device='cpu').name == 'tiny'
    with full_after(10_000), pytest.raises(OSError, match=FULL):
        other.save_pretrained(tmp_path / 'new')
    assert not (tmp_path / 'new').exists()
    other.save_pretrained(folder)
    assert contents(folder).keys() == before.keys()
    assert contents(folder) != before


@pytest.mark.parametrize('suffix', ['.npy', '.npz', '.bvh'])
def test_a_motion_file_is_whole_or_the_one_before(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f'motion{suffix}'
    Motion(swinging_motion(0)).save(path)
    before = path.read_bytes()
    with full_after(2000), pytest.raises(OSError, match=FULL):
        Motion(swinging_motion(1)).save(path)
    assert contents(tmp_path) == {path.name: before}


def test_a_text_file_is_whole_or_the_one_before(tmp_path: Path) -> None:
    write_text(tmp_path / 'run.json', 'old')
    with full_after(10), pytest.raises(OSError, match=FULL):
        write_text(tmp_path / 'run.json', 'new' * 10)
    assert contents(tmp_path) == {'run.json': b'old'}


def test_a_data_set_is_built_whole_or_not_at_all(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    captures = write_captures(tmp_path / 'captures')
    with full_after(30_000):
        assert cli.main(['data', 'build', str(captures), '-o', str(tmp_path / 'out')]) == 2
    assert any(words in capsys.readouterr().err for words in FULL.split('|'))
    assert [path.name for path in tmp_path.iterdir()] == ['captures']


@pytest.mark.parametrize('write', [write_tiny_pack, write_tiny_humanml3d])
def test_a_cache_is_whole_or_not_there(write: Callable[[Path], Path], tmp_path: Path) -> None:
    data, cache = write(tmp_path / 'data'), tmp_path / 'cache'
    with full_after(50_000), pytest.raises(OSError, match=FULL):
        load_dataset(data, cache)
    assert contents(cache) == {}
    assert len(load_dataset(data, cache).clips) > 4
