# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoint folders: ``config.json``, ``model.safetensors``, ``stats.npz``, tokenizer, card."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

import mgpt3_ros.model as model_room
from mgpt3_ros.model.atomic_files import whole_file
from mgpt3_ros.model.errors import CheckpointError

_EVEN = 64  # bytes: PyTorch's own tensors begin at multiples of it
_ENTRY = len(',"even":""')
CONFIG, WEIGHTS, STATS, CARD = 'config.json', 'model.safetensors', 'stats.npz', 'MODEL_CARD.md'
FORMAT = 'mgpt3_ros'
_FILLS = {torch.Tensor.normal_, torch.Tensor.uniform_}
FORMAT_VERSION = 1
_HUB_NAME = re.compile(r'[\w.-]*\w/[\w.-]*\w')


def shipped_checkpoint(name: str = 'default') -> Path:
    """Folder of a checkpoint that comes with the package, in a source tree and installed."""
    return Path(model_room.__file__).resolve().parent.parent / 'models' / name


def find_checkpoint(folder: str | Path | None) -> Path:
    """Resolve a checkpoint folder; None or '' means the shipped one.

    A string such as 'owner/name', where not even a folder 'owner' is here, is looked for on the
    hub of Hugging Face, if huggingface_hub is installed.

    The bare name of a shipped one, such as 'default', stands for it where no folder of this name
    is in the working directory.

    Raises:
        CheckpointError: there is no such folder, or it holds no checkpoint of this project.
    """
    path = Path(folder).expanduser() if folder else shipped_checkpoint()
    if not path.exists() and len(path.parts) == 1 and shipped_checkpoint(path.name).is_dir():
        path = shipped_checkpoint(path.name)
    if isinstance(folder, str) and _HUB_NAME.fullmatch(folder) and not path.parent.exists():
        path = _from_hub(folder)
    if not path.is_dir():
        hint = 'it is a file; give its folder' if path.exists() else 'no such folder'
        if len(path.parts) == 1 and not path.exists():
            known = sorted(p.parent.name for p in shipped_checkpoint('').glob(f'*/{CONFIG}'))
            hint += f'; with the package come {", ".join(known)}'
        raise CheckpointError(f'no checkpoint at {path}: {hint}')
    missing = [name for name in (CONFIG, WEIGHTS, STATS) if not (path / name).is_file()]
    if missing:
        raise CheckpointError(
            f'{path} is no checkpoint of mgpt3_ros: {", ".join(missing)} not found in it. '
            'A released MotionGPT3 file must be converted first (mgpt3 convert --help).'
        )
    return path


def _from_hub(name: str) -> Path:
    """Folder of a checkpoint of the hub, fetched unless it is in the cache.

    Raises:
        CheckpointError: it is not there, the hub cannot be reached, or no library knows how.
    """
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise CheckpointError(
            f'no checkpoint at {name}: no such folder. To look for this name on the hub: '
            'pip install huggingface_hub'
        ) from error
    try:
        return Path(snapshot_download(name, allow_patterns=['*.json', '*.npz', WEIGHTS, CARD]))
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise CheckpointError(
            f'no checkpoint at {name}: no such folder, and the hub gave none of this name. Is '
            f'there a network? It said: {reason}'
        ) from error


def read_config(folder: Path) -> dict[str, Any]:
    """Read ``config.json``.

    Raises:
        CheckpointError: it is no JSON, or not of this project or version.
    """
    try:
        data = json.loads((folder / CONFIG).read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CheckpointError(f'{folder / CONFIG} cannot be read: {error}') from error
    if not isinstance(data, dict) or data.pop('format', None) != FORMAT:
        raise CheckpointError(f'{folder / CONFIG} is not of a mgpt3_ros checkpoint')
    version = data.pop('format_version', None)
    if version != FORMAT_VERSION:
        raise CheckpointError(
            f'{folder} has checkpoint format {version}, this program reads {FORMAT_VERSION}'
        )
    return data


def write_config(folder: Path, data: dict[str, Any]) -> None:
    """Write ``config.json`` whole or not at all."""
    content = {'format': FORMAT, 'format_version': FORMAT_VERSION, **data}
    write_text(folder / CONFIG, json.dumps(content, indent=2) + '\n')


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding='utf-8')


