# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What holds for every test: one thread a process, and no trace in the user's cache folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

# Before PyTorch is imported, here and in the programs that tests start: pytest's workers share the
# cores already, and threads that wait for each other take several times the work's own time.
os.environ.setdefault('OMP_NUM_THREADS', '1')


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
