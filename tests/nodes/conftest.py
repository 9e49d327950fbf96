# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Real nodes in processes of their own, and a probe that talks to them over DDS."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.domains import free_domain

ROOT = Path(__file__).resolve().parents[2]

try:
    import rclpy  # noqa: F401

    HAS_ROS = True
except ImportError:
    HAS_ROS = False

DEFAULT_CHECKPOINT = ROOT / 'models' / 'default'


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip = pytest.mark.skip(reason='rclpy is not installed: nothing can talk over DDS')
    for item in items:
        if 'domain' in getattr(item, 'fixturenames', ()):
            item.add_marker(pytest.mark.ros)
            if not HAS_ROS:
                item.add_marker(skip)


@contextlib.contextmanager
def processes_of_nodes(folder: Path) -> Iterator[Callable]:
    """A function that starts a node as a process; all are ended with the context.

    Forked, unless it is told otherwise: where it is looked at how a process begins and ends.
    """
    from tests.support.node_process import NodeProcess

    processes: list[NodeProcess] = []

    def make(
        executable: str = 'generate_node',
        namespace: str = '',
        forked: bool = True,
        bodies: Sequence[str] = (),
        **parameters: object,
    ) -> NodeProcess:
        log = folder / f'{executable}_{len(processes)}.log'
        made = NodeProcess(executable, parameters, log, namespace, forked, bodies)
        processes.append(made)
        return processes[-1]

    try:
        yield make
    finally:  # one that outlives a fixture that failed would answer the tests after it
        for process in processes:
            process.close()


@pytest.fixture
def domain() -> Iterator[int]:
    with free_domain() as number:
        yield number


@pytest.fixture
def probe(domain: int) -> Iterator:
    from tests.support.probe import Probe

    with Probe(domain) as made:
        yield made


@pytest.fixture
def start(domain: int, tmp_path: Path) -> Iterator[Callable]:
    with processes_of_nodes(tmp_path) as make:
        yield make


@pytest.fixture(scope='module')
def shared_probe(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """A probe and an active generate_node with the tiny model, for all tests of a file."""
    if not HAS_ROS:
        pytest.skip('rclpy is not installed: nothing can talk over DDS')
    from tests.support.probe import Probe

    folder = tmp_path_factory.mktemp('node')
    with free_domain() as number, processes_of_nodes(folder) as make, Probe(number) as made:
        make('generate_node', checkpoint=str(tiny_checkpoint), device='cpu', seed=0)
        made.active()
        yield made


@pytest.fixture(scope='module')
def shared_listener(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """A function that starts nodes, and one who plays a body to them, for all tests of a file."""
    if not HAS_ROS:
        pytest.skip('rclpy is not installed: nothing can talk over DDS')
    from tests.support.listener import Listener

    folder = tmp_path_factory.mktemp('listening')
    with free_domain() as number, processes_of_nodes(folder) as make, Listener(number) as made:
        yield make, made


@pytest.fixture
def spoken_to(shared_probe) -> Iterator:
    """The shared probe, its node at rest with the default parameters, all it heard forgotten."""
    before = {name: shared_probe.get(name) for name in shared_probe.CHANGED}
    yield shared_probe
    shared_probe.enable(True)
    shared_probe.settle()
    assert shared_probe.set(**before) == (True, '')
    shared_probe.forget()


@pytest.fixture(scope='session')
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained model that draws in milliseconds, without much difference between texts."""
    import torch

    from tests.support.tiny import tiny_model

    model = tiny_model()
    with torch.no_grad():
        for parameter in model.network.head.parameters():
            parameter.mul_(0.1)
    folder = tmp_path_factory.mktemp('tiny')
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope='session')
def default_checkpoint() -> Path:
    if not (DEFAULT_CHECKPOINT / 'model.safetensors').is_file():
        pytest.skip(f'no trained checkpoint in {DEFAULT_CHECKPOINT}')
    return DEFAULT_CHECKPOINT
