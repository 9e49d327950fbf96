# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mgpt3_ros.model.checkpoints import checkpoint
from mgpt3_ros.model.checkpoints.checkpoint import find_checkpoint
from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network import build_network
from tests.support.seeded import fill_by_name
from tests.support.tiny import save_tiny_model


def small() -> nn.Sequential:
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    fill_by_name(module)
    return module


def complete(folder: Path) -> Path:
    for name in (checkpoint.CONFIG, checkpoint.WEIGHTS, checkpoint.STATS):
        (folder / name).touch()
    return folder


def test_a_folder_is_found_by_path_and_none_means_the_shipped_one(tmp_path: Path) -> None:
    assert checkpoint.find_checkpoint(complete(tmp_path)) == tmp_path
    assert checkpoint.find_checkpoint(str(tmp_path)) == tmp_path
    shipped = checkpoint.shipped_checkpoint()
    assert shipped.parts[-2:] == ('models', 'default')
    root = Path(checkpoint.__file__).resolve().parents[2]
    assert shipped == root / 'models' / 'default'


def test_a_shipped_one_is_found_by_its_name_unless_a_folder_here_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert checkpoint.find_checkpoint('default') == checkpoint.shipped_checkpoint()
    save_tiny_model(tmp_path / 'default')
    assert checkpoint.find_checkpoint('default') == Path('default')
    with pytest.raises(CheckpointError, match='no such folder'):
        checkpoint.find_checkpoint('other')


def test_what_is_no_checkpoint_says_why(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match='no such folder'):
        checkpoint.find_checkpoint(tmp_path / 'none')
    file = tmp_path / 'motiongpt3.ckpt'
    file.touch()
    with pytest.raises(CheckpointError, match='it is a file'):
        checkpoint.find_checkpoint(file)
    (tmp_path / checkpoint.CONFIG).touch()
    with pytest.raises(CheckpointError, match=r'model\.safetensors, stats\.npz not.*convert'):
        checkpoint.find_checkpoint(tmp_path)


def test_a_configuration_comes_back(tmp_path: Path) -> None:
    checkpoint.write_config(tmp_path, {'name': 'x', 'sizes': [1, 2]})
    assert checkpoint.read_config(tmp_path) == {'name': 'x', 'sizes': [1, 2]}
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.CONFIG]


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('{"format": "mgpt3_ros"', 'cannot be read'),
        ('[1]', 'not of a mgpt3_ros checkpoint'),
        ('{"model_type": "gpt2"}', 'not of a mgpt3_ros checkpoint'),
        ('{"format": "mgpt3_ros", "format_version": 99}', 'format 99, this program reads 1'),
    ],
)
def test_foreign_configurations_are_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / checkpoint.CONFIG).write_text(content)
    with pytest.raises(CheckpointError, match=message):
        checkpoint.read_config(tmp_path)


@pytest.mark.parametrize('dtype', [None, torch.float16, torch.bfloat16])
def test_weights_come_back_as_float32(tmp_path: Path, dtype: torch.dtype | None) -> None:
    module = small()
    checkpoint.write_weights(tmp_path, module, dtype)
    state = checkpoint.read_weights(tmp_path)
    tolerance = 0.0 if dtype is None else 0.01
    for name, value in module.state_dict().items():
        assert state[name].dtype == (torch.float32 if value.is_floating_point() else value.dtype)
        torch.testing.assert_close(state[name], value, rtol=tolerance, atol=0)
    # Integers (the batch count here) stay integers, whatever the type of the weights.
    assert state['1.num_batches_tracked'].dtype == torch.int64


def test_weights_that_are_not_contiguous_are_written(tmp_path: Path) -> None:
    module = nn.Linear(3, 4)
    module.weight = nn.Parameter(torch.arange(12.0).view(3, 4).T)
    checkpoint.write_weights(tmp_path, module)
    assert torch.equal(checkpoint.read_weights(tmp_path)['weight'], module.weight)


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    checkpoint.write_weights(tmp_path, small())
    path = tmp_path / checkpoint.WEIGHTS
    whole = path.read_bytes()
    for kept in (0, 4, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:kept])
        with pytest.raises(CheckpointError, match='may be truncated'):
            checkpoint.read_weights(tmp_path)


def test_a_state_is_loaded_whole_or_not_at_all() -> None:
    module, other = small(), nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    checkpoint.load_state(other, module.state_dict(), 'here')
    assert torch.equal(other[0].weight, module[0].weight)
    state = module.state_dict()
    with pytest.raises(CheckpointError, match=r'0\.weight has shape \(4, 2\).*asks for \(4, 3\)'):
        checkpoint.load_state(other, {**state, '0.weight': torch.ones(4, 2)}, 'here')
    more = {**state, 'x': torch.ones(1), 'y': torch.ones(1)}
    del more['0.bias']
    with pytest.raises(
        CheckpointError, match=r'here.*1 tensors missing \(such as 0\.bias\), 2 .*unknown'
    ):
        checkpoint.load_state(other, more, 'here')
    assert torch.equal(other[0].weight, module[0].weight)


