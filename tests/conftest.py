# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What holds for every test: one thread a process, and no trace in the user's cache folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before PyTorch is imported, here and in the programs that tests start: pytest's workers share the
# cores already, and threads that wait for each other take several times the work's own time.
os.environ.setdefault('OMP_NUM_THREADS', '1')


# Files of these spend much of their time waiting for the clock, the others compute.
WAITING = {'nodes', 'benchmarks', 'launch', 'view'}
SLOW = 8  # quick tests, that one marked as slow counts for


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have pytest's workers begin with the files that take longest, waiting beside computing.

    So the cores are busy to the end, and no worker is left alone with a long file.
    """
    if not hasattr(config, 'workerinput'):
        return
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)

    def shorter(path: Path) -> tuple[int, Path]:
        marked = sum(item.get_closest_marker('slow') is not None for item in files[path])
        return -len(files[path]) - SLOW * marked, path

    order: list[tuple[float, Path]] = []
    for waits in (True, False):
        kind = sorted((path for path in files if waits == is_waiting(path)), key=shorter)
        order += [((number + 0.5) / len(kind), path) for number, path in enumerate(kind)]
    items[:] = [item for _, path in sorted(order) for item in files[path]]


def is_waiting(path: Path) -> bool:
    return path.relative_to(Path(__file__).parent).parts[0] in WAITING


@pytest.fixture(scope='session', autouse=True)
def cache_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep features and latents in a cache folder of the session."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('XDG_CACHE_HOME', str(tmp_path_factory.mktemp('cache')))
        yield


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail where a name of the network is looked up, also where the failure is swallowed."""
    asked: list[object] = []

    def unasked(host: object, *_: object, **__: object) -> None:
        asked.append(host)
        raise socket.gaierror(f'{host}: this test allows no network')

    monkeypatch.setattr(socket, 'getaddrinfo', unasked)
    yield
    assert not asked, f'went to the network without being asked: {asked}'
