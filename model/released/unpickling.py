# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tensors out of a file that ``torch.save`` wrote, without running any code that it carries.

Such a file is a zip archive: a pickle with the structure, and one member per storage. A pickle
may name any function and have it called. Here only tensors are rebuilt, by functions of our own;
every other class or function becomes a stand-in that does nothing.
"""

from __future__ import annotations

import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor

from mgpt3_ros.model.errors import CheckpointError

_DTYPES = {
    'FloatStorage': torch.float32,
    'DoubleStorage': torch.float64,
    'HalfStorage': torch.float16,
    'BFloat16Storage': torch.bfloat16,
    'LongStorage': torch.int64,
    'IntStorage': torch.int32,
    'ShortStorage': torch.int16,
    'CharStorage': torch.int8,
    'ByteStorage': torch.uint8,
    'BoolStorage': torch.bool,
}
_ZIP_START = b'PK\x03\x04'


class StandIn:
    """Stands for an object of an unknown class or function: takes all that pickle does to it."""

    def __new__(cls, *_: object, **__: object) -> StandIn:  # noqa: D102
        return super().__new__(cls)

    def __init__(self, *_: object, **__: object) -> None: ...

    def __call__(self, *_: object, **__: object) -> StandIn:  # noqa: D102
        return self

    def __setstate__(self, _: object) -> None: ...

    def __setitem__(self, _: object, __: object) -> None: ...

    def append(self, _: object) -> None:
        """Take an item of a list-like class."""

    def extend(self, _: object) -> None:
        """Take items of a list-like class."""

    def add(self, _: object) -> None:
        """Take an item of a set-like class."""


class _Storage(NamedTuple):
    name: str
    dtype: torch.dtype
    numel: int


class StoredTensor(NamedTuple):
    """A tensor that lies in the file; its values are read by `TorchFile.read`.

    Two that are equal are the same memory: tied weights.
    """

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


class TorchFile:
    """An open file; ``content`` is what was saved, with a `StoredTensor` for each tensor.

    Attributes:
        content: plain dictionaries, lists, numbers and strings; `StandIn` for other objects.
        unknown: names of the classes and functions that the file asked for and did not get.
    """

    def __init__(self, path: str | Path) -> None:
        """Read the structure.

        Raises:
            CheckpointError: the file is missing, damaged or not of this format.
        """
        self._path = Path(path)
        self._archive = _open(self._path)
        try:
            structure, self._root = self._find_structure()
            reader = _Structure(structure)
            self.content = reader.load()
        except CheckpointError:
            raise
        except Exception as error:  # a damaged or hostile pickle can raise anything
            raise CheckpointError(f'{self._path} is damaged: {error}') from error
        self.unknown = sorted(reader.unknown)

    def _find_structure(self) -> tuple[Any, str]:
        names = [name for name in self._archive.namelist() if name.endswith('/data.pkl')]
        if len(names) != 1:
            raise CheckpointError(
                f'{self._path} is a zip archive, but torch.save did not write it'
            )
        root = names[0].removesuffix('data.pkl')
        order = f'{root}byteorder'
        if order in self._archive.namelist() and self._bytes(order) != b'little':
            raise CheckpointError(f'{self._path} was written on a big-endian machine')
        self._check_stored(names[0])
        return self._archive.open(names[0]), root

    def read(self, tensor: StoredTensor) -> Tensor:
        """Read the values of a tensor.

        Raises:
            CheckpointError: the file is damaged, or the tensor reaches beyond its storage.
        """
        storage = tensor.storage
        member = f'{self._root}data/{storage.name}'
        try:
            data = self._bytes(member)
            if len(data) != storage.numel * storage.dtype.itemsize:
                raise ValueError(f'{member} has {len(data)} bytes')
            if math.prod(tensor.shape) > storage.numel:
                raise ValueError(f'{member} is too small for shape {tensor.shape}')
            flat = torch.frombuffer(data, dtype=storage.dtype) if data else torch.empty(0)
            return flat.as_strided(tensor.shape, tensor.stride, tensor.offset)
        except (
            KeyError,
            ValueError,
            TypeError,
            RuntimeError,
            OSError,
            zipfile.BadZipFile,
        ) as error:
            raise CheckpointError(f'{self._path} is damaged: {error}') from error

    def _bytes(self, member: str) -> bytearray:
        self._check_stored(member)
        return bytearray(self._archive.read(member))

    def _check_stored(self, member: str) -> None:
        # torch never compresses; a compressed member could be a thousand times its size.
        info = self._archive.getinfo(member)
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise CheckpointError(f'{self._path} is compressed: torch.save did not write it')

    def close(self) -> None:
        """Close the file."""
        self._archive.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open(path: Path) -> zipfile.ZipFile:
    try:
        with path.open('rb') as file:
            start = file.read(64)
        if start.startswith(_ZIP_START):
            return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise CheckpointError(
            f'{path} is truncated or damaged ({error}): copy it again'
        ) from error
    except OSError as error:
        raise CheckpointError(f'cannot read {path}: {error.strerror}') from error
    if start.lstrip()[:1] == b'<':
        raise CheckpointError(f'{path} is a web page, no checkpoint: download the file itself')
    raise CheckpointError(
        f'{path} is no checkpoint in the format of PyTorch 1.6 or newer (it begins with '
        f'{start[:8]!r}). Older files cannot be read without running the code in them: if you '
        'trust this one, load and save it once with PyTorch itself.'
    )


class _Structure(pickle.Unpickler):
    """Rebuilds what was saved, of plain containers, stored tensors and stand-ins alone."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.unknown: set[str] = set()
        rebuild = {
            'torch._utils._rebuild_tensor': self._tensor,
            'torch._utils._rebuild_tensor_v2': self._tensor,
            'torch._utils._rebuild_parameter': self._parameter,
            'torch._utils._rebuild_parameter_with_state': self._parameter,
            'collections.OrderedDict': OrderedDict,
        }
        storages = {f'torch.{name}': dtype for name, dtype in _DTYPES.items()}
        self._known: dict[str, Any] = {**rebuild, **storages}

    def find_class(self, module: str, name: str) -> Callable[..., Any] | torch.dtype:
        """Return one of our own functions, or the stand-in; nothing is ever imported."""
        full = f'{module}.{name}'
        if full not in self._known:
            self.unknown.add(full)
            return StandIn
        return self._known[full]

    def persistent_load(self, pid: Any) -> _Storage | StandIn:
        """Return the storage that a tensor names."""
        kind, dtype, name, _, count = pid
        if kind != 'storage' or not isinstance(dtype, torch.dtype):
            return StandIn()
        return _Storage(str(name), dtype, int(count))

    def _tensor(self, storage: Any, offset: int, shape: Any, stride: Any, *_: object) -> Any:
        if not isinstance(storage, _Storage):
            return StandIn()
        return StoredTensor(storage, int(offset), tuple(map(int, shape)), tuple(map(int, stride)))

    def _parameter(self, data: Any, *_: object) -> Any:
        return data