def test_text_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / 'card.md'
    for text in ('first', 'second: üñ'):
        checkpoint.write_text(path, text)
        assert path.read_text(encoding='utf-8') == text
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_says_whose_it_is(tmp_path: Path) -> None:
    checkpoint.write_config(tmp_path, {})
    data = json.loads((tmp_path / checkpoint.CONFIG).read_text())
    assert data == {'format': 'mgpt3_ros', 'format_version': 1}


def test_an_old_checkpoint_is_read_and_saved_by_the_new_name(tmp_path: Path) -> None:
    save_tiny_model(tmp_path, finishing=False)
    config = json.loads((tmp_path / 'config.json').read_text())
    assert config.pop('finishing') is False
    (tmp_path / 'config.json').write_text(json.dumps({**config, 'foot_lock': False}))
    model = MotionGPT3.from_pretrained(tmp_path, device='cpu')
    assert not model.config.finishing
    model.save_pretrained(tmp_path)
    assert 'foot_lock' not in json.loads((tmp_path / 'config.json').read_text())


def test_unfilled_modules_are_left_as_they_are() -> None:
    value, layer = torch.zeros(3, 4), nn.Linear(4, 3)
    with checkpoint.Unfilled():
        nn.init.xavier_uniform_(value)
        nn.init.kaiming_uniform_(tensor=value, a=5**0.5)
        value.normal_()
        assert torch.equal(value, torch.zeros(3, 4))
        assert torch.equal(layer(torch.zeros(4)), layer.bias)  # all else is computed
    assert nn.init.xavier_uniform_(value).any()


def test_a_loaded_model_has_the_weights_of_the_file_and_lets_the_file_be(tmp_path: Path) -> None:
    """Plain: each weight copied into a network that was filled at random first."""
    folder = save_tiny_model(tmp_path)
    before = (folder / checkpoint.WEIGHTS).read_bytes()
    loaded = MotionGPT3.from_pretrained(folder, device='cpu').network
    plain = build_network(loaded.config)
    checkpoint.load_state(plain, checkpoint.read_weights(folder), 'here')
    for (name, value), own in zip(
        plain.state_dict().items(), loaded.state_dict().values(), strict=True
    ):
        assert torch.equal(value, own), name
    for one, other in zip(plain.parameters(), loaded.parameters(), strict=True):
        assert one.requires_grad == other.requires_grad
    with torch.no_grad():
        for parameter in loaded.parameters():
            parameter.add_(1.0)
    assert (folder / checkpoint.WEIGHTS).read_bytes() == before


def test_parameters_that_are_shared_stay_so_when_tensors_are_assigned() -> None:
    def tied() -> nn.Sequential:
        first = nn.Linear(4, 4)
        return nn.Sequential(first, nn.ReLU(), first)

    module, other = tied(), tied()
    checkpoint.load_state(other, module.state_dict(), 'here', assign=True)
    assert other[0].weight is other[2].weight
    assert torch.equal(other[0].weight, module[0].weight)


# Names of the hub.


def test_a_hub_name_is_fetched_and_a_folder_is_not_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snapshot that lies in the library's own cache is found without a network."""
    huggingface_hub = pytest.importorskip('huggingface_hub')
    cache = tmp_path / 'cache' / 'models--somebody--mover'
    save_tiny_model(cache / 'snapshots' / ('0' * 40))
    (cache / 'refs').mkdir()
    (cache / 'refs' / 'main').write_text('0' * 40)
    fetch = huggingface_hub.snapshot_download
    monkeypatch.setattr(
        huggingface_hub,
        'snapshot_download',
        lambda name, **options: fetch(
            name, cache_dir=tmp_path / 'cache', local_files_only=True, **options
        ),
    )
    model = MotionGPT3.from_pretrained('somebody/mover', 'cpu')
    assert model.name == 'tiny'
    with pytest.raises(CheckpointError, match=r'the hub gave none of this name. Is there a netw'):
        find_checkpoint('somebody/else')
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'runs').mkdir()
    with pytest.raises(CheckpointError, match=r'no checkpoint at runs/mine: no such folder$'):
        find_checkpoint('runs/mine')
    monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
    with pytest.raises(CheckpointError, match='pip install huggingface_hub'):
        find_checkpoint('somebody/mover')


@pytest.mark.parametrize('letters', range(1, 20))
def test_tensors_begin_evenly_in_a_file_that_is_written(letters: int, tmp_path: Path) -> None:
    module = nn.ModuleDict({'n' * letters: nn.Linear(16, 16)})
    checkpoint.write_weights(tmp_path, module)
    header = (tmp_path / checkpoint.WEIGHTS).read_bytes()[:8]
    assert (8 + int.from_bytes(header, 'little')) % 64 == 0


def test_tensors_of_a_foreign_file_come_to_lie_evenly(tmp_path: Path) -> None:
    uneven = {f't{size}': torch.rand(size) for size in range(1, 9)}
    save_file(uneven, tmp_path / checkpoint.WEIGHTS)
    state = checkpoint.read_weights(tmp_path)
    for name, value in state.items():
        assert value.data_ptr() % 64 == 0
        assert torch.equal(value, uneven[name])
