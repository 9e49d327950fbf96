# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two processes give the gradients of one with twice the batch, and write once."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mgpt3_ros.model.checkpoints.checkpoint import WEIGHTS
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from tests.support import apart, programs, two_processes
from tests.support.tiny_runs import write_preset
from tests.support.two_processes import STAGES, STEPS, STOPPED

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def runs(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Run folders of one process with 6 samples a step, and of two with 3 samples each."""
    folder = tmp_path_factory.mktemp('runs')
    preset, one, two = write_preset(folder), folder / 'one', folder / 'two'
    # As torchrun starts them. Both find the cache empty.
    environment = {
        'MASTER_ADDR': 'localhost',
        'MASTER_PORT': str(free_port()),
        'WORLD_SIZE': '2',
        'LOCAL_WORLD_SIZE': '2',
        'XDG_CACHE_HOME': str(folder / 'cache'),
    }
    arguments = (two_processes.train, preset, pack, two, 3)
    processes = [
        apart.started(folder / rank, *arguments, RANK=rank, LOCAL_RANK=rank, **environment)
        for rank in ('0', '1')
    ]
    codes = [apart.exit_code(process) for process in processes]
    assert codes == [0, 0], ''.join((folder / rank).read_text() for rank in ('0', '1'))
    two_processes.train(preset, pack, one, 6)
    return one, two


def free_port() -> int:
    with socket.create_server(('localhost', 0)) as server:
        return server.getsockname()[1]


@pytest.mark.parametrize('stage', STAGES)
def test_gradients_are_those_of_one_process_with_twice_the_batch(
    stage: str, runs: tuple[Path, Path]
) -> None:
    one, two = (torch.load(run / stage / 'gradients.pt', weights_only=True) for run in runs)
    assert len(one) == len(two) == STEPS
    held_to_one_process(one, two)


def held_to_one_process(one: list[dict[str, Tensor]], two: list[dict[str, Tensor]]) -> None:
    """Gradients of each step are those of one process, to 1e-6 of the largest."""
    for alone, split in zip(one, two, strict=True):
        assert alone.keys() <= split.keys()
        scale = max(float(gradient.abs().max()) for gradient in alone.values())
        for name in split:
            wanted = alone.get(name, torch.zeros_like(split[name]))
            torch.testing.assert_close(split[name], wanted, rtol=0, atol=1e-6 * scale)


@pytest.mark.parametrize('stage', STAGES)
def test_the_log_is_that_of_one_process(stage: str, runs: tuple[Path, Path]) -> None:
    logs = [
        [json.loads(line) for line in (run / stage / 'log.jsonl').read_text().splitlines()]
        for run in runs
    ]
    assert [record['step'] for record in logs[1]] == list(range(1, STEPS + 1))
    for alone, split in zip(*logs, strict=True):
        del alone['samples_per_s'], split['samples_per_s']
        assert split == pytest.approx(alone, rel=1e-3, abs=1e-5)


def test_only_one_process_writes(runs: tuple[Path, Path]) -> None:
    _, two = runs
    for stage in STAGES:
        assert not list((two / stage).glob('*.partial*'))
        boards = list((two / stage).glob('tensorboard/*'))
        assert len(boards) <= 1
    assert (two / 'align' / WEIGHTS).is_file()
    assert MotionGPT3.from_pretrained(two / 'align', device='cpu').name == 'tiny'


def test_a_signal_to_one_process_stops_both_after_saving(runs: tuple[Path, Path]) -> None:
    folder = runs[1] / STOPPED
    assert len((folder / 'log.jsonl').read_text().splitlines()) == 2
    assert torch.load(folder / 'checkpoint.pt', weights_only=True)['step'] == 2
    assert not (folder / WEIGHTS).exists()


def test_accelerate_that_runs_one_process_on_a_cpu_says_so(pack: Path, tmp_path: Path) -> None:
    """Whatever was asked for: accelerate has no launcher of several on a CPU."""
    launch = ('-m', 'accelerate.commands.launch', '--cpu', '--num_processes', '2')
    train = ('-m', 'mgpt3_ros.training.train', 'vae', '--config', str(write_preset(tmp_path)))
    options = ('--data', str(pack), '--output', str(tmp_path), 'stages.vae.optim.steps=1')
    log, words = tmp_path / 'said', [*launch, *train, *options]
    program = apart.Program(log, programs.run, words, folder=tmp_path, PYTHONPATH=str(ROOT))
    code = program.wait(240)
    said = log.read_text()
    assert code == 0, said
    assert 'accelerate has launched one process' in said
    assert 'torchrun --nproc-per-node=N' in said
    assert json.loads((tmp_path / 'vae' / 'run.json').read_text())['processes'] == 1
