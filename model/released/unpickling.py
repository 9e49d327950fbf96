# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What ``torch.save`` wrote, read without running any code that it carries.

A pickle may name any function and have it called. `torch.load` reads here with an unpickler that
knows what tensors are rebuilt with; every other class or function becomes a stand-in that does
nothing. (``weights_only=True`` would refuse the authors' files for the other classes in them.)
"""

from __future__ import annotations

import math
import pickle
import tarfile
import zipfile
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import torch
from torch import Tensor

from mgpt3_ros.model.errors import CheckpointError

_ZIP_START, _PICKLE_START = b'PK\x03\x04', b'\x80'  # of PyTorch since 1.6, and before


class StandIn:
    """Stands for an object of an unknown class or function: takes all that pickle does to it."""

    dtype = torch.uint8  # of a storage of unknown type: bytes

    def __new__(cls, *_: object, **__: object) -> StandIn:  # noqa: D102
        return super().__new__(cls)

    def __init__(self, *_: object, **__: object) -> None: ...

    def __call__(self, *_: object, **__: object) -> StandIn:  # noqa: D102
        return self

    def __setitem__(self, _: object, __: object) -> None: ...

    def append(self, _: object) -> None:
        """Take an item of a list-like class; the other names: of others, and a state."""

    extend = add = __setstate__ = append


def load_inert(path: str | Path) -> tuple[Any, tuple[str, ...]]:
    """Read a file of ``torch.save``, of any version of PyTorch since 0.1.10, to the CPU.

    Returns:
        What was saved: tensors (tied ones share memory), plain dictionaries, lists, numbers and
        strings, and a `StandIn` for each other object; and the names of the classes and functions
        that the file asked for and did not get.

    Raises:
        CheckpointError: the file is missing, damaged or not of this format.
    """
    path, unknown = Path(path), set()

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            """Return one of our own functions, or the stand-in; nothing is ever imported."""
            full = f'{module}.{name}'
            if full not in _KNOWN:
                unknown.add(full)
            return _KNOWN.get(full, StandIn)

    inert = SimpleNamespace(
        __name__='inert',
        Unpickler=Unpickler,
        load=lambda file, **options: Unpickler(file, **options).load(),
    )
    try:
        with path.open('rb') as file:
            _require_plain(path, file)
            content = torch.load(file, 'cpu', inert, weights_only=False)
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(f'cannot read {path}: {error.strerror or error}') from error
    except Exception as error:  # a damaged or hostile pickle can raise anything
        raise CheckpointError(
            f'{path} is truncated or damaged ({error}): copy it again'
        ) from error
    return content, tuple(sorted(unknown))


def _require_plain(path: Path, file: IO[bytes]) -> None:
    """Refuse what torch.load reads by other means than the unpickler, and what it lets pass.

    Raises:
        CheckpointError: as said.
    """
    start = file.read(64)
    if start.lstrip()[:1] == b'<':
        raise CheckpointError(f'{path} is a web page, no checkpoint: download the file itself')
    if not start.startswith((_ZIP_START, _PICKLE_START)):
        raise CheckpointError(
            f'{path} is no checkpoint in the format of PyTorch (it begins with {start[:8]!r})'
        )
    file.seek(0)
    if start.startswith(_ZIP_START):
        foreign = CheckpointError(f'{path} is a zip archive, but torch.save did not write it')
        with zipfile.ZipFile(file) as archive:
            if not any(name.endswith('/data.pkl') for name in archive.namelist()):
                raise foreign
            # torch never compresses; a compressed member could be a thousand times its size.
            if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
                raise CheckpointError(f'{path} is compressed: torch.save did not write it')
            if damaged := archive.testzip():  # torch does not look at the checksums
                raise ValueError(f'wrong checksum of {damaged}')
        file.seek(0)
        # torch.load hands a program of TorchScript on; its own reader tells, as others may err.
        if 'constants.pkl' in torch._C.PyTorchFileReader(file).get_all_records():
            raise foreign
    elif tarfile.is_tarfile(file):  # of 2016; would be unpacked to the disk
        raise CheckpointError(f'{path} is a tar archive of PyTorch before 0.1.10: save it anew')
    file.seek(0)


def _tensor(storage: Any, offset: int, size: Any, stride: Any, *_: object) -> Tensor | StandIn:
    """Rebuild a tensor within its storage: it may neither reach beyond nor be larger."""
    if not isinstance(storage, torch.storage.TypedStorage):
        return StandIn()
    flat = torch.empty(0, dtype=storage.dtype).set_(storage._untyped_storage)
    if math.prod(size) > len(flat):
        raise ValueError(f'a storage of {len(flat)} numbers is too small for shape {size}')
    return flat.as_strided(size, stride, offset)


def _parameter(data: Any, *_: object) -> Any:
    return data


_KNOWN: dict[str, Any] = {
    'collections.OrderedDict': OrderedDict,
    'torch._utils._rebuild_tensor': _tensor,
    'torch._utils._rebuild_tensor_v2': _tensor,
    'torch._utils._rebuild_parameter': _parameter,
    'torch._utils._rebuild_parameter_with_state': _parameter,
}