def write_weights(
    folder: Path,
    module: nn.Module,
    dtype: torch.dtype | None = None,
    without: Collection[str] = (),
) -> None:
    """Write the module's state, floating-point tensors as ``dtype`` (None: as they are).

    A parameter that the module has under several names is written once.

    Args:
        folder: of the checkpoint.
        module: the network.
        dtype: of what is written.
        without: names in the state that are left out.

    Raises:
        OSError: the file cannot be written; the one that was there stays.
    """
    twins = shared_names(module)
    state = {
        name: (value.to(dtype) if dtype and value.is_floating_point() else value).contiguous()
        for name, value in module.state_dict().items()
        if name not in twins and name not in without
    }
    with whole_file(folder / WEIGHTS) as partial:
        try:
            save_file(state, partial, metadata={'format': FORMAT})
            if spare := _beside(partial):  # the header is filled up: tensors begin evenly
                save_file(state, partial, metadata={'format': FORMAT, 'even': ' ' * spare})
        except SafetensorError as error:  # an error of the disk, as text
            raise OSError(f'{folder / WEIGHTS} cannot be written: {error}') from error
        partial.chmod(0o644)  # safetensors lets only the owner read what it writes


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Read ``model.safetensors`` as float32.

    Raises:
        CheckpointError: the file is truncated or no safetensors file.
    """
    try:
        state = load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f'{folder / WEIGHTS} cannot be read ({error}); it may be truncated: copy it again'
        ) from error
    state = {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
    # Sums over tensors that lie unevenly are made in another order: the same weights would draw
    # another motion, by rounding.
    return {k: v.clone() if v.data_ptr() % _EVEN else v for k, v in state.items()}


def _beside(file: Path) -> int:
    """By how many characters the header must grow for tensors to begin evenly; 0 where they do.

    A header is a length in 8 bytes and JSON filled up to a multiple of 8; another entry of its
    metadata takes ``_ENTRY`` characters and what it says.
    """
    with file.open('rb') as opened:
        begin = 8 + int.from_bytes(opened.read(8), 'little')
    return 0 if begin % _EVEN == 0 else _EVEN + (-begin - _ENTRY) % _EVEN


def shared_names(module: nn.Module) -> dict[str, str]:
    """Further names of parameters that a module has under several, and the first of each."""
    first: dict[int, str] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        first.setdefault(id(parameter), name)
    named = module.named_parameters(remove_duplicate=False)
    return {name: first[id(p)] for name, p in named if first[id(p)] != name}


class Unfilled(TorchFunctionMode):
    """Modules built under it have weights of any value: those of a checkpoint come next.

    At full size, drawing weights that are overwritten at once was 90 % of loading.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Leave a tensor as it is where it would be filled by chance; call all else."""
        if func in _FILLS or getattr(func, '__module__', '') == nn.init.__name__:
            return args[0] if args else (kwargs or {})['tensor']
        return func(*args, **(kwargs or {}))


def load_state(
    module: nn.Module, state: dict[str, Tensor], where: str, assign: bool = False
) -> None:
    """Load a state into a module, whole; of shared parameters one name is enough.

    ``assign`` puts the tensors themselves into the module, which then needs no second copy: those
    of a file are read when they are used. Not where parameters are shared, which it would part.

    Raises:
        CheckpointError: a key is missing, left over, or has another shape (both are named).
    """
    own, twins = module.state_dict(), shared_names(module)
    state = state | {name: state[twin] for name, twin in twins.items() if twin in state}
    for name, value in state.items():
        if name in own and own[name].shape != value.shape:
            raise CheckpointError(
                f'{where}: {name} has shape {tuple(value.shape)}, '
                f'the configuration asks for {tuple(own[name].shape)}'
            )
    missing, unexpected = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    if missing or unexpected:
        parts = [
            f'{len(names)} {what} (such as {names[0]})'
            for names, what in ((missing, 'tensors missing'), (unexpected, 'tensors unknown'))
            if names
        ]
        raise CheckpointError(f'{where} does not fit its configuration: {", ".join(parts)}')
    if assign and not twins:
        state = {name: value.to(own[name].dtype) for name, value in state.items()}
        module.load_state_dict(state, assign=True)
        return
    module.load_state_dict(state)
