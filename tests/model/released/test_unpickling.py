# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of torch.save, new and old, honest and hostile: tensors come out, nothing runs."""

from __future__ import annotations

import io
import pickle
import tarfile
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.released.unpickling import StandIn, load_inert
from tests.support.hostile import Hostile

ZIPPED = pytest.mark.parametrize('zipped', [True, False])  # PyTorch since 1.6, and before


def save(content: object, path: Path, zipped: bool = True) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


@ZIPPED
def test_a_hostile_file_stays_inert_here_and_runs_elsewhere(zipped: bool, tmp_path: Path) -> None:
    marker = tmp_path / 'ran'
    path = save({'evil': Hostile(f'touch {marker}'), 'x': torch.ones(2)}, tmp_path / 'a', zipped)
    content, unknown = load_inert(path)
    assert isinstance(content['evil'], StandIn)
    assert torch.equal(content['x'], torch.ones(2))
    assert unknown == ('posix.system',)
    assert not marker.exists()
    torch.load(path, weights_only=False)
    assert marker.exists()  # the file was hostile


@ZIPPED
def test_tensors_are_whole_and_objects_are_stand_ins(zipped: bool, tmp_path: Path) -> None:
    base = torch.arange(24.0).view(4, 6)
    content = {
        'base': base,
        'view': base[1:3, ::2],
        'turned': base.T,
        'parameter': torch.nn.Parameter(base),
        'half': base.bfloat16(),
        'complex': torch.tensor([1 + 2j]),
        'flags': torch.tensor([True, False]),
        'empty': torch.empty(0, 3),
        'scalar': torch.tensor(7),
        'date': Path('x'),
        'eight bits': base.to(torch.float8_e4m3fn),  # of a storage and by a function unknown
    }
    read, unknown = load_inert(save(OrderedDict(content), tmp_path / 'file.pt', zipped))
    assert 'pathlib.PosixPath' in unknown
    for name, value in content.items():
        if name in ('date', 'eight bits'):
            assert isinstance(read[name], StandIn)
            continue
        assert isinstance(value, Tensor)
        assert read[name].dtype == value.dtype
        assert read[name].stride() == value.stride()
        assert torch.equal(read[name], value)
    for name in ('view', 'turned', 'parameter'):  # tied: the same memory as before
        assert read[name].untyped_storage().data_ptr() == read['base'].untyped_storage().data_ptr()
    assert read['half'].untyped_storage().data_ptr() != read['base'].untyped_storage().data_ptr()


def rewritten(
    path: Path, changes: dict[str, bytes], compression: int = zipfile.ZIP_STORED
) -> Path:
    """Copy a file of torch.save with members replaced or added."""
    copy = path.with_suffix('.changed')
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, 'w', compression) as new:
        members = {info.filename: old.read(info) for info in old.infolist()}
        folder = next(iter(members)).split('/')[0]
        members |= {f'{folder}/{name}': data for name, data in changes.items()}
        for name, data in members.items():
            new.writestr(name, data)
    return copy


def refused(file: Path, match: str) -> None:
    with pytest.raises(CheckpointError, match=match):
        load_inert(file)


def test_damaged_and_foreign_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / 'file.ckpt'
    refused(path, 'cannot read')
    whole = save({'x': torch.arange(1000.0)}, path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, 'truncated')
    path.write_bytes(whole.replace(torch.arange(1000.0).numpy().tobytes()[400:440], b'x' * 40))
    refused(path, 'damaged.*data/0')
    path.write_bytes(whole)
    refused(rewritten(path, {'data/0': b'short'}), 'damaged')
    refused(rewritten(path, {'data.pkl': b'no pickle'}), 'damaged')
    refused(rewritten(path, {'data.pkl': whole}, zipfile.ZIP_DEFLATED), 'compressed')
    refused(rewritten(path, {'constants.pkl': b''}), 'torch.save did not write it')
    path.write_text('<!DOCTYPE html><html>')
    refused(path, 'web page')
    path.write_bytes(b'version https://git-lfs')
    refused(path, 'no checkpoint in the format')
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('a/a.txt', 'text')
    refused(path, 'torch.save did not write it')


def test_damaged_files_of_old_pytorch_are_named(tmp_path: Path) -> None:
    path = tmp_path / 'file.ckpt'
    whole = save({'x': torch.arange(1000.0)}, path, zipped=False).read_bytes()
    for length in (5, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        refused(path, 'truncated or damaged')
    with tarfile.open(path, 'w', encoding='latin-1', format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo('\x80/storages'), io.BytesIO())
    refused(path, 'tar archive')  # older still; torch.load would unpack it to the disk


@pytest.mark.filterwarnings('ignore:.*torch.jit.script:DeprecationWarning')
def test_a_program_of_torchscript_is_not_run(tmp_path: Path) -> None:
    class Program(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + 1

    path = tmp_path / 'program.pt'
    torch.jit.script(Program()).save(str(path))
    refused(path, 'compressed|torch.save did not write it')


def test_a_big_endian_file_is_read(tmp_path: Path) -> None:
    numbers = torch.arange(4.0)
    path = save({'x': numbers}, tmp_path / 'file.ckpt')
    swapped = numbers.numpy().byteswap().tobytes()
    content, _ = load_inert(rewritten(path, {'byteorder': b'big', 'data/0': swapped}))
    assert torch.equal(content['x'], numbers)


def tensor_program(offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> bytes:
    """A pickle that asks for a view of a storage of four numbers."""
    head = b"ctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\n"
    numbers = [f'I{offset}\n', '(', *(f'I{n}\n' for n in size), 't']
    numbers += ['(', *(f'I{n}\n' for n in stride), 't']
    return head + b'I4\ntQ' + ''.join(numbers).encode() + b'I00\nccollections\nOrderedDict\n)RtR.'


def test_a_tensor_may_not_reach_beyond_its_storage(tmp_path: Path) -> None:
    """A stride of 0 would make a terabyte of one number, a large offset read other memory."""
    path = save({'x': torch.arange(4.0)}, tmp_path / 'file.ckpt')
    content, _ = load_inert(rewritten(path, {'data.pkl': tensor_program(1, (3,), (1,))}))
    assert content.tolist() == [1, 2, 3]
    for offset, size, stride in (
        (0, (10**12,), (0,)),
        (2, (4,), (1,)),
        (-1, (4,), (1,)),
        (0, (4,), (2,)),
        (0, (-1,), (1,)),
    ):
        program = tensor_program(offset, size, stride)
        refused(rewritten(path, {'data.pkl': program}), 'damaged')


def test_a_pickle_that_calls_what_it_may_not_is_damaged_at_worst(tmp_path: Path) -> None:
    path = save({'x': torch.ones(2)}, tmp_path / 'file.ckpt')
    content, unknown = load_inert(
        rewritten(path, {'data.pkl': b'cbuiltins\nexec\n(S"exit()"\ntR.'})
    )
    assert isinstance(content, StandIn)
    assert unknown == ('builtins.exec',)
    for program in (
        b'ctorch._utils\n_rebuild_parameter\n(tR.',
        b'ccollections\nOrderedDict\n(S"a"\nS"b"\ndb.',
        b'(S"x"\nI1\ndQ.',
        pickle.dumps([1, 2])[:-1],
    ):
        refused(rewritten(path, {'data.pkl': program}), 'damaged')
